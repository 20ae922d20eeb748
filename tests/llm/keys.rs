//! Keys of providers are seen at the providers and nowhere else, also where a provider repeats them.

use harness::posted::{get, post};
use harness::{Daemon, Play, Setup, Upstream, run};
use serde_json::json;

use crate::{KEY, asks, daemon, model, stream};

/// One that does not look like any provider's.
const PLAIN_KEY: &str = "7f3c9a51be20d864f0c2";

/// Everything that a caller of `alias` is told when the provider repeats the key in each place where it may speak.
async fn said(daemon: &Daemon, upstream: &Upstream, alias: &str, key: &str) -> String {
    let client = daemon.client().await;
    let mut said = String::new();
    let complaint = format!("Incorrect API key provided: {key}.");
    let body = json!({ "error": { "message": complaint, "code": key } }).to_string();
    // What is too long is cut, here in the middle of the key.
    let long = json!({ "error": { "message": format!("{}{key}", "so ".repeat(163)) } }).to_string();
    let plays = [
        Play::status_with(401, &body),
        Play::status_with(400, &long),
        Play::status_with(500, &complaint),
        Play::pieces(5).errs_after(2).complaining(&complaint),
    ];
    let bearer = format!("Bearer {}", daemon.token());
    let token = [("authorization", bearer.as_str())];
    for play in plays {
        for streamed in [false, true] {
            upstream.next(play.clone());
            let options = json!({ "model": alias, "stream": streamed });
            let (chunks, end) = stream(&client, options).await;
            said.extend([format!("{chunks:?}\n"), end.expect_err("it fails").to_string()]);
            client.ok("mcp.llm.chat", asks(&json!({ "model": alias }))).await;

            upstream.next(play.clone());
            let asked = json!({ "model": alias, "stream": streamed, "messages": [{ "role": "user", "content": "Hi" }] });
            let mut answer =
                post(&daemon.address, "/v1/chat/completions", &token, &asked).await.expect("an answer");
            let (bytes, whole) = answer.rest().await;
            assert!(whole && !bytes.is_empty());
            said.extend([format!("{:?}\n", answer.headers), String::from_utf8_lossy(&bytes).into_owned()]);
            client.ok("mcp.llm.chat", asks(&json!({ "model": alias }))).await;
        }
    }
    let (listed, _) = get(&daemon.address, "/v1/models", &token).await.expect("an answer").rest().await;
    said.push_str(&String::from_utf8_lossy(&listed));
    // One that is not well is told about in more places.
    upstream.next(Play::status_with(500, &complaint));
    client.call("mcp.llm.chat", asks(&json!({ "model": alias }))).await.expect_err("it fails");
    said
}

#[test]
fn a_key_is_seen_nowhere_but_at_its_upstream() {
    run(async {
        let upstream = Upstream::start().await;
        let models = [
            model("small", &upstream.v1(), ", retries: 0"),
            model("plain", &upstream.v1(), ", retries: 0").replace("TEST_KEY", "PLAIN_KEY"),
        ];
        let environment = vec![("PLAIN_KEY", PLAIN_KEY.to_owned())];
        let mut daemon = daemon(&models.concat(), Setup { environment, ..Setup::default() }).await;
        let client = daemon.client().await;
        let mut told = String::new();
        for (alias, key) in [("small", KEY), ("plain", PLAIN_KEY)] {
            client.ok("mcp.llm.chat", asks(&json!({ "model": alias }))).await;
            assert!(upstream.last().header("authorization").is_some_and(|shown| shown.contains(key)));
            told.push_str(&said(&daemon, &upstream, alias, key).await);
        }
        for method in
            ["mcp.admin.config", "mcp.admin.tree", "mcp.admin.events", "mcp.llm.models", "mcp.llm.usage"]
        {
            told.push_str(&client.ok(method, json!({})).await.to_string());
        }
        told.push_str(&client.ok("mcp.admin.actor", json!({ "id": "llm" })).await.to_string());
        let doctor = daemon.cli(&["doctor"]).await;
        told.push_str(&harness::daemon::text(&doctor.stdout));
        told.push_str(&harness::daemon::text(&doctor.stderr));
        assert!(told.contains("plain") && told.contains("Incorrect API key provided"), "{told}");
        daemon.stop().await;
        told.push_str(&daemon.log());
        for entry in walk(daemon.dir()) {
            told.push_str(&String::from_utf8_lossy(&std::fs::read(entry).expect("it is read")));
        }
        for key in [KEY, PLAIN_KEY] {
            // A part of a key is too much already.
            let at = told.find(&key[..10]);
            assert_eq!(
                at,
                None,
                "{key}: {}",
                told.get(at.unwrap_or(0).saturating_sub(200)..).unwrap_or_default()
            );
        }
    });
}

/// Every file below a folder.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let files = files.into_iter().filter(|path| path.is_file());
    files.chain(folders.iter().flat_map(|folder| walk(folder))).collect()
}
