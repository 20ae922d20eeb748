//! The bench: the daemon against a bare echo, under the same load, in the same run.
//!
//! `make bench` prints a table for the README. It is no test: it says PASS and MISS and always ends with 0. The
//! measure is processor time of the server per request, because throughput on a shared machine says more about
//! its neighbours; every figure is the median of several rounds in which the two take turns.

#![expect(clippy::print_stdout, reason = "the table is the program's output")]

mod daemon;
mod idle;
mod installed;
mod llm;
mod load;
mod mcp;
mod report;
mod server;
mod wire;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::daemon::Folder;
use crate::load::{Point, Round, Target, Times};
use crate::report::{HELLO, LIST, Measured, READ_1K, READ_4K, Report, STAT};
use crate::server::Server;
use crate::wire::{Connection, Door, Requests};

/// Measures llmbasedos under load and idle, beside a bare WebSocket echo.
#[derive(Parser)]
struct Options {
    /// Load per point and server, in seconds, all rounds together.
    #[arg(long, default_value_t = 2.5)]
    seconds: f64,
    /// Rounds per point, in which daemon and echo take turns.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Idle connections to hold.
    #[arg(long, default_value_t = 10_000)]
    idle: usize,
    /// Half a minute instead of four: good for a look, not for the README.
    #[arg(long)]
    quick: bool,
    /// Only the load, and only points whose description contains this: "stat", "64, one at a time"; "mcp", only the
    /// Model Context Protocol over HTTP; or "llm", only chats.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// The daemon's program.
    #[arg(long, value_name = "FILE")]
    daemon: Option<PathBuf>,
    /// The echo's program.
    #[arg(long, value_name = "FILE")]
    echo: Option<PathBuf>,
}

/// How many daemons are started, and how many of their actors killed.
const LIVES: usize = 50;

/// The most connections a point uses.
const CONNECTIONS_MAX: usize = 64;

/// Connections, and requests under way on each.
const SHAPES: [(usize, usize); 4] = [(1, 1), (16, 1), (64, 1), (16, 16)];

