//! The audit trail: who called what, by which way, how it ended and how much it was; never what was in it.

use harness::{Client, Daemon, Setup, Toy, run, until};
use serde_json::{Value, json};

/// What the trail says of one kind of call.
#[derive(Debug, Default, PartialEq)]
struct Row {
    calls: i64,
    bytes_in: i64,
    bytes_out: i64,
}

/// The rows of `caller`'s calls of `method` by `way` that ended with `outcome`, added up.
fn trail(daemon: &Daemon, (caller, way, method, outcome): (&str, &str, &str, &str)) -> Row {
    let sql = "SELECT coalesce(sum(calls), 0), coalesce(sum(bytes_in), 0), coalesce(sum(bytes_out), 0) FROM audit \
               WHERE caller = ?1 AND way = ?2 AND method = ?3 AND outcome = ?4";
    daemon.query(|db| {
        db.query_row(sql, [caller, way, method, outcome], |row| {
            Ok(Row { calls: row.get(0)?, bytes_in: row.get(1)?, bytes_out: row.get(2)? })
        })
    })
}

/// Waits until the trail has `calls` such calls.
async fn written(daemon: &Daemon, calls: i64, of: (&str, &str, &str, &str)) -> Row {
    until(&format!("{calls} of {of:?} in the trail"), async || trail(daemon, of).calls >= calls).await;
    let row = trail(daemon, of);
    assert_eq!(row.calls, calls, "{of:?}");
    row
}

#[test]
fn every_call_is_in_the_trail_with_its_end() {
    run(async {
        let daemon = Daemon::start().await;
        let toy = Toy::start(&daemon.dir().join("run"), "toy");
        daemon.logged("backend connected").await;
        let uid = format!("uid:{}", rustix::process::getuid().as_raw());
        let (owner, local) = (daemon.client().await, daemon.unix("gateway").await);
        let token = daemon.token_for("laptop", &["--allow", "mcp.fs.*"]).await;
        let laptop = Client::ws(&daemon.url(), Some(&token)).await.expect("it gets in");

        let content = "s3cr3t-content".repeat(100);
        owner.ok("mcp.fs.write", json!(["/n4me.txt", content])).await;
        let read = owner.ok("mcp.fs.read", json!(["/n4me.txt"])).await.to_string();
        owner.code("mcp.fs.read", json!(["/m1ssing.txt"])).await;
        owner.code("mcp.fs.read", json!({ "p4th": 1 })).await;
        owner.code("mcp.toy.fail", json!([])).await;
        for _ in 0..50 {
            local.ok("mcp.fs.list", json!(["/"])).await;
        }
        for _ in 0..3 {
            laptop.code("mcp.admin.tree", json!({})).await;
        }
        let (id, _) = owner.begin("mcp.toy.wait", json!(["a"])).await;
        toy.waits("a").await;
        owner.ok("mcp.cancel", json!([id])).await;
        drop(laptop.begin("mcp.fs.list", json!(["/"])).await);
        drop(local.begin("mcp.toy.wait", json!(["b"])).await);
        toy.waits("b").await;
        drop(local);

        let wrote = written(&daemon, 1, ("owner", "ws", "mcp.fs.write", "ok")).await;
        assert!(wrote.bytes_in >= 1400, "{wrote:?}");
        let out = written(&daemon, 1, ("owner", "ws", "mcp.fs.read", "ok")).await;
        assert!(
            out.bytes_out >= 1400 && out.bytes_out <= i64::try_from(read.len()).expect("small"),
            "{out:?}"
        );
        written(&daemon, 1, ("owner", "ws", "mcp.fs.read", "fs_path")).await;
        written(&daemon, 1, ("owner", "ws", "mcp.fs.read", "invalid_params")).await;
        written(&daemon, 1, ("owner", "ws", "mcp.toy.fail", "backend")).await;
        written(&daemon, 50, (&uid, "unix", "mcp.fs.list", "ok")).await;
        written(&daemon, 3, ("laptop", "ws", "mcp.admin.tree", "permission_denied")).await;
        written(&daemon, 1, ("owner", "ws", "mcp.toy.wait", "cancelled")).await;
        written(&daemon, 1, ("owner", "ws", "mcp.cancel", "ok")).await;
        written(&daemon, 1, (&uid, "unix", "mcp.toy.wait", "disconnected")).await;

        for file in ["llmbasedos.db", "llmbasedos.db-wal"] {
            let bytes = std::fs::read(daemon.dir().join("state").join(file)).unwrap_or_default();
            for part in ["s3cr3t", "n4me", "m1ssing", "p4th"] {
                let found = bytes.windows(part.len()).any(|window| window == part.as_bytes());
                assert!(!found, "{part} is in {file}");
            }
        }
        for part in ["s3cr3t", "n4me", "m1ssing", "p4th"] {
            assert!(!daemon.log().contains(part), "{part} is in the log: {}", daemon.log());
        }
    });
}

#[test]
fn what_is_over_a_limit_is_in_the_trail_too() {
    run(async {
        let tiers = "FREE: { rate_limit_requests: 3, allowed_capabilities: ['*'] }\n";
        let setup = Setup {
            licence: Some("FREE:ann:2999-12-31".to_owned()),
            tiers: Some(tiers.to_owned()),
            ..Setup::default()
        };
        let mut daemon = setup.start().await;
        let client = daemon.client().await;
        for call in 0..5 {
            assert_eq!(client.call("mcp.fs.list", json!(["/"])).await.is_ok(), call < 3);
        }
        // Told at the stop at the latest.
        daemon.stop().await;
        let of = |outcome| trail(&daemon, ("owner", "ws", "mcp.fs.list", outcome)).calls;
        assert_eq!((of("ok"), of("rate_limited")), (3, 2));
        let when: Value = daemon.query(|db| {
            db.query_row("SELECT min(at_ms), min(took_us), max(length(request_id)) FROM audit", [], |row| {
                Ok(json!([row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?]))
            })
        });
        assert!(when[0].as_i64() > Some(1_700_000_000_000) && when[2].as_i64() > Some(1), "{when}");
    });
}
