//! Frames of 64 MB: refused with words, at no cost to anybody else.

use futures_util::{SinkExt as _, StreamExt as _};
use harness::{Daemon, PATIENCE};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use crate::vitals::{MIB, Vitals, mib};
use crate::{raw, script};

const HUGE: usize = 64 << 20;

/// Less than the frame itself: it is never held as a whole.
const COST_MAX: u64 = 60 * MIB;

#[test]
fn a_huge_websocket_message_is_refused_by_its_close_code() {
    script(async {
        let mut daemon = Daemon::start().await;
        let bystander = daemon.client().await;
        bystander.ok("mcp.hello", json!({})).await;
        let idle = Vitals::of(&daemon);
        let whole = vec![Message::text(" ".repeat(HUGE))];
        let fragment = |number: usize| {
            let kind = if number == 0 { Data::Text } else { Data::Continue };
            Message::Frame(Frame::message(vec![b' '; 1 << 20], OpCode::Data(kind), number == 63))
        };
        let fragments = (0..64).map(fragment).collect();
        for (what, messages) in [("one frame", whole), ("64 fragments", fragments)] {
            let close = refused(&daemon, messages).await;
            println!("{what}: {close:?}");
            let (code, reason) = close.unwrap_or_else(|| panic!("{what}: closed without a word"));
            assert_eq!(code, CloseCode::Size, "{what}: {reason}");
            assert!(reason.contains("limits.frame_bytes"), "{what}: {reason}");
            bystander.ok("mcp.hello", json!({})).await;
        }
        cost(&daemon, &idle);
        daemon.stop().await;
    });
}

#[test]
fn a_huge_message_on_a_unix_socket_is_refused_and_the_next_one_answered() {
    script(async {
        let mut daemon = Daemon::start().await;
        let bystander = daemon.client().await;
        bystander.ok("mcp.hello", json!({})).await;
        let idle = Vitals::of(&daemon);
        let mut stream = raw::unix(&daemon, "gateway").await;
        for turn in 0..3 {
            send_huge(&mut stream).await;
            // It is refused before its end has come, if it ever comes.
            let refusal = message(&mut stream).await;
            assert_eq!(
                (&refusal["error"]["code"], &refusal["id"]),
                (&json!(-32065), &Value::Null),
                "{refusal}"
            );
            bystander.ok("mcp.hello", json!({})).await;
            let request = raw::request(turn, "mcp.fs.stat", &json!(["/"]));
            stream.write_all(format!("\0{request}\0").as_bytes()).await.expect("it goes on");
            let answer = message(&mut stream).await;
            assert_eq!((&answer["id"], &answer["result"]["path"]), (&json!(turn), &json!("/")), "{answer}");
        }
        // Nobody waits for the rest of a message whose sender is gone.
        send_huge(&mut stream).await;
        drop(stream);
        harness::until("its connection is closed", async || {
            bystander.ok("mcp.admin.stats", json!({})).await["calls"]["connections"] == 1
        })
        .await;
        cost(&daemon, &idle);
        daemon.stop().await;
    });
}

fn cost(daemon: &Daemon, idle: &Vitals) {
    let after = Vitals::of(daemon);
    let [idle, peak, now] = [idle.resident, after.resident_peak, after.resident];
    println!("idle {}, peak {}, after {}", mib(idle), mib(peak), mib(now));
    assert!(peak < idle + COST_MAX, "{after:?}");
}

/// Sends `messages` while it listens; returns how the server closed.
async fn refused(daemon: &Daemon, messages: Vec<Message>) -> Option<(CloseCode, String)> {
    let mut request = daemon.url().into_client_request().expect("an address");
    let bearer = format!("Bearer {}", daemon.token()).parse().expect("a header");
    request.headers_mut().insert("authorization", bearer);
    let (socket, _) = tokio_tungstenite::connect_async(request).await.expect("the owner gets in");
    let (mut write, mut read) = socket.split();
    // Ends when this function does.
    let mut sending = JoinSet::new();
    sending.spawn(async move {
        for message in messages {
            // It fails once the server has closed.
            if write.send(message).await.is_err() {
                return;
            }
        }
    });
    let listening = async {
        loop {
            match read.next().await {
                Some(Ok(Message::Close(Some(close)))) => return Some((close.code, close.reason.to_string())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    };
    tokio::time::timeout(PATIENCE, listening).await.expect("the server closes")
}

async fn send_huge(stream: &mut UnixStream) {
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..HUGE >> 20 {
        let sent = tokio::time::timeout(PATIENCE, stream.write_all(&piece)).await;
        sent.expect("the server takes it").expect("the connection stays");
    }
}

async fn message(stream: &mut UnixStream) -> Value {
    let mut text = Vec::new();
    let reading = async {
        loop {
            match stream.read_u8().await.expect("the connection stays") {
                0 => return,
                byte => text.push(byte),
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("it is answered");
    serde_json::from_slice(&text).expect("the server speaks JSON")
}
