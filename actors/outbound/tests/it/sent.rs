//! Whether the server may have had a request that failed: what decides whether it may be sent again.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::time::Duration;

use outbound::{Body, Kind, Request, Sent};

use crate::server::Server;
use crate::{client, failure, is};

const LOCAL: &[&str] = &["127.0.0.1", "localhost"];

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let error = failure(&client(LOCAL), &Request::get(format!("http://{address}/"))).await;
    is(&error, Kind::Connect, Sent::No);
}

#[tokio::test]
async fn it_hangs_up_without_an_answer() {
    let server = Server::start(|_, _| {});
    let post = Request::post(server.url("/"), Body::Text("x".to_owned()));
    is(&failure(&client(LOCAL), &post).await, Kind::Broken, Sent::Maybe);
    assert_eq!(server.heard().len(), 1, "nothing is tried twice");
}

#[tokio::test]
async fn it_hangs_up_in_the_middle() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    is(&failure(&client(LOCAL), &Request::get(server.url("/"))).await, Kind::Broken, Sent::Yes);
    let chunked = Server::answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc");
    is(&failure(&client(LOCAL), &Request::get(chunked.url("/"))).await, Kind::Broken, Sent::Yes);
}

#[tokio::test]
async fn it_speaks_something_else() {
    for said in ["SSH-2.0-OpenSSH_9.2\r\n", "\0\0\0\0\0\0\0\0\n", "220 mail ESMTP\r\n"] {
        let server = Server::answering(said);
        is(&failure(&client(LOCAL), &Request::get(server.url("/"))).await, Kind::Broken, Sent::Maybe);
    }
}

#[tokio::test]
async fn it_does_not_answer() {
    let silent = Server::start(|_, stream| drop(stream.read(&mut [0])));
    let request = Request::get(silent.url("/"));
    let error = client(LOCAL).send_within(&request, Duration::from_millis(300)).await.expect_err("silence");
    is(&error, Kind::Timeout, Sent::Maybe);
}

#[tokio::test]
async fn it_does_not_stop_answering() {
    let slow = Server::start(|_, stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"));
        while stream.write_all(b".").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let request = Request::get(slow.url("/"));
    let error = client(LOCAL).send_within(&request, Duration::from_millis(500)).await.expect_err("too slow");
    is(&error, Kind::Timeout, Sent::Yes);
}

#[tokio::test]
async fn endless_interim_answers() {
    let server =
        Server::start(|_, stream| while stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n").is_ok() {});
    let request = Request::get(server.url("/"));
    let error = client(LOCAL).send_within(&request, Duration::from_millis(500)).await.expect_err("no answer");
    is(&error, Kind::Timeout, Sent::Maybe);
}

#[tokio::test]
async fn who_drops_the_future_hangs_up() {
    let (hung_up, is_hung_up) = channel();
    let (heard, is_heard) = channel();
    let server = Server::start(move |_, stream| {
        heard.send(()).expect("the test waits");
        let rest = stream.read(&mut [0]);
        let _ = hung_up.send(matches!(rest, Ok(0) | Err(_)));
    });
    let client = client(LOCAL);
    let request = Request::get(server.url("/"));
    let until_heard = tokio::task::spawn_blocking(move || is_heard.recv());
    tokio::select! {
        _ = client.send(&request) => panic!("nothing answers"),
        heard = until_heard => heard.expect("no panic").expect("it was heard"),
    }
    assert!(is_hung_up.recv_timeout(Duration::from_secs(10)).expect("the connection is closed"));
}

#[tokio::test]
async fn this_machine_by_its_name() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let url = format!("http://localhost:{}/", server.address.port());
    client(&["localhost"]).send(&Request::get(&url)).await.expect("an answer");
    is(&failure(&client(&["*"]), &Request::get(&url)).await, Kind::PrivateAddress, Sent::No);
    let other_port = format!("localhost:{}", server.address.port() ^ 1);
    is(&failure(&client(&[&other_port]), &Request::get(&url)).await, Kind::NotAllowed, Sent::No);
    assert_eq!(server.heard().len(), 1);
}
