//! The figures as Markdown, ready for the README.

use std::fmt::Write as _;

use crate::idle::{Held, Lives};
use crate::load::{Point, Round};

/// A measured point: the daemon, and the echo where it was asked too.
pub(crate) struct Measured {
    pub(crate) point: Point,
    pub(crate) daemon: Round,
    pub(crate) echo: Option<Round>,
}

/// Everything that a run has found out.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) points: Vec<Measured>,
    pub(crate) lives: Lives,
    /// Resident memory of the daemon in KiB: just started, and after the load.
    pub(crate) rss_kib: [u64; 2],
    pub(crate) rss_echo_kib: [u64; 2],
    pub(crate) held: Vec<(&'static str, Held)>,
    /// How it was measured.
    pub(crate) method: String,
    /// The Model Context Protocol over HTTP.
    pub(crate) mcp: Option<crate::mcp::Figures>,
    /// Chats at `/v1`.
    pub(crate) llm: Option<crate::llm::Figures>,
}

/// A cost per request that the project has promised, as a multiple of the echo's. Files are promised for requests
/// one at a time only: 16 deep, the system calls for one file alone cost several times what the echo costs.
struct Promise {
    what: &'static str,
    connections: usize,
    deep: usize,
    times: f64,
}

const PROMISES: &[Promise] = &[
    Promise { what: HELLO, connections: 64, deep: 1, times: 1.3 },
    Promise { what: HELLO, connections: 16, deep: 16, times: 1.8 },
    Promise { what: STAT, connections: 64, deep: 1, times: 2.5 },
    Promise { what: READ_4K, connections: 64, deep: 1, times: 2.5 },
];

pub(crate) const HELLO: &str = "hello";
pub(crate) const STAT: &str = "stat";
pub(crate) const READ_4K: &str = "read 4 KiB";
pub(crate) const READ_1K: &str = "read 1 KiB";
pub(crate) const LIST: &str = "list of 20";

/// What the original used of a processor for one request, in microseconds (shared/reference/seed.md).
const ORIGINAL: &[(&str, f64)] = &[(HELLO, 670.0), (LIST, 9300.0), (READ_1K, 9400.0)];

const RSS_MAX_MB: f64 = 20.0;
const KB_PER_CONNECTION_MAX: f64 = 16.0;
const READY_MAX_MS: f64 = 100.0;
const BACK_MAX_MS: f64 = 50.0;

