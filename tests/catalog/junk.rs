//! Every method survives params of every wrong kind, as a whole and each by itself: an error that says so, or a
//! success where the schema allows it; and afterwards everything is as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use harness::{Client, Daemon, http, run};
use protocol::{Code, Entry};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::{catalog, sample};

#[test]
fn files() {
    storm("fs");
}

#[test]
fn administration() {
    storm("admin");
}

#[test]
fn prompts() {
    storm("prompts");
}

#[test]
fn models() {
    storm("llm");
}

#[test]
fn mail() {
    storm("mail");
}

#[test]
fn sync_jobs() {
    storm("sync");
}

#[test]
fn workflows() {
    storm("agent");
}

#[test]
fn the_gateways_own() {
    storm("gateway");
}

#[test]
fn every_service_has_a_test_here() {
    assert_eq!(catalog().services(), ["admin", "agent", "fs", "gateway", "llm", "mail", "prompts", "sync"]);
}

/// Calls that are under way at the same time.
const AT_ONCE: usize = 8;

fn storm(service: &'static str) {
    run(async move {
        let mut daemon = Daemon::start().await;
        let before = outside(daemon.dir());
        let client = daemon.unix("gateway").await;
        let mut wrong = Vec::new();
        for entry in catalog().iter().filter(|entry| entry.service == service) {
            for some in probes(entry).chunks(AT_ONCE) {
                wrong.extend(call_all(&client, entry, some).await);
            }
            client.ok("mcp.hello", json!([])).await;
        }
        assert!(wrong.is_empty(), "{} wrong:\n{}\n\n{}", wrong.len(), wrong.join("\n"), log(&daemon));
        check_health(&daemon, &client).await;
        assert_eq!(outside(daemon.dir()), before, "nothing outside the root changed");
        daemon.stop().await;
        assert!(!daemon.log().contains("panicked"), "{}", log(&daemon));
    });
}

/// Everything but what the daemon keeps for itself and what it may change.
fn outside(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let found = fs::read_dir(dir).expect("the daemon's folder").map(|found| found.expect("a file").path());
    let kept = found.filter(|path| path.is_file());
    kept.map(|path| (path.display().to_string(), fs::read(&path).expect("a file that we may read"))).collect()
}

async fn check_health(daemon: &Daemon, client: &Client) {
    let health = client.ok("mcp.admin.health", json!({})).await;
    assert_eq!(health["status"], "ok", "{health}");
    let stats = client.ok("mcp.admin.stats", json!({})).await;
    assert_eq!(stats["restarts"], 0, "an actor died:\n{}", log(daemon));
    assert_eq!(http::get(&daemon.address, "/healthz", &[]).await.status, 200);
}

/// The log, as much of it as one can read.
fn log(daemon: &Daemon) -> String {
    daemon.log().lines().map(|line| line.chars().take(500).chain(['\n']).collect::<String>()).collect()
}

/// What is sent as params: JSON text, or nothing.
type Params = Option<String>;

/// Everything that one method is sent.
fn probes(entry: &Entry) -> Vec<Params> {
    static LARGE: LazyLock<[String; 3]> = LazyLock::new(sample::large);
    static LARGER: LazyLock<[String; 3]> = LazyLock::new(sample::larger);
    let small = || sample::SMALL.iter().map(|text| (*text).to_owned());
    let mut probes: Vec<Params> = vec![None];
    // As a whole, and as a list of the right length or more.
    probes.extend(small().map(Some));
    probes.extend(LARGE.iter().chain(LARGER.iter()).cloned().map(Some));
    for junk in small() {
        let all = vec![junk; entry.positions.len() + 1];
        probes.push(Some(format!("[{}]", all[1..].join(","))));
        probes.push(Some(format!("[{}]", all.join(","))));
    }
    // Members that nobody knows, beside those that must be there.
    let text = if entry.effect.read_only { "/" } else { "/probe" };
    let base = sample::required(&entry.params(), text);
    for name in ["no_such_parameter", "", "__proto__", "path\u{0}"] {
        let mut all = base.clone();
        all.insert(name.into(), json!(1));
        probes.push(Some(Value::Object(all).to_string()));
    }
    // Each by itself, by name and by position, all others as they should be.
    for (at, name) in entry.positions.iter().enumerate() {
        let others: Vec<_> = base.iter().filter(|(other, _)| *other != name).collect();
        let others: Vec<_> = others.iter().map(|(other, value)| member(other, &value.to_string())).collect();
        // All that is large but a string is refused the same way everywhere.
        let large = LARGE.iter().take(if at == 0 { LARGE.len() } else { 1 });
        for junk in small().chain(large.cloned()) {
            let members = [others.as_slice(), &[member(name, &junk)]].concat();
            probes.push(Some(format!("{{{}}}", members.join(","))));
        }
        let declared = entry.params();
        let fitting = |name: &String| sample::fitting(&declared["properties"][name], text).to_string();
        let before: Vec<_> = entry.positions[..at].iter().map(fitting).collect();
        for junk in small() {
            probes.push(Some(format!("[{}]", [before.as_slice(), &[junk]].concat().join(","))));
        }
    }
    probes
}

