//! What the daemon costs when nothing happens, and how long it takes when something has: idle connections, starts,
//! and the way back after an actor was killed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::daemon::Folder;
use crate::server::Server;
use crate::wire::{Connection, Door, Requests};

/// Connections opened at the same time; more than the kernel queues would be refused at a UNIX socket.
const OPENERS: usize = 32;

/// How many of the idle connections are asked again.
const ASKED_AGAIN: usize = 100;

/// Longer than any answer and any restart takes.
const STUCK: Duration = Duration::from_secs(10);

const HELLO: (&str, &str) = ("mcp.hello", "[]");

/// What so many idle connections cost.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) wanted: usize,
    /// How many were open and had been answered.
    pub(crate) held: usize,
    /// Resident memory for each, in KiB.
    pub(crate) kib_each: f64,
    /// How many of those asked again answered, and how many were asked.
    pub(crate) answered: (usize, usize),
    /// Why there are fewer than wanted.
    pub(crate) stopped_by: Option<String>,
}

/// Opens `wanted` connections, has each answered once, lets them rest, and asks some of them again.
pub(crate) async fn hold(server: &Server, door: &Door, wanted: usize) -> anyhow::Result<Held> {
    // What the first connection makes once for all is not counted.
    welcomed(door).await?;
    let before = server.rss_kib()?;
    let mut openers = JoinSet::new();
    for n in 0..OPENERS {
        let share = (wanted + n) / OPENERS;
        let door = door.clone();
        openers.spawn(async move { open(&door, share).await });
    }
    let (mut held, mut stopped_by) = (Vec::with_capacity(wanted), None);
    while let Some(opened) = openers.join_next().await {
        let (connections, error) = opened?;
        held.extend(connections);
        stopped_by = stopped_by.or(error);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = server.rss_kib()?;
    let (mut answered, mut asked) = (0, 0);
    let every = (held.len() / ASKED_AGAIN).max(1);
    for connection in held.iter_mut().step_by(every) {
        asked += 1;
        answered += usize::from(ask(connection, door).await.is_ok());
    }
    Ok(Held {
        wanted,
        held: held.len(),
        kib_each: after.saturating_sub(before) as f64 / held.len().max(1) as f64,
        answered: (answered, asked),
        stopped_by,
    })
}

/// Opens connections until there are enough or one fails.
async fn open(door: &Door, share: usize) -> (Vec<Connection>, Option<String>) {
    let mut open = Vec::with_capacity(share);
    while open.len() < share {
        match welcomed(door).await {
            Ok(connection) => open.push(connection),
            Err(error) => return (open, Some(format!("{error:#}"))),
        }
    }
    (open, None)
}

async fn welcomed(door: &Door) -> anyhow::Result<Connection> {
    let mut connection = Connection::open(door).await?;
    ask(&mut connection, door).await?;
    Ok(connection)
}

async fn ask(connection: &mut Connection, door: &Door) -> anyhow::Result<()> {
    let hello = Requests::new(door, HELLO.0, HELLO.1, 1);
    tokio::time::timeout(STUCK, connection.call(&hello)).await.context("no answer")??;
    connection.rest();
    Ok(())
}

/// How long starts and recoveries took, in microseconds, sorted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lives {
    /// From exec to the line that says ready.
    pub(crate) ready: Vec<f64>,
    /// From exec to the first answered hello.
    pub(crate) first_answer: Vec<f64>,
    /// Processor time used until that answer: what a start costs however busy the machine is.
    pub(crate) cpu: Vec<f64>,
    /// From the answer to the kill of the actor `fs` to the next file looked at.
    pub(crate) back: Vec<f64>,
}

/// Starts a daemon, kills its `fs`, waits until that is back, and kills the daemon; over and over. A new daemon
/// each time, because a second failure within a minute is held back on purpose.
pub(crate) async fn lives(folder: &Folder, count: usize) -> anyhow::Result<Lives> {
    let mut lives = Lives::default();
    for _ in 0..count {
        let server = folder.serve()?;
        let door = folder.websocket(&server);
        let mut connection = Connection::open(&door).await?;
        connection.call(&Requests::new(&door, HELLO.0, HELLO.1, 1)).await?;
        lives.first_answer.push(micros(server.started.elapsed()));
        lives.cpu.push(server.cpu_ns()? as f64 / 1000.0);
        lives.ready.push(micros(server.ready));
        lives.back.push(micros(killed(&mut connection, &door).await?));
    }
    for times in [&mut lives.ready, &mut lives.first_answer, &mut lives.cpu, &mut lives.back] {
        times.sort_unstable_by(f64::total_cmp);
    }
    Ok(lives)
}

/// Kills `fs` and returns how long it took from the answer to that until a file could be looked at again.
async fn killed(connection: &mut Connection, door: &Door) -> anyhow::Result<Duration> {
    let kill = Requests::new(door, "mcp.admin.restart", r#"{"id":"fs","how":"kill"}"#, 1);
    let actor = Requests::new(door, "mcp.admin.actor", r#"{"id":"fs"}"#, 1);
    let stat = Requests::new(door, "mcp.fs.stat", r#"{"path":"/bench/4k.txt"}"#, 1);
    connection.call(&stat).await?;
    connection.call(&kill).await?;
    let killed = Instant::now();
    loop {
        // The one that was killed may answer for a moment still; what counts is its successor.
        let snapshot: Snapshot = serde_json::from_str(&connection.call(&actor).await?)?;
        if snapshot.restarts > 0 && connection.call(&stat).await.is_ok() {
            return Ok(killed.elapsed());
        }
        ensure!(killed.elapsed() < STUCK, "fs does not come back");
    }
}

/// What matters here of `mcp.admin.actor`.
#[derive(Deserialize)]
struct Snapshot {
    restarts: u64,
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
