//! Every actor of the tree, killed and made to panic while others call: the service is back within 50 ms, and
//! nobody loses more than what the victim had in hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::{Daemon, until};
use serde_json::{Value, json};

use crate::line::{Door, Line};
use crate::load::{Call, Mishap};
use crate::probe::{Probe, Through, median};
use crate::scene::Scene;
use crate::script;

/// The promise, as a caller sees it.
const BACK_WITHIN: Duration = Duration::from_millis(50);

/// How often each actor falls in each way.
const ROUNDS: usize = 3;

const SESSIONS: &str = "root/edges/sessions/";

/// What the calls under way at an actor's death may come to.
enum Loses {
    /// They are answered as ever.
    Nothing,
    /// These may be answered with an error that says that they were cut off, or never begun.
    Calls(&'static [Call]),
    /// The connection of this number may end.
    Connection(usize),
    /// All connections may end.
    Connections,
}

/// What an actor's death means to callers.
struct Expected {
    loses: Loses,
    through: Through,
    asks: (&'static str, Value),
}

/// What one fall cost.
struct Fall {
    /// The longest time without a good answer while nothing fell, just before: a busy machine is not our fault.
    usual: Duration,
    /// The longest time without a good answer around the fall.
    silence: Duration,
    /// Calls that failed.
    lost: usize,
}

#[test]
fn any_actor_may_be_killed_or_panic() {
    script(async {
        let mut falls = BTreeMap::<String, Vec<Fall>>::new();
        let everyone = Scene::start().await.everyone().await;
        for how in ["kill", "panic"].repeat(ROUNDS) {
            for victims in groups(&everyone) {
                let scene = Scene::start().await;
                for victim in victims {
                    let fall = scene.falls(&victim, how).await;
                    falls.entry(victim).or_default().push(fall);
                }
                scene.end().await.stop().await;
            }
        }
        println!(
            "{:<32} {:>6} {:>12} {:>12} {:>12}",
            "", "falls", "p50 silence", "max silence", "calls lost"
        );
        let mut late = Vec::new();
        let all = median(falls.values().flatten().map(Fall::out).collect());
        for (victim, falls) in falls {
            let mut silences: Vec<Duration> = falls.iter().map(|fall| fall.silence).collect();
            silences.sort_unstable();
            let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
            let (middle, longest) = (ms(silences[silences.len() / 2]), ms(silences[silences.len() - 1]));
            let lost: usize = falls.iter().map(|fall| fall.lost).sum();
            println!("{victim:<32} {:>6} {middle:>12} {longest:>12} {lost:>12}", falls.len());
            let mut outs: Vec<Duration> = falls.iter().map(Fall::out).collect();
            outs.sort_unstable();
            // Of the few falls of one actor not the median: other programs on the machine lengthen half of them,
            // but whatever our own restart takes is in the shortest too.
            if outs[outs.len() / 4] > BACK_WITHIN {
                late.push((victim, outs));
            }
        }
        println!("median over all falls, less what is usual: {all:?}");
        assert!(all <= BACK_WITHIN && late.is_empty(), "{all:?}; not back within {BACK_WITHIN:?}: {late:?}");
    });
}

#[test]
fn the_trail_of_calls_outlasts_the_ledger() {
    script(async {
        let daemon = Daemon::start().await;
        let client = daemon.unix("gateway").await;
        let db = rusqlite::Connection::open(daemon.dir().join("state/llmbasedos.db")).expect("it opens");
        for (number, how) in (1_i64..).zip(["kill", "panic", "kill", "panic"]) {
            // One call, and the ledger falls before it has written that down. Nobody calls after that.
            client.ok("mcp.fs.write", json!(["/a.txt", "x"])).await;
            client.ok("mcp.admin.restart", json!({ "id": "ledger", "how": how })).await;
            until("the call is written down", async || {
                let query = "SELECT count(*) FROM audit WHERE method = 'mcp.fs.write'";
                db.query_row(query, [], |row| row.get(0)) == Ok(number)
            })
            .await;
        }
    });
}

#[test]
fn without_a_root_the_process_ends_with_a_code_that_has_it_restarted() {
    script(async {
        for how in ["kill", "panic"] {
            let Scene { mut daemon, load, watcher, _toy } = Scene::start().await;
            load.settle().await;
            // Whatever is answered, or nothing: the process is about to end.
            let _ = watcher.call("mcp.admin.restart", json!({ "id": "root", "how": how })).await;
            let status = daemon.ended().await;
            assert_eq!(status.code(), Some(1), "{how}: {status}\n{}", daemon.log());
            assert!(daemon.log().contains("the supervision tree gave up"), "{}", daemon.log());
            for mishap in load.mishaps() {
                assert!(mishap.is_gone() || mishap.says_so(), "{how}: {mishap:?}");
            }
            drop((load, watcher));
            let daemon = daemon.again().await;
            assert_eq!(daemon.unix("gateway").await.ok("mcp.admin.health", json!({})).await["status"], "ok");
        }
    });
}

/// Divides the victims among daemons so that no supervisor has to restart more often than it is willing to, and
/// nobody twice: a second failure within a minute is answered with a pause, which is meant to be one.
fn groups(everyone: &[String]) -> Vec<Vec<String>> {
    let mut groups = Vec::<Vec<String>>::new();
    for path in everyone {
        let (above, _) = path.rsplit_once('/').expect("the root is another matter");
        let allowed = if above == "root" { 3 } else { 5 };
        let siblings = |group: &[String]| {
            group.iter().filter(|other| other.rsplit_once('/').is_some_and(|(its, _)| its == above)).count()
        };
        match groups.iter_mut().find(|group| siblings(group) < allowed) {
            Some(group) => group.push(path.clone()),
            None => groups.push(vec![path.clone()]),
        }
    }
    groups
}

impl Scene {
    /// Every actor below the root, workers before their supervisors, and one session of each kind.
    async fn everyone(&self) -> Vec<String> {
        let mut all = Vec::new();
        collect(&self.watcher.eventually("mcp.admin.tree", json!({})).await, &mut all);
        all.sort_by_key(|path| std::cmp::Reverse(path.matches('/').count()));
        all
    }

