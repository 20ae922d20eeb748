//! Redirects: judged like the first URL, at most five, and nobody's credentials at another server.

use std::io::Write as _;

use outbound::{Body, Content, Expect, Kind, Request, Sent};

use crate::server::{Heard, Server};
use crate::{client, failure, is};

const LOCAL: &[&str] = &["127.0.0.1", "127.0.0.2"];

/// A server that answers with `status` and this `Location`.
fn redirecting(status: u16, to: impl Fn(&Heard) -> String + Send + Sync + 'static) -> Server {
    Server::start(move |heard, stream| {
        let location = to(heard);
        let answer =
            format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        drop(stream.write_all(answer.as_bytes()));
    })
}

fn good() -> Server {
    Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
}

#[tokio::test]
async fn in_a_circle() {
    let server = redirecting(302, |_| "/again".to_owned());
    let error = failure(&client(LOCAL), &Request::get(server.url("/"))).await;
    is(&error, Kind::Redirect, Sent::Yes);
    assert_eq!(server.heard().len(), 6);
}

#[tokio::test]
async fn five_are_followed() {
    let last = good();
    let url = last.url("/end");
    let server = redirecting(301, move |heard| match heard.line.as_str() {
        "GET /xxxx HTTP/1.1" => url.clone(),
        line => format!("{}x", line.split(' ').nth(1).unwrap_or_default()),
    });
    let response = client(LOCAL).send(&Request::get(server.url("/"))).await.expect("an answer");
    assert_eq!((response.body, server.heard().len()), (Content::Text("ok".to_owned()), 5));
    assert_eq!(response.origin, format!("http://{}", last.address));
}

#[tokio::test]
async fn to_where_nobody_is_let() {
    let inner = good();
    let port = inner.address.port();
    let cases = [
        (format!("http://127.0.0.3:{port}/"), Kind::PrivateAddress),
        (format!("http://127.1:{port}/"), Kind::PrivateAddress),
        (format!("http://2130706433:{port}/"), Kind::PrivateAddress),
        (format!("http://[::ffff:127.0.0.1]:{port}/"), Kind::PrivateAddress),
        (format!("http://[::1]:{port}/"), Kind::PrivateAddress),
        (format!("http://localhost:{port}/"), Kind::NotAllowed),
        (format!("//127.0.0.1:{port}/"), Kind::PrivateAddress),
        (format!("\\\\127.0.0.1:{port}\\"), Kind::PrivateAddress),
        ("http://169.254.169.254/latest/meta-data/".to_owned(), Kind::PrivateAddress),
        ("http://example.org/".to_owned(), Kind::NotAllowed),
        ("http://1.1.1.1/".to_owned(), Kind::NotAllowed),
        ("file:///etc/passwd".to_owned(), Kind::Redirect),
        ("gopher://127.0.0.1/".to_owned(), Kind::Redirect),
        (format!("http://user:secret@127.0.0.2:{port}/"), Kind::Redirect),
        ("http://".to_owned(), Kind::Redirect),
    ];
    for (to, kind) in cases {
        let shown = to.clone();
        let server = redirecting(307, move |_| to.clone());
        let own = format!("127.0.0.1:{}", server.address.port());
        let post = Request::post(server.url("/"), Body::Text("x".to_owned()));
        let error = failure(&client(&[&own, "127.0.0.2"]), &post).await;
        assert_eq!((error.kind, error.sent), (kind, Sent::Yes), "{shown}: {error}");
    }
    assert!(inner.heard().is_empty());
}

#[tokio::test]
async fn credentials_stay_with_their_server() {
    let other = good();
    let url = other.url("/");
    let server = redirecting(307, move |_| url.clone());
    let own = ["Authorization", "Cookie", "X-Api-Key", "Proxy-Connection2", "X-Token"];
    let mut headers: Vec<_> = own.iter().map(|name| ((*name).to_owned(), "c0ffee".to_owned())).collect();
    headers.push(("Accept".to_owned(), "text/plain".to_owned()));
    let idempotency_key = Some("k".to_owned());
    let post = Request::post(server.url("/"), Body::Text("x".to_owned()));
    client(LOCAL).send(&Request { headers, idempotency_key, ..post }).await.expect("an answer");
    let heard = &other.heard()[0];
    assert!(heard.headers.iter().all(|(_, value)| value != "c0ffee"), "{heard:?}");
    assert_eq!(heard.header("accept"), Some("text/plain"));
    assert_eq!(heard.header("idempotency-key"), Some("k"));
    assert_eq!(heard.body, "x");
    assert!(own.iter().all(|name| server.heard()[0].header(&name.to_ascii_lowercase()) == Some("c0ffee")));
}

#[tokio::test]
async fn credentials_go_on_at_the_same_server() {
    let server = redirecting(308, |heard| {
        if heard.line.contains("/a") { "/b".to_owned() } else { "http://127.0.0.9/".to_owned() }
    });
    let headers = vec![("Authorization".to_owned(), "c0ffee".to_owned())];
    drop(failure(&client(LOCAL), &Request { headers, ..Request::get(server.url("/a")) }).await);
    assert_eq!(server.heard()[1].header("authorization"), Some("c0ffee"));
}

#[tokio::test]
async fn methods_and_bodies() {
    let cases = [
        (301, "POST", "GET", ""),
        (302, "POST", "GET", ""),
        (303, "POST", "GET", ""),
        (303, "PUT", "GET", ""),
        (302, "PUT", "PUT", "x"),
        (307, "POST", "POST", "x"),
        (308, "PATCH", "PATCH", "x"),
        (303, "HEAD", "HEAD", ""),
    ];
    for (status, before, after, body) in cases {
        let other = good();
        let url = other.url("/");
        let server = redirecting(status, move |_| url.clone());
        let body_sent = if before == "HEAD" { Body::None } else { Body::Text("x".to_owned()) };
        let request = Request { method: before.to_owned(), ..Request::post(server.url("/"), body_sent) };
        client(LOCAL).send(&request).await.expect("an answer");
        let heard = &other.heard()[0];
        assert_eq!(
            (heard.line.split(' ').next(), heard.body.as_str()),
            (Some(after), body),
            "{status} {before}"
        );
    }
}

#[tokio::test]
async fn not_followed() {
    let server = redirecting(302, |_| "http://127.0.0.9/".to_owned());
    let get = Request::get(server.url("/"));
    let error = failure(&client(LOCAL), &Request { follow: false, ..get.clone() }).await;
    is(&error, Kind::Status, Sent::Yes);
    let expected = Request { expect_status: vec![Expect::one(302)], ..get };
    let response = client(LOCAL).send(&expected).await.expect("who expects a redirect sees it");
    assert_eq!(response.headers["location"], ["http://127.0.0.9/"]);
    let nowhere = Server::answering("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n");
    is(&failure(&client(LOCAL), &Request::get(nowhere.url("/"))).await, Kind::Redirect, Sent::Yes);
}