fn member(name: &str, value: &str) -> String {
    format!("{}:{value}", json!(name))
}

/// Makes some calls at once and says what is wrong with the answers.
async fn call_all(client: &Client, entry: &Entry, probes: &[Params]) -> Vec<String> {
    for (id, params) in probes.iter().enumerate() {
        let params = params.as_ref().map_or_else(String::new, |text| format!(",\"params\":{text}"));
        let name = &entry.name;
        assert!(client.send(format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"{name}"{params}}}"#)).await);
        if entry.limit.is_some() {
            // It may be one that goes on until it is told to stop.
            client.ok("mcp.cancel", json!({ "id": id.to_string() })).await;
        }
    }
    let (mut waiting, mut wrong) = (probes.len(), Vec::new());
    while waiting > 0 {
        let answer = client.stray().await.expect("the connection lives");
        let Some(id) = answer["id"].as_str() else {
            assert_eq!(answer["method"], "mcp.progress", "{answer}");
            continue;
        };
        let params = &probes[id.parse::<usize>().expect("an id of ours")];
        if let Some(complaint) = complaint(entry, params.as_deref(), &answer) {
            let shown: String = params.as_deref().unwrap_or("no params").chars().take(200).collect();
            let answer: String = answer.to_string().chars().take(400).collect();
            wrong.push(format!("{} {shown}: {complaint}: {answer}", entry.name));
        }
        waiting -= 1;
    }
    wrong
}

/// What is wrong with an answer.
fn complaint(entry: &Entry, params: Option<&str>, answer: &Value) -> Option<String> {
    let raw = params.map(|text| serde_json::from_str::<&RawValue>(text).expect("JSON, as far as it goes"));
    let structured = params.is_none_or(|text| text.starts_with(['[', '{']));
    let fits = structured && entry.read(raw).is_ok();
    let Some(error) = answer.get("error") else {
        return (!fits).then(|| "succeeded".into());
    };
    let (number, message) = (error["code"].as_i64(), error["message"].as_str().unwrap_or_default());
    let Some(code) = Code::ALL.iter().find(|code| Some(i64::from(code.number())) == number) else {
        return Some("the code is not in the table".into());
    };
    let expected = match code {
        Code::InvalidParams => true,
        Code::FsPath | Code::FsPermission | Code::FsConflict | Code::FsNoSpace | Code::TooLarge => fits,
        // No model is configured there.
        Code::LlmNoModel => fits && entry.service == "llm",
        // Nor is an account; and what is random is hardly ever a calendar.
        Code::MailAccount | Code::MailCalendar => fits && entry.service == "mail",
        // No remote is configured there, and nothing is in the roots.
        Code::SyncJob | Code::SyncRefused => fits && entry.service == "sync",
        // There are no workflows there, and no runs.
        Code::AgentWorkflow | Code::AgentRun | Code::AgentInputs => fits && entry.service == "agent",
        // It was cancelled right behind, perhaps before its params were read.
        Code::Cancelled => entry.limit.is_some(),
        _ => false,
    };
    if !expected {
        Some("another error was due".into())
    } else if message.is_empty() || message.len() > 4096 {
        Some(format!("a message of {} bytes", message.len()))
    } else {
        None
    }
}