    /// Makes `victim` fall and waits until it is back.
    async fn falls(&self, victim: &str, how: &str) -> Fall {
        let path = self.path(victim).await;
        let Expected { loses, through, asks: (method, params) } = self.expected(victim);
        let mut probe = Probe::start(through, method, params);
        probe.good_since(Instant::now()).await;

        let moment = Instant::now();
        self.healthy().await;
        probe.good_since(Instant::now()).await;
        self.load.settle().await;
        let usual = probe.longest_silence_since(moment);
        assert_eq!(self.load.mishaps().len(), 0, "before {victim} falls");

        let moment = Instant::now();
        self.fell(&path, how).await;
        probe.good_since(Instant::now()).await;
        self.load.settle().await;
        let silence = probe.longest_silence_since(moment);
        drop(probe);
        let mishaps = self.load.mishaps();
        for mishap in &mishaps {
            assert!(loses.covers(mishap), "{how} {victim}: {mishap:?}\n{}", self.daemon.log());
        }
        self.healthy().await;
        Fall { usual, silence, lost: mishaps.len() }
    }

    /// Where `victim` is in the tree: sessions have numbers.
    async fn path(&self, victim: &str) -> String {
        let Some(kind) = victim.strip_prefix(SESSIONS).and_then(|kind| kind.strip_suffix("-*")) else {
            return victim.to_owned();
        };
        // The first at the UNIX sockets is the one who watches; see `expected` for whom this hits.
        let number = self.sessions(kind).await[usize::from(kind == "unix")];
        format!("{SESSIONS}{kind}-{number}")
    }

