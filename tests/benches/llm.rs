//! Chats through the daemon: what it adds to asking the model's server itself, and what a thousand streams take.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures_util::future::{join_all, try_join_all};
use harness::{Play, Upstream};

use crate::daemon::Folder;
use crate::mcp::http::{Connection, request};
use crate::report::{Table, short, verdict};
use crate::server::Server;

pub(crate) const ONLY: &str = "llm";

/// Pieces of a streamed answer.
const PIECES: usize = 200;

/// Chats under way at one time, where what one costs is measured.
const AT_ONCE: usize = 8;

const STREAMS: usize = 1000;

const PLAIN_MAX: f64 = 250.0;
const CHUNK_MAX: f64 = 15.0;
const STREAMS_MAX_MB: f64 = 150.0;

/// What was found out: the daemon's own processor time, in microseconds, and its memory in KiB.
pub(crate) struct Figures {
    plain: f64,
    chunk: f64,
    rss: [u64; 2],
}

/// Measures for as long as `seconds` a point.
pub(crate) async fn run(folder: &Folder, seconds: f64) -> anyhow::Result<Figures> {
    let upstream = Upstream::start().await;
    let model = format!(
        "models:\n  small: {{provider: openai_compatible, model: m, base_url: \"{}\", concurrency: 2000}}\n",
        upstream.v1()
    );
    std::fs::write(folder.path().join("models.yaml"), model)?;
    let server = folder.serve()?;
    let ask = |stream: bool| {
        let body = format!(
            "{{\"model\":\"small\",\"stream\":{stream},\"messages\":[{{\"role\":\"user\",\"content\":\"Say hello to everybody in the room.\"}}]}}"
        );
        let token = format!("Bearer {}", folder.token());
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        request("POST", "/v1/chat/completions", &server.address, &headers, &body)
    };
    eprintln!("chats, plain");
    let plain = cost(&server, &ask(false), seconds).await?;
    eprintln!("chats, streamed");
    upstream.always(Play::pieces(PIECES));
    let many = cost(&server, &ask(true), seconds).await?;
    upstream.always(Play::pieces(1));
    let one = cost(&server, &ask(true), seconds).await?;
    let chunk = (many - one) / (PIECES - 1) as f64;
    eprintln!("{STREAMS} streams at once");
    upstream.always(Play::pieces(40).slowly(Duration::from_millis(100)));
    let before = server.rss_kib()?;
    let connections = (0..STREAMS).map(async |_| Connection::open(&server.address).await);
    let mut connections = try_join_all(connections).await?;
    let ask = ask(true);
    let streams = join_all(connections.iter_mut().map(|connection| connection.ask(&ask)));
    let most = async {
        let mut most = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            most = server.rss_kib()?.max(most);
            if upstream.requests().len() > STREAMS && upstream.most_at_once() >= STREAMS {
                return anyhow::Ok(server.rss_kib()?.max(most));
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
    Ok(Figures { plain, chunk, rss: [before, most.max(server.rss_kib()?)] })
}

/// Microseconds of the daemon's own for one chat.
async fn cost(server: &Server, ask: &[u8], seconds: f64) -> anyhow::Result<f64> {
    let mut lines = try_join_all((0..AT_ONCE).map(async |_| Connection::open(&server.address).await)).await?;
    // The first counts of tokens read the vocabulary.
    lines[0].ask(ask).await?;
    let (begun, before) = (Instant::now(), server.cpu_ns()?);
    let until = begun + Duration::from_secs_f64(seconds);
    let asked = lines.iter_mut().map(async |line| {
        let mut asked = 0_u32;
        while Instant::now() < until {
            ensure!(line.ask(ask).await?.status == 200, "{}", String::from_utf8_lossy(&line.body));
            asked += 1;
        }
        anyhow::Ok(asked)
    });
    let asked: u32 = try_join_all(asked).await?.into_iter().sum();
    Ok((server.cpu_ns()? - before) as f64 / 1000.0 / f64::from(asked))
}

impl Figures {
    pub(crate) fn markdown(&self) -> String {
        let mut table = Table::new(&["chats at `/v1`", "measured", "target", ""]);
        let figure = format!("{} \u{b5}s", short(self.plain));
        table.row(&[
            "CPU added to a plain chat",
            &figure,
            "\u{2264} 250 \u{b5}s",
            verdict(self.plain <= PLAIN_MAX),
        ]);
        let figure = format!("{} \u{b5}s", short(self.chunk));
        table.row(&[
            "CPU added to a streamed chunk",
            &figure,
            "\u{2264} 15 \u{b5}s",
            verdict(self.chunk <= CHUNK_MAX),
        ]);
        let mb = |kib: u64| kib as f64 * 1024.0 / 1e6;
        let figure = format!("{:.1} MB, {:.1} before", mb(self.rss[1]), mb(self.rss[0]));
        let met = verdict(mb(self.rss[1]) <= STREAMS_MAX_MB);
        table.row(&["memory (RSS), 1 000 streams at once", &figure, "\u{2264} 150 MB", met]);
        table.text
    }
}
