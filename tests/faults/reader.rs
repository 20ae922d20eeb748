//! A reader that never reads: it asks for megabyte after megabyte and takes nothing.

use std::time::{Duration, Instant};

use harness::{PATIENCE, Setup, until};
use serde_json::json;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::line::{Door, Line};
use crate::probe::{Probe, Through};
use crate::vitals::{MIB, Vitals, mib};
use crate::{raw, script};

/// What a stuck reader may cost: its buffer, and the answers that were being made when it was full.
const COST_MAX: u64 = 32 * MIB;

/// What may be left of it once it is gone.
const KEPT_MAX: u64 = 8 * MIB;

/// The allocator keeps what is freed for a second, in case it is wanted again. What counts here is what the daemon
/// itself keeps, so the allocator gives back all and at once.
const HONEST_HEAP: (&str, &str) = ("MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0");

#[test]
fn a_reader_that_never_reads_is_closed_and_costs_nobody_else() {
    script(async {
        let settings = "limits:\n  send_buffer_bytes: 1048576\n".to_owned();
        let environment = vec![(HONEST_HEAP.0, HONEST_HEAP.1.to_owned())];
        let mut daemon = Setup { settings, environment, ..Setup::default() }.start().await;
        std::fs::write(daemon.file("big.txt"), "x".repeat(900_000)).expect("a big file");
        let client = daemon.unix("gateway").await;
        client.ok("mcp.fs.read", json!({ "path": "/big.txt" })).await;
        let idle = Vitals::of(&daemon);
        let line = std::sync::Arc::new(Line::new(Door::ws(&daemon)));
        let mut probe = Probe::start(Through::Kept(line), "mcp.hello", json!({}));
        let begun = Instant::now();
        for turn in 0..6_u64 {
            if turn % 2 == 0 {
                ask_and_never_read(raw::ws(&daemon).await, raw::frame).await;
            } else {
                let delimited = |text: &str| format!("{text}\0").into_bytes();
                ask_and_never_read(raw::unix(&daemon, "gateway").await, delimited).await;
            }
            until("its connection is closed", async || {
                client.ok("mcp.admin.stats", json!({})).await["calls"]["connections"] == 2
            })
            .await;
            println!("reader {turn}: {}", mib(Vitals::of(&daemon).resident));
        }
        probe.good_since(Instant::now()).await;
        let (silence, after) = (probe.longest_silence_since(begun), Vitals::of(&daemon));
        println!(
            "idle {}, peak {}, after {}; others waited at most {silence:?}",
            mib(idle.resident),
            mib(after.resident_peak),
            mib(after.resident),
        );
        assert!(daemon.log().contains("its peer does not read"), "{}", daemon.log());
        assert!(after.resident_peak < idle.resident + COST_MAX, "{idle:?} {after:?}");
        assert!(after.resident < idle.resident + KEPT_MAX, "{idle:?} {after:?}");
        assert!(silence < Duration::from_secs(5), "others waited {silence:?}");
        drop(probe);
        daemon.stop().await;
    });
}

/// Asks until the connection is closed.
async fn ask_and_never_read(mut stream: impl AsyncWrite + Unpin, framed: impl Fn(&str) -> Vec<u8>) {
    let asking = async {
        for id in 0.. {
            let request = raw::request(id, "mcp.fs.read", &json!({ "path": "/big.txt" }));
            if stream.write_all(&framed(&request)).await.is_err() {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("the server closes the connection");
}
