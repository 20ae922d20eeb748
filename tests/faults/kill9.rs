//! SIGKILL in the middle of a storm of writes, again and again: what was acknowledged is there, whole.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use harness::client::gone;
use harness::{Client, Daemon, Setup};
use rusqlite::Connection;
use rustix::process::Signal;
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::script;

const ROUNDS: u64 = 20;

const WRITERS: u64 = 8;

/// Counters that must outlast the process are kept only for callers that have a limit.
const TIERS: &str = "
ELITE:
  rate_limit_requests: 100000000
  rate_limit_window_seconds: 86400
  allowed_capabilities: ['*']
  llm_access: true
  allowed_llm_models: ['*']
";

/// One write, as its writer knows it.
#[derive(Clone, Debug)]
struct Write {
    writer: u64,
    number: u64,
    /// When it was begun, by a clock that counts events.
    begun: u64,
    /// When it was acknowledged, if it was.
    acknowledged: Option<u64>,
}

/// All that was written to each file, and since when.
#[derive(Default)]
struct Record {
    clock: AtomicU64,
    files: Mutex<BTreeMap<String, Vec<Write>>>,
    acknowledged: AtomicU64,
    told: Notify,
}

#[test]
fn what_was_acknowledged_outlasts_a_kill_whole() {
    script(async {
        let mut dice = fastrand::Rng::new();
        println!("dice: {}", dice.get_seed());
        let mut daemon = Setup { tiers: Some(TIERS.to_owned()), ..Setup::default() }.start().await;
        let record = Arc::new(Record::default());
        let (mut in_flight, mut slowest) = (0, std::time::Duration::ZERO);
        for round in 0..ROUNDS {
            let mut writers = JoinSet::new();
            for writer in 0..WRITERS {
                let client = if writer % 2 == 0 { daemon.client().await } else { daemon.unix("fs").await };
                writers.spawn(Arc::clone(&record).keep_writing(client, writer, round));
            }
            record.acknowledges(dice.u64(1..80)).await;
            daemon.signal(Signal::KILL);
            daemon.ended().await;
            for cut_off in writers.join_all().await {
                in_flight += cut_off;
            }
            for socket in ["gateway", "fs", "mail", "sync", "admin", "prompts", "llm", "agent"] {
                let socket = daemon.dir().join("run").join(format!("{socket}.sock"));
                assert!(socket.exists(), "the kill leaves a stale socket behind");
            }
            state_is_sound(daemon.dir(), round);
            let begun = Instant::now();
            daemon = daemon.again().await;
            slowest = slowest.max(begun.elapsed());
            record.check(&daemon).await;
        }
        let acknowledged = record.acknowledged.load(Ordering::SeqCst);
        println!(
            "{ROUNDS} kills, {acknowledged} writes acknowledged, 0 lost, 0 torn; {in_flight} cut off in flight; \
             {} drafts left for the sweep; ready again within {slowest:?}",
            drafts(&daemon.dir().join("user_files")),
        );
        daemon.stop().await;
    });
}

impl Record {
    /// Writes to a file of its own and to files that all share until the connection is gone; how many writes were
    /// cut off.
    async fn keep_writing(self: Arc<Self>, client: Client, writer: u64, round: u64) -> usize {
        for turn in 0.. {
            let number = round * 1_000_000 + turn;
            let path = match number % 3 {
                0 => format!("/own-{writer}.txt"),
                1 => format!("/shared-{}.txt", number % 2),
                _ => format!("/deep/{}/shared.txt", number % 5),
            };
            let content = content(writer, number);
            let begun = self.clock.fetch_add(1, Ordering::SeqCst);
            let at = {
                let mut files = self.files.lock().expect("no holder panics");
                let writes = files.entry(path.clone()).or_default();
                writes.push(Write { writer, number, begun, acknowledged: None });
                writes.len() - 1
            };
            let params = json!({ "path": path, "content": content, "create_parents": true });
            match client.call("mcp.fs.write", params).await {
                Ok(_) => {
                    let now = self.clock.fetch_add(1, Ordering::SeqCst);
                    let mut files = self.files.lock().expect("no holder panics");
                    files.get_mut(&path).expect("it was begun")[at].acknowledged = Some(now);
                    drop(files);
                    self.acknowledged.fetch_add(1, Ordering::SeqCst);
                    self.told.notify_waiters();
                }
                Err(error) if error == gone() => return 1,
                Err(error) => panic!("{path}: {error}"),
            }
        }
        0
    }

