//! What is sent and what comes back: shapes of bodies, and bounds on every part of an answer.

use std::io::Write as _;
use std::time::Duration;

use outbound::{Body, Client, Content, Expect, Kind, Options, Policy, Request, Sent};
use serde_json::json;

use crate::server::Server;
use crate::{client, failure, is, options};

const LOCAL: &[&str] = &["127.0.0.1"];

fn answer(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

async fn body_of(answer: Vec<u8>) -> Content {
    let server = Server::answering(answer);
    client(LOCAL).send(&Request::get(server.url("/"))).await.expect("an answer").body
}

#[tokio::test]
async fn all_of_a_request_arrives() {
    let server = Server::answering(answer("X-Two: a\r\nx-two: b\r\n", "done"));
    let request = Request {
        headers: vec![("X-Own".to_owned(), "1".to_owned()), ("x-own".to_owned(), "2".to_owned())],
        query: vec![("q".to_owned(), "ä & b".to_owned())],
        idempotency_key: Some("run-1/h".to_owned()),
        ..Request::post(server.url("/a%20b?x=1"), Body::Json(json!({ "n": 1 })))
    };
    let response = client(LOCAL).send(&request).await.expect("an answer");
    assert_eq!((response.status, &response.body), (200, &Content::Text("done".to_owned())));
    assert_eq!(response.headers["x-two"], ["a", "b"]);
    assert_eq!(response.to_value()["headers"]["x-two"][1], "b");
    let heard = &server.heard()[0];
    assert_eq!(heard.line, "POST /a%20b?x=1&q=%C3%A4+%26+b HTTP/1.1");
    assert_eq!(heard.body, r#"{"n":1}"#);
    let expected = [
        ("content-type", "application/json"),
        ("idempotency-key", "run-1/h"),
        ("host", &server.address.to_string()),
        ("accept-encoding", "identity"),
    ];
    for (name, value) in expected {
        assert_eq!(heard.header(name), Some(value), "{name}");
    }
    assert_eq!(heard.headers.iter().filter(|(name, _)| name == "x-own").count(), 2);
}

#[tokio::test]
async fn a_header_stands_above_the_usual_one() {
    let server = Server::answering(answer("", ""));
    let headers = vec![("Content-Type".to_owned(), "application/xml".to_owned())];
    let request = Request { headers, ..Request::post(server.url("/"), Body::Text("<a/>".to_owned())) };
    client(LOCAL).send(&request).await.expect("an answer");
    assert_eq!(server.heard()[0].header("content-type"), Some("application/xml"));
}

#[tokio::test]
async fn bodies() {
    let json = "Content-Type: application/json; charset=utf-8\r\n";
    assert_eq!(body_of(answer(json, r#"{"a":[1]}"#)).await, Content::Json(json!({ "a": [1] })));
    assert_eq!(body_of(answer(json, "{")).await, Content::Text("{".to_owned()));
    let problem = "Content-Type: application/problem+json\r\n";
    assert_eq!(body_of(answer(problem, "1")).await, Content::Json(json!(1)));
    assert_eq!(body_of(answer("", r#"{"a":1}"#)).await, Content::Text(r#"{"a":1}"#.to_owned()));
    assert_eq!(body_of(answer("", "a\0b")).await, Content::Base64("YQBi".to_owned()));
    let zipped = "Content-Encoding: gzip\r\nContent-Type: application/json\r\n";
    assert_eq!(body_of(answer(zipped, "1")).await, Content::Base64("MQ==".to_owned()));
    let mut latin = answer("", "abc");
    *latin.last_mut().expect("a body") = 0xe4;
    assert_eq!(body_of(latin).await, Content::Base64("YWLk".to_owned()));
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
    assert_eq!(body_of(chunked.to_vec()).await, Content::Text("abc".to_owned()));
    assert_eq!(
        body_of(b"HTTP/1.1 200 OK\r\n\r\nto the end".to_vec()).await,
        Content::Text("to the end".to_owned())
    );
    assert_eq!(body_of(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()).await, Content::Text(String::new()));
}

#[tokio::test]
async fn an_endless_body_is_read_to_the_bound() {
    let server = Server::start(|_, stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"));
        while stream.write_all("1234567\u{e4}".repeat(500).as_bytes()).is_ok() {}
    });
    let options = Options { body_bytes_max: 100_000, ..options() };
    let client = Client::new(Policy::parse(LOCAL).expect("a good list"), options);
    let response = client.send(&Request::get(server.url("/"))).await.expect("an answer");
    assert!(response.truncated);
    let Content::Text(text) = response.body else { panic!("{:?}", response.body) };
    assert!((99_990..=100_000).contains(&text.len()), "{}", text.len());
}

#[tokio::test]
async fn a_body_as_long_as_the_bound_is_whole() {
    let options = Options { body_bytes_max: 5, ..options() };
    let client = Client::new(Policy::parse(LOCAL).expect("a good list"), options);
    for (text, truncated) in [("12345", false), ("123456", true)] {
        let server = Server::answering(answer("", text));
        let response = client.send(&Request::get(server.url("/"))).await.expect("an answer");
        assert_eq!((response.truncated, response.body), (truncated, Content::Text("12345".to_owned())));
    }
}

#[tokio::test]
async fn endless_headers() {
    let lines = Server::start(|_, stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\n"));
        while stream.write_all(b"a: b\r\n").is_ok() {}
    });
    is(&failure(&client(LOCAL), &Request::get(lines.url("/"))).await, Kind::TooLarge, Sent::Maybe);
    let one = Server::start(|_, stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\na: "));
        while stream.write_all(&[b'b'; 4096]).is_ok() {}
    });
    is(&failure(&client(LOCAL), &Request::get(one.url("/"))).await, Kind::TooLarge, Sent::Maybe);
}

#[tokio::test]
async fn another_status_than_expected() {
    let server = Server::answering("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
    let request = Request::get(server.url("/secret?key=c0ffee"));
    let error = failure(&client(LOCAL), &request).await;
    is(&error, Kind::Status, Sent::Yes);
    assert!(!error.message.contains("secret") && !error.message.contains("c0ffee"), "{error}");
    let response = error.response.expect("the answer is kept");
    assert_eq!((response.status, response.body), (404, Content::Text("none".to_owned())));
    for expect in [Expect::one(404), Expect::ANY, Expect::parse("4xx").expect("it is one")] {
        let request = Request { expect_status: vec![expect], ..request.clone() };
        assert_eq!(client(LOCAL).send(&request).await.expect("as expected").status, 404);
    }
}

#[tokio::test]
async fn no_more_at_one_server_than_may_be() {
    let server = Server::start(|_, stream| {
        // The answer waits until the test hangs up.
        let mut byte = [0];
        drop(std::io::Read::read(stream, &mut byte));
    });
    let options = Options { requests_per_server_max: 1, ..options() };
    let client = Client::new(Policy::parse(LOCAL).expect("a good list"), options);
    let request = Request::get(server.url("/"));
    let first = client.send_within(&request, Duration::from_secs(5));
    let second = async {
        while server.heard().is_empty() {
            tokio::task::yield_now().await;
        }
        client.send_within(&request, Duration::from_millis(100)).await
    };
    tokio::select! {
        _ = first => panic!("nothing answers"),
        second = second => is(&second.expect_err("it has no place"), Kind::Timeout, Sent::No),
    }
    assert_eq!(server.heard().len(), 1);
}
