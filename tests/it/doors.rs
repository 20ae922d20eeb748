//! Doors: who gets in, by which way, and what those are told who do not.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use harness::{Client, Daemon, PATIENCE, Setup, http, run};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[test]
fn a_services_own_socket_answers_its_methods_only() {
    run(async {
        let daemon = Daemon::start().await;
        let (fs, admin) = (daemon.unix("fs").await, daemon.unix("admin").await);
        assert!(fs.ok("mcp.fs.list", json!(["/"])).await.is_array());
        assert_eq!(admin.ok("mcp.admin.health", json!({})).await["status"], "ok");
        for (client, method) in [
            (&fs, "mcp.admin.tree"),
            (&fs, "mcp.hello"),
            (&admin, "mcp.fs.list"),
            (&admin, "mcp.listCapabilities"),
        ] {
            assert_eq!(client.code(method, json!({})).await, -32002, "{method}");
        }
        assert_eq!(fs.code("mcp.fs.nothing", json!({})).await, -32601);
    });
}

#[test]
fn sockets_and_secrets_are_not_for_everybody() {
    run(async {
        let daemon = Daemon::start().await;
        let mode = |path: &str| mode(&daemon.dir().join(path));
        for socket in ["run/gateway.sock", "run/fs.sock", "run/admin.sock"] {
            assert_eq!(mode(socket), 0o660, "{socket}");
        }
        assert_eq!(
            (mode("run"), mode("state"), mode("token"), mode("lic.key")),
            (0o750, 0o700, 0o600, 0o600)
        );
    });
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
}

#[test]
fn a_foreign_page_or_name_is_turned_away_before_anything_is_asked() {
    run(async {
        let settings =
            "auth:\n  allowed_origins: [https://app.example]\n  allowed_hosts: [box.lan, 'cat.lan:80']\n";
        let daemon = Setup { settings: settings.into(), ..Setup::default() }.start().await;
        let token = format!("Bearer {}", daemon.token());
        let check = async |header: (&str, &str), status: u16| {
            let answer = http::knock(&daemon.address, &[("Authorization", &token), header]).await;
            assert_eq!(answer.status, status, "{header:?}: {answer:?}");
            if status == 403 {
                assert!(
                    answer.body.contains(header.1) && answer.body.contains("auth.allowed_"),
                    "{answer:?}"
                );
            }
        };
        check(("Origin", "https://evil.example"), 403).await;
        check(("Origin", "null"), 403).await;
        check(("Origin", "https://app.example.evil.example"), 403).await;
        check(("Origin", "http://localhost.evil.example"), 403).await;
        check(("Origin", "https://app.example:444"), 403).await;
        check(("Origin", "https://app.example"), 101).await;
        check(("Origin", "http://localhost:3000"), 101).await;
        check(("Origin", "http://127.0.0.1"), 101).await;
        check(("Host", "evil.example"), 403).await;
        check(("Host", "localhost.evil.example"), 403).await;
        check(("Host", "cat.lan:81"), 403).await;
        check(("Host", "cat.lan:80"), 101).await;
        check(("Host", "box.lan"), 101).await;
        check(("Host", "box.lan:8000"), 101).await;
        check(("Host", "localhost:8000"), 101).await;
        check(("Host", "[::1]:8000"), 101).await;
    });
}

#[test]
fn without_a_good_token_nobody_comes_in_over_tcp_and_is_told_what_to_do() {
    run(async {
        let daemon = Daemon::start().await;
        let check = async |headers: &[(&str, &str)], says: &str| {
            let answer = http::knock(&daemon.address, headers).await;
            assert_eq!(answer.status, 401, "{headers:?}: {answer:?}");
            assert!(answer.head.contains("www-authenticate: bearer"), "{answer:?}");
            assert!(answer.body.contains(says), "{answer:?}");
        };
        let token = daemon.token();
        let (wrong, basic) = (format!("Bearer {}", "x".repeat(token.len())), format!("Basic {token}"));
        let (cut, subprotocol) = (format!("Bearer {}", &token[1..]), "llmbasedos, bearer.wrong");
        check(&[], "llmbasedos token create").await;
        check(&[("Authorization", &basic)], "llmbasedos token create").await;
        check(&[("Authorization", &wrong)], "llmbasedos token list").await;
        check(&[("Authorization", &cut)], "llmbasedos token list").await;
        check(&[("Authorization", "Bearer ")], "llmbasedos token").await;
        check(&[("Sec-WebSocket-Protocol", subprotocol)], "llmbasedos token list").await;
        assert!(!daemon.log().contains(&token[1..]), "{}", daemon.log());
    });
}

#[test]
fn a_browser_shows_its_token_as_a_subprotocol() {
    run(async {
        let daemon = Daemon::start().await;
        let offered = format!("llmbasedos, bearer.{}", daemon.token());
        let answer = http::knock(&daemon.address, &[("Sec-WebSocket-Protocol", &offered)]).await;
        assert_eq!(answer.status, 101, "{answer:?}");
        assert!(
            answer.head.contains("sec-websocket-protocol: llmbasedos\r\n"),
            "never the token: {answer:?}"
        );
        let client = Client::ws_with(&daemon.url(), &[("sec-websocket-protocol", offered)]).await;
        assert_eq!(client.expect("it gets in").ok("mcp.hello", json!({})).await["caller"], "owner");
    });
}