impl Report {
    /// The whole report.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("{}\n\n", machine());
        if !self.points.is_empty() {
            let _ = write!(text, "{}\n{}\n", self.promises(), self.load());
        }
        if let Some(llm) = &self.llm {
            let _ = writeln!(text, "{}", llm.markdown());
        }
        if let Some(mcp) = &self.mcp {
            let _ = writeln!(text, "{}", mcp.markdown());
        }
        text + &self.method
    }

    /// What was promised, what it is, and what the original had.
    fn promises(&self) -> String {
        let mut table = Table::new(&["", "measured", "target", "", "the original"]);
        for promise in PROMISES {
            let Some((measured, ratio)) = self.find(promise) else { continue };
            let name = format!("CPU per `{}`, {}", measured.point.method, shape(&measured.point));
            let name = if promise.what == READ_4K { format!("{name} (4 KiB)") } else { name };
            let echo = measured.echo.map_or(0.0, |echo| echo.cpu);
            let figure =
                format!("{} µs, {ratio:.2} × the echo's {}", short(measured.daemon.cpu), short(echo));
            let target = format!("≤ {} ×", promise.times);
            table.row(&[&name, &figure, &target, verdict(ratio <= promise.times), &original(promise.what)]);
        }
        for what in [LIST, READ_1K] {
            let at = |m: &&Measured| m.point.what == what && m.point.connections == 64 && m.echo.is_some();
            let Some(measured) = self.points.iter().find(at) else { continue };
            let name = format!("CPU per {what}, {}", shape(&measured.point));
            table.row(&[&name, &format!("{} µs", short(measured.daemon.cpu)), "", "", &original(what)]);
        }
        self.standing(&mut table);
        table.text
    }

    /// The promises that have nothing to do with load.
    fn standing(&self, table: &mut Table) {
        let [idle, loaded] = self.rss_kib.map(|kib| kib as f64 * 1024.0 / 1e6);
        let held = format!("≤ {RSS_MAX_MB} MB");
        table.row(&[
            "memory (RSS), idle",
            &format!("{idle:.1} MB"),
            &held,
            verdict(idle <= RSS_MAX_MB),
            "132 MB",
        ]);
        table.row(&["memory (RSS), after the load", &format!("{loaded:.1} MB"), "", "", ""]);
        let Lives { ready, first_answer, cpu, back } = &self.lives;
        if !ready.is_empty() {
            let count = ready.len();
            let spread = |times: &[f64]| {
                let (middle, worst) = (times[times.len() / 2] / 1000.0, times[times.len() - 1] / 1000.0);
                format!("{middle:.1} ms (worst of {count}: {worst:.1})")
            };
            let met = verdict(ready[ready.len() / 2] / 1000.0 <= READY_MAX_MS);
            table.row(&["ready after exec", &spread(ready), &format!("≤ {READY_MAX_MS} ms"), met, ""]);
            table.row(&["first answer after exec", &spread(first_answer), "", "", "3.9 s"]);
            table.row(&["processor time until then", &spread(cpu), "", "", ""]);
            let met = verdict(back[back.len() / 2] / 1000.0 <= BACK_MAX_MS);
            let target = format!("≤ {BACK_MAX_MS} ms");
            table.row(&["files back after `fs` is killed", &spread(back), &target, met, "1.4 s"]);
        }
        for (door, held) in &self.held {
            let all = held.held == held.wanted && held.answered.0 == held.answered.1;
            let (answered, asked) = held.answered;
            let why = held.stopped_by.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
            let figure = format!(
                "{} held, {answered} of {asked} asked again answer{why}",
                thousands(held.held as f64)
            );
            let wanted = thousands(held.wanted as f64);
            table.row(&[&format!("idle connections, {door}"), &figure, &wanted, verdict(all), ""]);
            let each = held.kib_each * 1.024;
            let (figure, target) = (format!("{each:.1} kB"), format!("≤ {KB_PER_CONNECTION_MAX} kB"));
            let met = verdict(each <= KB_PER_CONNECTION_MAX);
            table.row(&[&format!("memory for each of them, {door}"), &figure, &target, met, ""]);
        }
    }

    /// Every point that was measured.
    fn load(&self) -> String {
        let mut table = Table::new(&[
            "request",
            "over",
            "connections",
            "requests/s",
            "p50 µs",
            "p99 µs",
            "p99.9 µs",
            "CPU µs",
            "echo: requests/s",
            "p50 µs",
            "p99 µs",
            "CPU µs",
            "CPU ratio",
        ]);
        for Measured { point, daemon, echo } in &self.points {
            let over = if echo.is_some() { "WebSocket" } else { "UNIX" };
            let mut cells = vec![point.what.to_owned(), over.to_owned(), shape(point)];
            cells.push(thousands(daemon.rate));
            cells.extend([daemon.p50, daemon.p99, daemon.p999, daemon.cpu].map(short));
            match echo {
                Some(echo) => {
                    cells.push(thousands(echo.rate));
                    cells.extend([echo.p50, echo.p99, echo.cpu].map(short));
                    cells.push(format!("**{:.2}**", daemon.cpu / echo.cpu));
                }
                None => cells.resize(13, String::new()),
            }
            table.row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let [start, end] = self.rss_echo_kib.map(|kib| kib as f64 * 1024.0 / 1e6);
        let _ = write!(table.text, "\nThe echo's memory: {start:.1} MB, {end:.1} MB after the load.\n");
        table.text
    }

    fn find(&self, promise: &Promise) -> Option<(&Measured, f64)> {
        let measured = self.points.iter().find(|measured| {
            let Point { what, connections, deep, .. } = measured.point;
            (what, connections, deep) == (promise.what, promise.connections, promise.deep)
                && measured.echo.is_some()
        })?;
        Some((measured, measured.daemon.cpu / measured.echo?.cpu))
    }
}

/// A Markdown table.
pub(crate) struct Table {
    pub(crate) text: String,
}

impl Table {
    pub(crate) fn new(heads: &[&str]) -> Self {
        let mut table = Self { text: String::new() };
        table.row(heads);
        table.row(&vec!["---"; heads.len()]);
        table
    }

    pub(crate) fn row(&mut self, cells: &[&str]) {
        let _ = writeln!(self.text, "| {} |", cells.join(" | "));
    }
}

pub(crate) fn verdict(met: bool) -> &'static str {
    if met { "PASS" } else { "**MISS**" }
}

/// How a point's requests are sent.
pub(crate) fn shape(point: &Point) -> String {
    match point.deep {
        1 => format!("{}, one at a time", point.connections),
        deep => format!("{}, {deep} deep", point.connections),
    }
}

fn original(what: &str) -> String {
    let known = ORIGINAL.iter().find(|(known, _)| *known == what);
    known.map_or(String::new(), |(_, micros)| format!("{} µs", thousands(*micros)))
}

/// Three figures are more than a busy machine tells.
pub(crate) fn short(figure: f64) -> String {
    match figure {
        ..10.0 => format!("{figure:.2}"),
        10.0..100.0 => format!("{figure:.1}"),
        _ => thousands(figure),
    }
}

pub(crate) fn thousands(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// What it ran on.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    format!(
        "Machine: {} ({cores} cores), Linux {}, load average {} at the end.",
        model.map_or("unknown processor", |(_, name)| name),
        kernel.trim(),
        load.split(' ').next().unwrap_or_default(),
    )
}
