//! Who is turned away before anything is asked, and what is too long, too slow or no message at all.

use harness::{Daemon, run};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::http::{Host, MODERN, Response, initialize};
use crate::resident;

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

#[test]
fn foreign_pages_and_foreign_names_are_forbidden() {
    run(async {
        let daemon = Daemon::start().await;
        let host = Host::owner(&daemon);
        for (verb, name, value, status) in [
            ("POST", "Origin", "https://evil.example", 403),
            ("POST", "Origin", "null", 403),
            ("POST", "Host", "evil.example", 403),
            ("GET", "Origin", "https://evil.example", 403),
            ("DELETE", "Host", "evil.example:80", 403),
            ("POST", "Origin", "http://localhost:3000", 200),
            ("POST", "Host", "[::1]:8000", 200),
        ] {
            let body = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": initialize("2025-11-25") });
            let response = host.but(name, value).send(verb, &body.to_string()).await;
            assert_eq!(response.status, status, "{verb} {name}: {value}");
        }
    });
}

#[test]
fn without_a_good_token_there_is_nothing_but_a_challenge() {
    run(async {
        let daemon = Daemon::start().await;
        let host = Host::owner(&daemon);
        for (token, says) in [("", "bearer realm="), ("Bearer llmb_forged", "error=\"invalid_token\"")] {
            for verb in ["POST", "GET", "DELETE"] {
                let response = host.but("Authorization", token).send(verb, PING).await;
                assert_eq!(response.status, 401, "{verb} {token}");
                assert!(
                    response.header("www-authenticate").is_some_and(|it| it.contains(says)),
                    "{}",
                    response.head
                );
            }
        }
    });
}

#[test]
fn what_is_no_single_json_message_is_refused() {
    run(async {
        let daemon = Daemon::start().await;
        let host = Host::owner(&daemon).open("2025-11-25").await;
        for (why, body, code) in [
            ("no JSON", "{\"jsonrpc\":", -32700),
            ("nothing", "", -32700),
            ("no request", "5", -32600),
            ("no version", r#"{"method":"ping"}"#, -32600),
            ("a null id", r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
            ("an id with a fraction", r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32600),
            ("an id that is none", r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, -32600),
            ("a batch", r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600),
            ("an empty batch", "[]", -32600),
        ] {
            let response = host.send("POST", body).await;
            assert_eq!(response.status, 400, "{why}");
            let answer = response.json().await;
            assert_eq!(answer["error"]["code"], code, "{why}: {answer}");
            assert!(answer.get("id").is_none(), "{why}: an id that cannot be read is left out: {answer}");
        }
        for (name, value, status) in [
            ("Content-Type", "text/plain", 415),
            ("Content-Type", "", 415),
            ("Accept", "text/html", 406),
            ("MCP-Protocol-Version", "1999-01-01", 400),
            ("Content-Type", "application/json; charset=utf-8", 200),
            ("Accept", "*/*", 200),
            ("MCP-Protocol-Version", "", 200),
            ("MCP-Protocol-Version", "2025-06-18", 200),
        ] {
            assert_eq!(host.but(name, value).send("POST", PING).await.status, status, "{name}: {value}");
        }
        for verb in ["GET", "DELETE"] {
            let response = host.but("MCP-Protocol-Version", "1999-01-01").send(verb, "").await;
            assert_eq!(response.status, 400, "{verb} with a version that nobody speaks");
        }
    });
}

#[test]
fn a_connection_outlives_what_was_refused_on_it() {
    run(async {
        let daemon = Daemon::start().await;
        let host = Host::owner(&daemon).open("2025-11-25").await;
        let mut stream = TcpStream::connect(&daemon.address).await.expect("the door is open");
        for body in ["{", PING] {
            let head = host.head("POST");
            let last = if body == PING { "Connection: close\r\n" } else { "" };
            let request = format!("{head}{last}Content-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(request.as_bytes()).await.expect("it is still there");
        }
        let text = {
            use tokio::io::AsyncReadExt as _;
            let mut text = String::new();
            stream.read_to_string(&mut text).await.expect("two answers");
            text
        };
        assert!(text.contains("-32700") && text.contains("\"result\":{}"), "{text}");
    });
}

#[test]
fn a_body_over_the_limit_is_refused_and_not_kept() {
    run(async {
        let setup =
            harness::Setup { settings: "limits: { frame_bytes: 65536 }\n".to_owned(), ..Default::default() };
        let daemon = setup.start().await;
        let host = Host::owner(&daemon);
        let announced = format!("{}Content-Length: 104857600\r\n\r\n", host.head("POST"));
        assert_eq!(Response::of(&daemon.address, announced.as_bytes()).await.status, 413);
        let before = resident(&daemon);
        let mut stream = TcpStream::connect(&daemon.address).await.expect("the door is open");
        let head = format!("{}Transfer-Encoding: chunked\r\n\r\n", host.head("POST"));
        stream.write_all(head.as_bytes()).await.expect("it reads the head");
        let (mut read, mut write) = stream.into_split();
        let writing = async {
            let chunk = [b"10000\r\n".as_slice(), &vec![b' '; 65_536], b"\r\n"].concat();
            // 100 MB, or until the server has had enough.
            for _ in 0..1_600 {
                if write.write_all(&chunk).await.is_err() {
                    break;
                }
            }
            write
        };
        let reading = async {
            use tokio::io::AsyncReadExt as _;
            let mut first = [0; 12];
            read.read_exact(&mut first).await.map(|_| first)
        };
        let (_write, first) = tokio::join!(writing, reading);
        assert_eq!(&first.expect("an answer"), b"HTTP/1.1 413");
        let grown = resident(&daemon).saturating_sub(before);
        assert!(grown < 20, "{grown} MB more");
    });
}

#[test]
fn a_body_that_does_not_arrive_is_not_waited_for() {
    run(async {
        let setup =
            harness::Setup { settings: "limits: { call_seconds: 1 }\n".to_owned(), ..Default::default() };
        let daemon = setup.start().await;
        let host = Host::owner(&daemon).but("MCP-Protocol-Version", MODERN);
        let request = format!("{}Content-Length: 100\r\n\r\n{{", host.head("POST"));
        assert_eq!(Response::of(&daemon.address, request.as_bytes()).await.status, 408);
    });
}