#[test]
fn an_open_loopback_asks_for_no_token() {
    run(async {
        let by_file = Setup { settings: "auth: { loopback: open }\n".into(), ..Setup::default() };
        let variable = vec![("LLMBDO_AUTH_LOOPBACK", "open".to_owned())];
        let by_variable = Setup { environment: variable, ..Setup::default() };
        for setup in [by_file, by_variable] {
            let daemon = setup.start().await;
            let client = Client::ws(&daemon.url(), None).await.expect("anybody gets in");
            assert_eq!(client.ok("mcp.hello", json!({})).await["caller"], "loopback");
            assert!(Client::ws(&daemon.url(), Some("wrong")).await.is_err(), "a wrong token is still wrong");
            let foreign = http::knock(&daemon.address, &[("Origin", "https://evil.example")]).await;
            assert_eq!(foreign.status, 403, "and foreign pages stay outside");
        }
    });
}

#[test]
fn health_is_told_to_anybody_and_nothing_else_is() {
    run(async {
        let daemon = Daemon::start().await;
        for (path, status) in
            [("/healthz", 200), ("/readyz", 200), ("/", 404), ("/docs", 404), ("/openapi.json", 404)]
        {
            assert_eq!(http::get(&daemon.address, path, &[]).await.status, status, "{path}");
        }
    });
}

#[test]
fn connections_are_counted_over_all_doors_and_places_come_free() {
    run(async {
        let variable = vec![("LLMBDO_LIMITS_CONNECTIONS", "2".to_owned())];
        let daemon = Setup { environment: variable, ..Setup::default() }.start().await;
        let (first, second) = (daemon.client().await, daemon.unix("gateway").await);
        second.ok("mcp.hello", json!({})).await;
        daemon.unix("fs").await.ended().await;
        assert!(Client::ws(&daemon.url(), Some(&daemon.token())).await.is_err());
        daemon.logged("limits.connections").await;
        first.ok("mcp.hello", json!({})).await;
        drop(first);
        harness::until("a place comes free", async || {
            Client::ws(&daemon.url(), Some(&daemon.token())).await.is_ok()
        })
        .await;
        second.ok("mcp.hello", json!({})).await;
    });
}

#[test]
fn whoever_says_nothing_is_shown_out() {
    run(async {
        let variable = vec![("LLMBDO_LIMITS_HANDSHAKE_SECONDS", "1".to_owned())];
        let daemon = Setup { environment: variable, ..Setup::default() }.start().await;
        for said in
            ["", "GET /ws HT", "GET /ws HTTP/1.1\r\nHost: x\r\n", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"]
        {
            let mut stream = TcpStream::connect(&daemon.address).await.expect("the door is open");
            stream.write_all(said.as_bytes()).await.expect("it takes a few bytes");
            let mut heard = Vec::new();
            let shown_out = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut heard)).await;
            assert!(shown_out.is_ok(), "still open behind {said:?}");
        }
        let client = daemon.client().await;
        client.ok("mcp.hello", json!({})).await;
    });
}

#[test]
fn whoever_answers_no_ping_is_shown_out() {
    run(async {
        let variable = vec![("LLMBDO_LIMITS_PING_SECONDS", "1".to_owned())];
        let daemon = Setup { environment: variable, ..Setup::default() }.start().await;
        let (alive, mut dead) =
            (daemon.client().await, TcpStream::connect(&daemon.address).await.expect("it is open"));
        let token = format!("Bearer {}", daemon.token());
        let mut knock = "GET /ws HTTP/1.1\r\n".to_owned();
        for (name, value) in [http::UPGRADE, &[("Host", &daemon.address), ("Authorization", &token)]].concat()
        {
            knock.extend([name, ": ", value, "\r\n"]);
        }
        knock.push_str("\r\n");
        dead.write_all(knock.as_bytes()).await.expect("it takes a request");
        let mut heard = Vec::new();
        let shown_out = tokio::time::timeout(PATIENCE, dead.read_to_end(&mut heard)).await;
        assert!(
            shown_out.is_ok() && heard.starts_with(b"HTTP/1.1 101"),
            "{}",
            String::from_utf8_lossy(&heard)
        );
        assert!(alive.ok("mcp.hello", json!([])).await.is_array(), "who answers them stays");
    });
}

#[test]
fn an_idle_connection_stays_unless_a_limit_is_set() {
    run(async {
        let variable = vec![("LLMBDO_LIMITS_IDLE_SECONDS", "1".to_owned())];
        let daemon = Setup { environment: variable, ..Setup::default() }.start().await;
        let began = std::time::Instant::now();
        let (ws, unix) = (daemon.client().await, daemon.unix("gateway").await);
        for client in [&ws, &unix] {
            client.ok("mcp.hello", json!({})).await;
        }
        ws.ended().await;
        unix.ended().await;
        assert!(began.elapsed() >= Duration::from_secs(1));
    });
}
