//! The figures of the Model Context Protocol as Markdown.

use std::fmt::Write as _;

use super::LIST;
use crate::load::Round;
use crate::report::{Table, short, thousands, verdict};

/// Everything that was found out. Of all lists of contenders the daemon is the first, the echo the second.
pub(crate) struct Figures {
    /// Microseconds of processor time that the kernel takes for the listing alone.
    pub(crate) bare: f64,
    /// Name, and resident memory in KiB before and after the load.
    pub(crate) memory: Vec<(String, u64, u64)>,
    pub(crate) points: Vec<Measured>,
    /// Starts of `stdio` in milliseconds, sorted.
    pub(crate) embedded: Vec<f64>,
    pub(crate) attached: Vec<f64>,
    /// Peers that could not be had, and why.
    pub(crate) missing: Vec<String>,
}

/// One request over so many connections: of every contender the round, if it went well, and how long its answer is.
pub(crate) struct Measured {
    pub(crate) what: &'static str,
    pub(crate) connections: usize,
    pub(crate) rounds: Vec<(Option<Round>, usize)>,
}

const CPU_MAX: f64 = 80.0;
const P99_MAX_MS: f64 = 5.0;
const RSS_MAX_MB: f64 = 30.0;
const TIMES_LESS: f64 = 10.0;
const START_MAX_MS: f64 = 100.0;

impl Figures {
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("{}\n{}", self.promises(), self.load());
        for missing in &self.missing {
            let _ = write!(text, "\n{missing}\n");
        }
        text
    }

    /// What was promised, and what it is.
    fn promises(&self) -> String {
        let mut table = Table::new(&["MCP over HTTP", "measured", "target", ""]);
        for point in &self.points {
            self.cost(point, &mut table);
        }
        for point in self.points.iter().filter(|point| point.connections == 16) {
            let Some((Some(ours), _)) = point.rounds.first() else { continue };
            let p99 = ours.p99 / 1000.0;
            let name = format!("p99 of {}, 16 connections", point.what);
            let target = format!("< {P99_MAX_MS} ms");
            table.row(&[&name, &format!("{p99:.2} ms"), &target, verdict(p99 < P99_MAX_MS)]);
        }
        let mb = |kib: u64| kib as f64 * 1024.0 / 1e6;
        if let Some((_, _, loaded)) = self.memory.first() {
            let target = format!("< {RSS_MAX_MB} MB");
            let figure = format!("{:.1} MB", mb(*loaded));
            table.row(&[
                "memory (RSS), after this load",
                &figure,
                &target,
                verdict(mb(*loaded) < RSS_MAX_MB),
            ]);
        }
        for (way, took) in [("attached", &self.attached), ("embedded", &self.embedded)] {
            let (Some(median), Some(worst)) = (took.get(took.len() / 2), took.last()) else { continue };
            let name = format!("`stdio`, {way}: first answer after exec");
            let figure = format!("{median:.1} ms (worst of {}: {worst:.1})", took.len());
            table.row(&[&name, &figure, &format!("≤ {START_MAX_MS} ms"), verdict(*median <= START_MAX_MS)]);
        }
        table.text
    }

    /// What a call costs, and what the best peer's does.
    fn cost(&self, point: &Measured, table: &mut Table) {
        let [(Some(ours), _), (Some(echo), _), peers @ ..] = &point.rounds[..] else { return };
        let what = format!("{}, {}", point.what, connections(point.connections));
        let kernel = if point.what == LIST {
            format!(", the listing alone {}", short(self.bare))
        } else {
            String::new()
        };
        let figure = format!("{} µs; the echo's {}{kernel}", short(ours.cpu), short(echo.cpu));
        let met = verdict(ours.cpu <= CPU_MAX);
        table.row(&[&format!("CPU per {what}"), &figure, &format!("≤ {CPU_MAX} µs"), met]);
        let named = peers.iter().zip(self.memory.iter().skip(2));
        let named = named.filter_map(|((peer, _), (name, ..))| Some((name, peer.as_ref()?.cpu)));
        if let Some((peer, best)) = named.min_by(|(_, one), (_, other)| one.total_cmp(other)) {
            let times = best / ours.cpu;
            let figure = format!("{} µs ({peer}), {times:.1} × ours", thousands(best));
            let target = format!("≥ {TIMES_LESS} ×");
            table.row(&["the best peer's", &figure, &target, verdict(times >= TIMES_LESS)]);
        }
    }

    /// Every point and contender.
    fn load(&self) -> String {
        let mut table = Table::new(&[
            "request",
            "connections",
            "server",
            "requests/s",
            "p50 µs",
            "p99 µs",
            "p99.9 µs",
            "CPU µs",
            "times ours",
            "bytes",
            "RSS MB",
        ]);
        for point in &self.points {
            let ours = point.rounds.first().and_then(|(ours, _)| Some(ours.as_ref()?.cpu));
            for ((round, bytes), (name, idle, loaded)) in point.rounds.iter().zip(&self.memory) {
                let Some(round) = round else { continue };
                let mut cells = vec![point.what.to_owned(), point.connections.to_string(), name.clone()];
                cells.push(thousands(round.rate));
                cells.extend([round.p50, round.p99, round.p999, round.cpu].map(short));
                cells.push(format!("{:.2}", round.cpu / ours.unwrap_or(round.cpu)));
                cells.push(thousands(*bytes as f64));
                let mb = |kib: u64| kib as f64 * 1024.0 / 1e6;
                cells.push(format!("{:.0}, {:.0} loaded", mb(*idle), mb(*loaded)));
                table.row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
            }
        }
        let _ = write!(
            table.text,
            "\nOf a peer all processes count, the proxy and the server behind it. Ours and the echo answer requests of \
             2026-07-28; the peers hold a session on each connection.\n",
        );
        table.text
    }
}

fn connections(count: usize) -> String {
    format!("{count} connection{}", if count == 1 { "" } else { "s" })
}
