//! Chats at `/v1`: what the daemon adds to asking the model's server itself, beside what another proxy adds, and what a
//! thousand streams take.

mod contender;

use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::future::join_all;
use harness::{Play, Upstream};

use crate::daemon::Folder;
use crate::report::{Table, short, thousands, verdict};
use crate::server::Server;
use contender::{Contender, Cost};

pub(crate) const ONLY: &str = "llm";

/// Pieces of a streamed answer.
const PIECES: usize = 200;

const STREAMS: usize = 1000;

/// Times that all take turns.
const ROUNDS: usize = 3;

const PLAIN_MAX: f64 = 250.0;
const CHUNK_MAX: f64 = 15.0;
const STREAMS_MAX_MB: f64 = 150.0;

/// What was found out.
pub(crate) struct Figures {
    ways: Vec<Way>,
    /// The daemon's memory in KiB, before and at most during a thousand streams.
    streams: [u64; 2],
    missing: Option<String>,
}

/// One way to the model: what a chat takes on it.
struct Way {
    name: &'static str,
    plain: Cost,
    /// A chat of many pieces, and one of one.
    streamed: [Cost; 2],
    /// Memory in KiB after all this; none where nothing stands between.
    rss: Option<u64>,
}

/// Measures for as long as `seconds` a point and way.
pub(crate) async fn run(folder: &Folder, seconds: f64) -> anyhow::Result<Figures> {
    let upstream = contender::upstream()?;
    let mut contenders = vec![contender::direct(&upstream), contender::ours(folder, &upstream)?];
    eprintln!("start litellm");
    let missing = match contender::litellm(folder, &upstream) {
        Ok(peer) => {
            contenders.push(peer);
            None
        }
        Err(error) => Some(format!("litellm is left out: {error:#}")),
    };
    let plain = costs(&contenders, "plain", false, seconds).await?;
    upstream.always(Play::pieces(PIECES));
    let many = costs(&contenders, "streamed", true, seconds).await?;
    upstream.always(Play::pieces(1));
    let one = costs(&contenders, "streamed, one piece", true, seconds).await?;
    let mut ways = Vec::new();
    for (at, contender) in contenders.iter().enumerate() {
        let rss = contender.server.as_ref().map(Server::tree_rss_kib).transpose()?;
        ways.push(Way { name: contender.name, plain: plain[at], streamed: [many[at], one[at]], rss });
    }
    contenders.truncate(2);
    let streams = streams(&contenders[1], &upstream).await?;
    Ok(Figures { ways, streams, missing })
}

/// What a chat takes on each way: they take turns, and of each the round with the median cost counts.
async fn costs(
    contenders: &[Contender],
    what: &str,
    stream: bool,
    seconds: f64,
) -> anyhow::Result<Vec<Cost>> {
    eprintln!("chats, {what}");
    let mut rounds = vec![Vec::new(); contenders.len()];
    for _ in 0..ROUNDS {
        for (contender, rounds) in contenders.iter().zip(&mut rounds) {
            let cost = contender.cost(stream, seconds / ROUNDS as f64).await;
            rounds.push(cost.with_context(|| format!("{what} chats at {}", contender.name))?);
        }
    }
    let median = |mut rounds: Vec<Cost>| {
        rounds.sort_by(|a, b| (a.cpu, a.p50).partial_cmp(&(b.cpu, b.p50)).expect("figures"));
        rounds[rounds.len() / 2]
    };
    Ok(rounds.into_iter().map(median).collect())
}

/// The daemon's memory before and at most during a thousand streams at once.
async fn streams(ours: &Contender, upstream: &Upstream) -> anyhow::Result<[u64; 2]> {
    eprintln!("{STREAMS} streams at once");
    let server = ours.server.as_ref().context("the daemon is a process")?;
    upstream.always(Play::pieces(40).slowly(Duration::from_millis(100)));
    let before = server.rss_kib()?;
    let mut connections = ours.open(STREAMS).await?;
    let ask = ours.chat(true);
    let streams = join_all(connections.iter_mut().map(|connection| connection.ask(&ask)));
    let most = async {
        let mut most = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            most = server.rss_kib()?.max(most);
            if upstream.most_at_once() >= STREAMS {
                return anyhow::Ok(most);
            }
        }
    };
    let (ended, most) = tokio::join!(streams, tokio::time::timeout(Duration::from_mins(1), most));
    for head in ended {
        ensure!(head?.status == 200, "a stream was refused");
    }
    let most = most.with_context(|| {
        format!("{} streams were under way at once, not {STREAMS}", upstream.most_at_once())
    })??;
    Ok([before, most.max(server.rss_kib()?)])
}

impl Way {
    /// Microseconds of processor that one more piece takes.
    fn chunk(&self) -> f64 {
        let [many, one] = self.streamed;
        (many.cpu - one.cpu) / (PIECES - 1) as f64
    }
}

impl Figures {
    pub(crate) fn markdown(&self) -> String {
        let mut table = Table::new(&["chats at `/v1`", "measured", "target", ""]);
        let mb = |kib: u64| kib as f64 * 1024.0 / 1e6;
        let added = |cost: f64| format!("{} \u{b5}s", short(cost));
        if let Some(ours) = self.ways.get(1) {
            let (plain, chunk) = (ours.plain.cpu, ours.chunk());
            let met = verdict(plain <= PLAIN_MAX);
            table.row(&["CPU added to a plain chat", &added(plain), "\u{2264} 250 \u{b5}s", met]);
            let met = verdict(chunk <= CHUNK_MAX);
            table.row(&["CPU added to a streamed chunk", &added(chunk), "\u{2264} 15 \u{b5}s", met]);
        }
        let figure = format!("{:.1} MB, {:.1} before", mb(self.streams[1]), mb(self.streams[0]));
        let met = verdict(mb(self.streams[1]) <= STREAMS_MAX_MB);
        table.row(&["memory (RSS), 1 000 streams at once", &figure, "\u{2264} 150 MB", met]);

        let mut beside = Table::new(&[
            "8 chats at a time by way of",
            "plain: CPU added \u{b5}s",
            "p50 \u{b5}s",
            "200 pieces: CPU added \u{b5}s",
            "p50 \u{b5}s",
            "RSS MB",
        ]);
        for way in &self.ways {
            let direct = way.rss.is_none();
            let cpu = |cost: Cost| if direct { String::new() } else { thousands(cost.cpu) };
            let [plain, streamed] = [way.plain, way.streamed[0]];
            let rss = way.rss.map_or(String::new(), |kib| format!("{:.0}", mb(kib)));
            beside.row(&[
                way.name,
                &cpu(plain),
                &thousands(plain.p50),
                &cpu(streamed),
                &thousands(streamed.p50),
                &rss,
            ]);
        }
        let missing = self.missing.as_ref().map(|why| format!("\n{why}\n")).unwrap_or_default();
        format!("{}\n{}{missing}", table.text, beside.text)
    }
}
