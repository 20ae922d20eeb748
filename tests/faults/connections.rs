//! Connections that come and go in every bad way: half a header, half a handshake, half a frame, no word at all.

use harness::{Client, Daemon, PATIENCE, Setup, http, until};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::line::{Door, Line};
use crate::vitals::{MIB, Vitals, mib};
use crate::{raw, script};

/// Connections at one time; the rest of the thousand comes after them.
const WAVE: usize = 100;

/// What the heap may keep after thousands of connections, and no more.
const GROWTH_MAX: u64 = 8 * MIB;

#[test]
fn a_thousand_connections_dropped_in_the_middle_leave_nothing_behind() {
    script(async {
        let mut daemon = Daemon::start().await;
        let client = daemon.unix("gateway").await;
        // Answered, so accepted.
        client.ok("mcp.hello", json!({})).await;
        // Whoever looks for backends reads what describes our own services too, soon after the start.
        let reads = |vitals: &Vitals| vitals.files.keys().any(|file| file.ends_with(".cap.json"));
        until("nobody reads capability files", async || !reads(&Vitals::of(&daemon))).await;
        let idle = Vitals::of(&daemon);
        let mut seen = Vec::new();
        // The first thousand warms up the heap; what the others add would be a leak.
        for thousand in 0..4 {
            for _ in 0..1000 / WAVE {
                let mut wave = JoinSet::new();
                for number in 0..WAVE {
                    wave.spawn(drop_in_the_middle(Doors::of(&daemon), number));
                }
                wave.join_all().await;
            }
            alone(&client).await;
            let vitals = Vitals::of(&daemon);
            println!("{} connections: {}", (thousand + 1) * 1000, mib(vitals.resident));
            seen.push(vitals);
        }
        let (first, last) = (&seen[0], &seen[3]);
        // The kernel closes a socket a moment after its place is free.
        until(&format!("as many files are open as before: {:?}", idle.files), async || {
            Vitals::of(&daemon).files == idle.files
        })
        .await;
        assert_eq!(first.threads_but_workers(), last.threads_but_workers());
        assert!(last.resident < first.resident + GROWTH_MAX, "{first:?} {last:?}");
        // One that the kernel had queued may have been let in, and out again, since.
        alone(&client).await;
        assert_eq!(client.ok("mcp.admin.health", json!({})).await["status"], "ok");
        daemon.stop().await;
    });
}

#[test]
fn as_many_connections_as_allowed_and_places_come_back() {
    script(async {
        let settings = "limits:\n  connections: 4\n".to_owned();
        let mut daemon = Setup { settings, ..Setup::default() }.start().await;
        let watcher = daemon.unix("gateway").await;
        for _ in 0..25 {
            let one = daemon.client().await;
            let two = daemon.client().await;
            let three = daemon.unix("fs").await;
            one.ok("mcp.hello", json!({})).await;
            two.ok("mcp.hello", json!({})).await;
            three.ok("mcp.fs.stat", json!(["/"])).await;
            let refused = http::get(&daemon.address, "/healthz", &[]).await;
            assert_eq!(refused.status, 503, "{refused:?}");
            assert!(refused.body.contains("limits.connections"), "{refused:?}");
            let fifth = daemon.unix("gateway").await;
            let refused = fifth.stray().await.expect("it is told why");
            assert_eq!(refused["error"]["code"], -32064, "{refused}");
            fifth.ended().await;
            // Those inside notice nothing.
            one.ok("mcp.hello", json!({})).await;
            three.ok("mcp.fs.stat", json!(["/"])).await;
            drop((one, two, three, fifth));
            alone(&watcher).await;
        }
        assert!(daemon.log().contains("limits.connections"), "{}", daemon.log());
        daemon.stop().await;
    });
}

#[test]
fn whoever_does_not_say_who_they_are_is_shown_out() {
    script(async {
        let settings = "limits:\n  handshake_seconds: 1\n".to_owned();
        let mut daemon = Setup { settings, ..Setup::default() }.start().await;
        let client = daemon.unix("gateway").await;
        for said in ["", "GET /ws HTTP/1.1\r\nHost: 127", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"]
        {
            let mut stream = TcpStream::connect(&daemon.address).await.expect("the TCP door is open");
            stream.write_all(said.as_bytes()).await.expect("it takes bytes");
            let mut heard = Vec::new();
            let end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut heard)).await;
            assert!(end.is_ok(), "still connected after {said:?}");
        }
        alone(&client).await;
        daemon.stop().await;
    });
}

/// Waits until `client` has the only connection.
async fn alone(client: &Client) {
    until("no connection but this one is left", async || {
        client.ok("mcp.admin.stats", json!({})).await["calls"]["connections"] == 1
    })
    .await;
}

/// What a client needs to get in.
struct Doors {
    ws: Door,
    gateway: Door,
    address: String,
    upgrade: String,
    socket: std::path::PathBuf,
}

impl Doors {
    fn of(daemon: &Daemon) -> Self {
        Self {
            ws: Door::ws(daemon),
            gateway: Door::unix(daemon, "gateway"),
            address: daemon.address.clone(),
            upgrade: raw::upgrade(daemon),
            socket: daemon.dir().join("run").join("fs.sock"),
        }
    }
}

/// Connects, goes so far and no further.
async fn drop_in_the_middle(doors: Doors, number: usize) {
    let request = raw::request(1, "mcp.fs.stat", &json!(["/"]));
    let tcp = async |bytes: &[u8]| {
        let mut stream = TcpStream::connect(&doors.address).await.expect("the TCP door is open");
        // The server may have hung up already.
        let _ = stream.write_all(bytes).await;
        stream
    };
    let unix = async |bytes: &[u8]| {
        let mut stream = tokio::net::UnixStream::connect(&doors.socket).await.expect("the door is open");
        let _ = stream.write_all(bytes).await;
    };
    let half = |text: &str| text.as_bytes()[..text.len() / 2].to_vec();
    match number % 10 {
        0 => drop(tcp(b"").await),
        1 => drop(tcp(&half(&doors.upgrade)).await),
        2 => drop(tcp(doors.upgrade.as_bytes()).await),
        3 => {
            let frame = raw::frame(&request);
            drop(tcp(&[doors.upgrade.as_bytes(), &frame[..frame.len() / 2]].concat()).await);
        }
        4 => {
            let mut stream = tcp(&[doors.upgrade.as_bytes(), &raw::frame(&request)].concat()).await;
            let _ = stream.read_u8().await;
        }
        5 => drop(tcp(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await),
        6 => unix(b"").await,
        7 => unix(&half(&request)).await,
        8 => unix(format!("{request}\0{}", &request[..request.len() / 2]).as_bytes()).await,
        _ => {
            // In the middle of eight calls.
            let door = if number % 20 < 10 { doors.ws } else { doors.gateway };
            let line = Line::new(door);
            let calls = (0..8).map(|_| line.call("mcp.fs.list", json!(["/"])));
            let mut calls: Vec<_> = calls.map(Box::pin).collect();
            let _ = futures_util::future::select_all(calls.iter_mut()).await;
        }
    }
}
