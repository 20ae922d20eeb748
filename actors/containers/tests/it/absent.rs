//! No engine: said at once, in words, with what to do.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::thread;
use std::time::{Duration, Instant};

use containers::{Engine, Kind, Started};
use tempfile::TempDir;

use crate::{policy, sh};

/// What a start says where `listen` has made the socket.
async fn said(listen: impl FnOnce(&std::path::Path)) -> String {
    let folder = TempDir::new().expect("a folder");
    let socket = folder.path().join("docker.sock");
    listen(&socket);
    let began = Instant::now();
    let error =
        Engine::new(&socket, "tests", policy()).start("key", &sh("true")).await.expect_err("no engine");
    assert_eq!((error.kind, error.started), (Kind::NoEngine, Started::No), "{error}");
    assert!(began.elapsed() < Duration::from_secs(20), "it is said at once");
    assert!(error.message.contains(&*socket.to_string_lossy()), "{error}");
    error.message
}

fn answering(answer: &'static [u8]) -> impl FnOnce(&std::path::Path) {
    move |socket| {
        let listener = UnixListener::bind(socket).expect("a socket");
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                thread::spawn(move || {
                    if stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
                        drop(stream.write_all(answer));
                        drop(stream.read(&mut [0; 4096]));
                    }
                });
            }
        });
    }
}

#[tokio::test]
async fn no_socket() {
    assert!(said(|_| {}).await.contains("there is no socket"));
}

#[tokio::test]
async fn a_socket_that_nobody_listens_at() {
    let left = |socket: &std::path::Path| drop(UnixListener::bind(socket).expect("a socket"));
    assert!(said(left).await.contains("nobody listens"));
    assert!(said(|socket| std::fs::write(socket, "").expect("a file")).await.contains("nobody listens"));
}

#[tokio::test]
async fn something_else_listens() {
    let other: [&'static [u8]; 4] = [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n[1]",
    ];
    for answer in other {
        assert!(said(answering(answer)).await.contains("is no Docker engine"), "{answer:?}");
    }
}

#[tokio::test]
async fn nothing_is_answered() {
    assert!(said(answering(b"")).await.contains("does not answer"));
}

#[tokio::test]
async fn what_is_not_allowed_needs_no_engine() {
    let engine = Engine::new("/nowhere/docker.sock", "tests", containers::Policy::default());
    let error = engine.start("key", &sh("true")).await.expect_err("no image is listed");
    assert_eq!(error.kind, Kind::NotAllowed);
    let error = engine.find("").await.expect_err("no key");
    assert_eq!(error.kind, Kind::Invalid);
}