/// What is asked: name, method, params, and whether over UNIX sockets too.
const REQUESTS: [(&str, &str, &str, bool); 5] = [
    (HELLO, "mcp.hello", "[]", true),
    (STAT, "mcp.fs.stat", r#"{"path":"/bench/4k.txt"}"#, true),
    (READ_4K, "mcp.fs.read", r#"{"path":"/bench/4k.txt"}"#, false),
    (LIST, "mcp.fs.list", r#"{"path":"/bench/twenty"}"#, false),
    (READ_1K, "mcp.fs.read", r#"{"path":"/bench/1k.txt"}"#, false),
];

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    raise_file_limit();
    // One thread: the load must leave the processors to what is measured.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{}", runtime.block_on(run(&options))?.markdown());
    Ok(())
}

/// Ten thousand connections are as many open files, here and in the servers, which inherit the limit.
fn raise_file_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        eprintln!("the limit on open files stays as it is: {error}");
    }
}

async fn run(options: &Options) -> anyhow::Result<Report> {
    let program = |given: &Option<PathBuf>, name: &str| match given {
        Some(path) => Ok(path.clone()),
        None => std::env::current_exe().map(|own| own.with_file_name(name)),
    };
    let folder = Folder::lay_out(&program(&options.daemon, "llmbasedos")?)?;
    let (rounds, seconds) = if options.quick { (1, 0.3) } else { (options.rounds.max(1), options.seconds) };
    let counted = Duration::from_secs_f64(seconds / f64::from(rounds));
    let times = Times { warm_up: counted.min(Duration::from_millis(150)), counted };
    let mut report = Report {
        method: format!(
            "{rounds} rounds of {:.1} s a point, daemon and echo in turn; each row is the round with the median CPU. \
             CPU is the server process's own, user and system. The load program takes what it needs of the same cores.",
            counted.as_secs_f64()
        ),
        ..Report::default()
    };
    let echo = program(&options.echo, "bench-echo")?;
    let only = options.only.as_deref();
    if only.is_none_or(|only| only == mcp::ONLY) {
        report.mcp = Some(mcp::run(&folder, &echo, rounds, times).await?);
    }
    if only.is_none_or(|only| only == llm::ONLY) {
        report.llm = Some(llm::run(&folder, seconds).await?);
    }
    if only == Some(mcp::ONLY) || only == Some(llm::ONLY) {
        return Ok(report);
    }
    load(options, &folder, &echo, rounds, times, &mut report).await?;
    if options.only.is_none() {
        eprintln!("starts and kills");
        report.lives = idle::lives(&folder, if options.quick { 10 } else { LIVES }).await?;
        for kind in ["WebSocket", "UNIX"] {
            eprintln!("{} idle connections, {kind}", options.idle);
            // A new daemon: what a load has left free would hide what connections take.
            let server = folder.serve()?;
            let door = if kind == "UNIX" { folder.unix() } else { folder.websocket(&server) };
            report.held.push((kind, idle::hold(&server, &door, options.idle).await?));
        }
    }
    Ok(report)
}

/// Measures every point.
async fn load(
    options: &Options,
    folder: &Folder,
    echo: &Path,
    rounds: u32,
    times: Times,
    report: &mut Report,
) -> anyhow::Result<()> {
    let daemon = folder.serve()?;
    // Until it has given back what its start has left.
    tokio::time::sleep(Duration::from_secs(4)).await;
    report.rss_kib[0] = daemon.rss_kib()?;
    let echo = start_echo(echo, folder, &daemon).await?;
    report.rss_echo_kib[0] = echo.rss_kib()?;
    let at_echo = Door::WebSocket(echo.address.clone(), None);
    let mut ours = Target::connect(&daemon, folder.websocket(&daemon), CONNECTIONS_MAX).await?;
    let mut theirs = Target::connect(&echo, at_echo, CONNECTIONS_MAX).await?;
    let mut unix = Target::connect(&daemon, folder.unix(), CONNECTIONS_MAX).await?;
    for over_unix in [false, true] {
        for point in points(options, over_unix) {
            eprintln!("{}", described(&point, over_unix));
            let (mut daemons, mut echoes) = (Vec::new(), Vec::new());
            for _ in 0..rounds {
                if over_unix {
                    daemons.push(unix.measure(&point, times).await?);
                } else {
                    daemons.push(ours.measure(&point, times).await?);
                    echoes.push(theirs.measure(&point, times).await?);
                }
            }
            let echo = (!over_unix).then(|| Round::median(echoes));
            report.points.push(Measured { point, daemon: Round::median(daemons), echo });
        }
    }
    drop((ours, theirs, unix));
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.rss_kib[1] = daemon.rss_kib()?;
    report.rss_echo_kib[1] = echo.rss_kib()?;
    Ok(())
}

/// The echo, told how long the daemon's answers are.
async fn start_echo(program: &Path, folder: &Folder, daemon: &Server) -> anyhow::Result<Server> {
    let door = folder.websocket(daemon);
    let mut connection = Connection::open(&door).await?;
    let mut command = Command::new(program);
    for (_, method, params, _) in REQUESTS {
        let result = connection.call(&Requests::new(&door, method, params, 1)).await;
        let result = result.with_context(|| format!("the daemon does not answer {method}"))?;
        command.args(["--answer", method, params, &result.len().to_string()]);
    }
    Server::start(&mut command)
}

/// All points over one kind of socket that the options ask for.
fn points(options: &Options, over_unix: bool) -> impl Iterator<Item = Point> + '_ {
    let requests = REQUESTS.iter().filter(move |(.., unix)| *unix || !over_unix);
    let points = requests.flat_map(|&(what, method, params, _)| {
        SHAPES.map(|(connections, deep)| Point { what, method, params, connections, deep })
    });
    let wanted = move |point: &Point| {
        options.only.as_ref().is_none_or(|text| described(point, over_unix).contains(text.as_str()))
    };
    points.filter(wanted)
}

fn described(point: &Point, over_unix: bool) -> String {
    let over = if over_unix { "UNIX" } else { "WebSocket" };
    format!("{}, {over}, {}", point.what, report::shape(point))
}
