//! How long a host that starts its servers waits for ours: from exec to the answer to `initialize`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};

use crate::daemon::Folder;

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;

/// So many starts, in milliseconds, sorted. Attached if a daemon runs in the folder, else embedded.
pub(crate) fn starts(folder: &Folder, count: usize) -> anyhow::Result<Vec<f64>> {
    let mut took = Vec::new();
    for _ in 0..count {
        took.push(start(folder)?);
    }
    took.sort_unstable_by(f64::total_cmp);
    Ok(took)
}

fn start(folder: &Folder) -> anyhow::Result<f64> {
    let mut command = Command::new(folder.program());
    command.args(["stdio", "--config-dir"]).arg(folder.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().context("start llmbasedos stdio")?;
    let mut stdin = child.stdin.take().context("its standard input is ours")?;
    stdin.write_all(format!("{INITIALIZE}\n").as_bytes())?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("its standard output is ours")?).read_line(&mut line)?;
    let took = started.elapsed();
    drop(stdin);
    child.wait()?;
    ensure!(line.contains("\"serverInfo\""), "stdio answers initialize with '{line}'");
    Ok(took.as_secs_f64() * 1000.0)
}
