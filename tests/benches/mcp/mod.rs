//! The Model Context Protocol over HTTP: the daemon beside a bare POST echo and beside other servers of the same
//! folder, under the same load, in the same run.

mod bare;
mod contender;
pub(crate) mod http;
mod load;
mod peers;
mod report;
mod stdio;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use self::contender::{Call, Contender, Manner};
pub(crate) use self::report::Figures;
use self::report::Measured;
use crate::daemon::Folder;
use crate::load::{Round, Times};
use crate::server::Server;

/// What `--only` says to have only this.
pub(crate) const ONLY: &str = "mcp";

pub(crate) const LIST: &str = "tools/call fs_list, 50 files";
pub(crate) const NAMES: &str = "tools/call fs_list, 50 files without details";
pub(crate) const TOOLS: &str = "tools/list";

/// All that is asked.
const ASKED: [&str; 3] = [LIST, NAMES, TOOLS];

const CONNECTIONS: [usize; 3] = [1, 16, 64];

/// How many times `llmbasedos stdio` is started, each way.
const STARTS: usize = 20;

/// Measures everything.
pub(crate) async fn run(folder: &Folder, echo: &Path, rounds: u32, times: Times) -> anyhow::Result<Figures> {
    eprintln!("starts of stdio");
    let embedded = stdio::starts(folder, STARTS)?;
    let ours = Contender {
        name: "llmbasedos".to_owned(),
        server: folder.serve()?,
        manner: Manner::Modern { token: folder.token().to_owned() },
        calls: [(LIST, r#"{"path":"/bench/fifty"}"#), (NAMES, r#"{"path":"/bench/fifty","details":false}"#)]
            .map(|(what, arguments)| Call { what, tool: "fs_list", arguments: arguments.to_owned() })
            .to_vec(),
    };
    let attached = stdio::starts(folder, STARTS)?;
    let echo = start_echo(echo, &ours).await?;
    let mut contenders = vec![ours, echo];
    let (peers, mut missing) = peers::start(&folder.path().join("user_files/bench/fifty"));
    for peer in peers {
        match peer.probe(LIST).await {
            Ok(_) => contenders.push(peer),
            Err(error) => missing.push(format!("{} is left out: {error:#}", peer.name)),
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let rss = |contenders: &[Contender]| -> anyhow::Result<Vec<u64>> {
        contenders.iter().map(|contender| contender.server.tree_rss_kib()).collect()
    };
    let bare = bare::listing(&folder.path().join("user_files/bench/fifty"))?;
    let idle = rss(&contenders)?;
    let mut points = Vec::new();
    for what in ASKED {
        for connections in CONNECTIONS {
            eprintln!("{what}, {connections} connections");
            points.push(point(&contenders, what, connections, rounds, times, &mut missing).await?);
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let loaded = rss(&contenders)?;
    let names = contenders.iter().map(|contender| contender.name.clone());
    let memory = names.zip(idle.into_iter().zip(loaded)).map(|(name, (idle, loaded))| (name, idle, loaded));
    Ok(Figures { bare, memory: memory.collect(), points, embedded, attached, missing })
}

/// All contenders in turn, several times; of each the round with the median cost. A peer that breaks under the load has
/// none, and it is said why.
async fn point(
    contenders: &[Contender],
    what: &'static str,
    connections: usize,
    rounds: u32,
    times: Times,
    missing: &mut Vec<String>,
) -> anyhow::Result<Measured> {
    let mut found = Vec::new();
    for contender in contenders {
        let bytes = if contender.has(what) { contender.ask(what).await?.len() } else { 0 };
        found.push((Vec::new(), bytes));
    }
    for _ in 0..rounds {
        for (contender, (found, bytes)) in
            contenders.iter().zip(&mut found).filter(|(contender, _)| contender.has(what))
        {
            match load::measure(contender, what, connections, *bytes, times).await {
                Ok(round) => found.push(round),
                Err(error) if contender.is_peer() => {
                    missing.push(format!(
                        "{} failed at {what}, {connections} connections: {error:#}",
                        contender.name
                    ));
                }
                Err(error) => return Err(error.context(contender.name.clone())),
            }
        }
    }
    let taken =
        |(rounds, bytes): (Vec<Round>, usize)| ((!rounds.is_empty()).then(|| Round::median(rounds)), bytes);
    Ok(Measured { what, connections, rounds: found.into_iter().map(taken).collect() })
}

/// The echo, told how long the daemon's answers are.
async fn start_echo(program: &Path, ours: &Contender) -> anyhow::Result<Contender> {
    let mut command = Command::new(program);
    for what in ASKED {
        let (method, params) = ours.params(what);
        let result = ours.probe(what).await?.len() - "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":}".len();
        command.args(["--answer", method, &params, &result.to_string()]);
    }
    let server = Server::start(&mut command)?;
    Ok(Contender {
        name: "bare POST echo".to_owned(),
        server,
        manner: ours.manner.clone(),
        calls: ours.calls.clone(),
    })
}