    /// Waits for so many further acknowledgements.
    async fn acknowledges(&self, more: u64) {
        let enough = self.acknowledged.load(Ordering::SeqCst) + more;
        let acknowledged = async {
            loop {
                let mut told = std::pin::pin!(self.told.notified());
                told.as_mut().enable();
                if self.acknowledged.load(Ordering::SeqCst) >= enough {
                    return;
                }
                told.await;
            }
        };
        tokio::time::timeout(harness::PATIENCE, acknowledged).await.expect("writes are acknowledged");
    }

    /// Reads every file as callers do and as the machine has it. From here on only what was found counts.
    async fn check(&self, daemon: &Daemon) {
        let client = daemon.client().await;
        let mut files = std::mem::take(&mut *self.files.lock().expect("no holder panics"));
        for (path, writes) in &mut files {
            let read = client.call("mcp.fs.read", json!({ "path": path })).await;
            let acknowledged = writes.iter().filter_map(|write| Some((write.begun, write.acknowledged?)));
            let found = match read {
                Ok(read) => read["content"].as_str().expect("text").to_owned(),
                Err(error) => {
                    assert_eq!(error["data"]["kind"], "not_found", "{path}: {error}");
                    assert_eq!(acknowledged.count(), 0, "{path} is lost");
                    writes.clear();
                    continue;
                }
            };
            let on_disk = std::fs::read_to_string(daemon.file(&path[1..])).expect("it was read just now");
            assert!(on_disk == found, "{path}: what is read is what is there");
            let (writer, number) = signature(&found).unwrap_or_else(|| panic!("{path} is torn: {found:.80}"));
            assert!(content(writer, number) == found, "{path} is torn: {found:.80}");
            let write = writes.iter().find(|write| (write.writer, write.number) == (writer, number));
            let write =
                write.unwrap_or_else(|| panic!("{path}: nobody wrote {writer} {number} there")).clone();
            // A write that was acknowledged before another was begun must not outlast that one.
            let ended = write.acknowledged.unwrap_or(u64::MAX);
            let later = acknowledged.filter(|(begun, _)| *begun > ended).count();
            assert_eq!(later, 0, "{path}: {later} acknowledged writes after {write:?} are lost");
            let now = self.clock.fetch_add(1, Ordering::SeqCst);
            *writes = vec![Write { acknowledged: Some(now), ..write }];
        }
        for dir in ["/", "/deep"] {
            let Ok(listed) = client.call("mcp.fs.list", json!([dir])).await else { continue };
            for entry in listed.as_array().expect("entries") {
                let name = entry["name"].as_str().expect("a name");
                assert!(!name.contains("tmp"), "{dir} shows {name}");
            }
        }
        assert_eq!(client.ok("mcp.admin.health", json!({})).await["status"], "ok");
        files.retain(|_, writes| !writes.is_empty());
        *self.files.lock().expect("no holder panics") = files;
    }
}

/// What `writer` writes in its turn `number`: who, what, how long, and that much of what nobody else writes.
fn content(writer: u64, number: u64) -> String {
    let mut dice = fastrand::Rng::with_seed(writer << 48 | number);
    let length = [20, 3_000, 50_000, 400_000][dice.usize(..4)];
    let mut body = String::with_capacity(length);
    for _ in 0..length / 10 {
        writeln!(body, "{:09x}", dice.u64(..1 << 36)).expect("a string takes it");
    }
    format!("{writer} {number} {}\n{body}", body.len())
}

/// Writer and number in a content's first line.
fn signature(content: &str) -> Option<(u64, u64)> {
    let mut words = content.lines().next()?.split(' ').map(str::parse);
    Some((words.next()?.ok()?, words.next()?.ok()?))
}

/// The file that holds counters and the trail is whole, and so is what is in it. A first life may be shorter than the
/// quarter of a second after which the ledger writes; all of them together are not.
fn state_is_sound(dir: &Path, round: u64) {
    let db = Connection::open(dir.join("state/llmbasedos.db")).expect("the state file opens");
    let ask = |query: &str| db.query_row(query, [], |row| row.get(0)).expect("it can be read");
    let audit: i64 = ask("SELECT count(*) FROM audit WHERE calls > 0");
    let rates: i64 = ask("SELECT count(*) FROM rates WHERE remaining >= 0");
    let verdict: String =
        db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("it can be read");
    assert_eq!(verdict, "ok");
    assert!(round + 1 < ROUNDS || audit > 0 && rates > 0, "{audit} rows of audit, {rates} of rates");
}

/// How many unfinished files lie around.
fn drafts(dir: &Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(dir).expect("it is there").flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(".llmbasedos-tmp-") {
            count += 1;
        } else if entry.path().is_dir() {
            count += drafts(&entry.path());
        }
    }
    count
}