    /// What may happen when `victim` falls. An actor that is not here has no test: think, and add it.
    fn expected(&self, victim: &str) -> Expected {
        let stat = || ("mcp.fs.stat", json!(["/"]));
        let hello = || ("mcp.hello", json!({}));
        let kept = |door: Door| Through::Kept(Arc::new(Line::new(door)));
        let ws = || Door::ws(&self.daemon);
        let unix = |name| Door::unix(&self.daemon, name);
        let expected = |loses, through, asks| Expected { loses, through, asks };
        let (files, admin): (&'static [Call], &'static [Call]) =
            (&[Call::Read, Call::Write], &[Call::Health]);
        match victim {
            "root/services" => {
                let calls = &[Call::Read, Call::Write, Call::Health];
                expected(Loses::Calls(calls), kept(ws()), stat())
            }
            "root/services/fs" => expected(Loses::Calls(files), kept(ws()), stat()),
            "root/services/sweeper" | "root/services/embedding" | "root/services/index" => {
                expected(Loses::Nothing, kept(ws()), stat())
            }
            // Nobody in the scene asks for prompts; the probe does.
            "root/services/prompts" | "root/services/prompts-watch" => {
                expected(Loses::Nothing, kept(ws()), ("mcp.prompts.list", json!({})))
            }
            "root/services/llm" | "root/services/models-watch" => {
                expected(Loses::Nothing, kept(ws()), ("mcp.llm.models", json!({})))
            }
            "root/services/admin" => {
                expected(Loses::Calls(admin), kept(unix("admin")), ("mcp.admin.stats", json!({})))
            }
            "root/backends" | "root/backends/toy" => {
                expected(Loses::Calls(&[Call::Echo]), kept(ws()), ("mcp.toy.echo", json!(["probe"])))
            }
            "root/backends/discovery" => {
                expected(Loses::Nothing, kept(ws()), ("mcp.toy.echo", json!(["probe"])))
            }
            // Requests are admitted where they come in, so nobody waits for these.
            "root/gateway" | "root/gateway/ledger" | "root/edges/unix-http" => {
                expected(Loses::Nothing, kept(ws()), hello())
            }
            "root/edges" | "root/edges/sessions" => {
                expected(Loses::Connections, Through::Fresh(ws()), hello())
            }
            "root/edges/sessions/ws-*" => {
                expected(Loses::Connection(0), Through::Kept(Arc::clone(&self.load.lines[0])), hello())
            }
            "root/edges/sessions/unix-*" => {
                expected(Loses::Connection(2), Through::Kept(Arc::clone(&self.load.lines[2])), hello())
            }
            "root/gateway/auth" | "root/edges/http" => {
                expected(Loses::Nothing, Through::Fresh(ws()), hello())
            }
            "root/edges/unix-gateway" => expected(Loses::Nothing, Through::Fresh(unix("gateway")), hello()),
            "root/edges/unix-fs" => expected(Loses::Nothing, Through::Fresh(unix("fs")), stat()),
            "root/edges/unix-admin" => {
                let asks = ("mcp.admin.stats", json!({}));
                expected(Loses::Nothing, Through::Fresh(unix("admin")), asks)
            }
            "root/services/mail"
            | "root/services/mail-accounts"
            | "root/services/mail-accounts-watch"
            | "root/services/mail-accounts/clerk" => {
                let asks = ("mcp.mail.listAccounts", json!({}));
                expected(Loses::Nothing, kept(ws()), asks)
            }
            "root/services/sync" | "root/services/sync-jobs" | "root/services/rclone" => {
                let asks = ("mcp.sync.listJobs", json!({}));
                expected(Loses::Nothing, kept(ws()), asks)
            }
            "root/edges/unix-sync" => {
                let asks = ("mcp.sync.listJobs", json!({}));
                expected(Loses::Nothing, Through::Fresh(unix("sync")), asks)
            }
            "root/services/agent"
            | "root/services/agent-runs"
            | "root/services/agent-runs/agent-clerk"
            | "root/services/agent-runs/agent-clock"
            | "root/services/agent-runs/agent-triggers"
            | "root/services/workflows-watch" => {
                let asks = ("mcp.agent.listWorkflows", json!({}));
                expected(Loses::Nothing, kept(ws()), asks)
            }
            "root/edges/unix-agent" => {
                let asks = ("mcp.agent.listWorkflows", json!({}));
                expected(Loses::Nothing, Through::Fresh(unix("agent")), asks)
            }
            "root/edges/unix-mail" => {
                let asks = ("mcp.mail.listAccounts", json!({}));
                expected(Loses::Nothing, Through::Fresh(unix("mail")), asks)
            }
            "root/edges/unix-llm" => {
                let asks = ("mcp.llm.models", json!({}));
                expected(Loses::Nothing, Through::Fresh(unix("llm")), asks)
            }
            "root/edges/unix-prompts" => {
                let asks = ("mcp.prompts.list", json!({}));
                expected(Loses::Nothing, Through::Fresh(unix("prompts")), asks)
            }
            unknown => panic!("{unknown} is in the tree and not in this test: who may notice its death?"),
        }
    }
}

impl Fall {
    /// How much longer than usual there was no good answer.
    fn out(&self) -> Duration {
        self.silence.saturating_sub(self.usual)
    }
}

impl Loses {
    fn covers(&self, mishap: &Mishap) -> bool {
        match self {
            Self::Nothing => false,
            Self::Calls(calls) => mishap.says_so() && calls.contains(&mishap.call),
            Self::Connection(line) => mishap.is_gone() && mishap.line == *line,
            Self::Connections => mishap.is_gone(),
        }
    }
}

/// The paths of all actors below `node`, with one name for all sessions of a kind.
fn collect(node: &Value, all: &mut Vec<String>) {
    for child in node["children"].as_array().into_iter().flatten() {
        let mut path = child["path"].as_str().expect("every actor has a path").to_owned();
        if path.contains("sessions/") {
            path.truncate(path.rfind('-').expect("sessions have numbers") + 1);
            path.push('*');
        }
        if !all.contains(&path) {
            all.push(path);
        }
        collect(child, all);
    }
}
