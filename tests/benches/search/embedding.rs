//! Texts made vectors: our process beside Python's fastembed, on the same model, texts and cores.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ::embedding::{Embed, Load as _, Places, Program, Role, Settings};
use anyhow::{Context as _, ensure};

use crate::installed;
use crate::random::sentence;

const TEXTS: usize = 200;
const MODEL: &str = "all-MiniLM-L6-v2";
const FASTEMBED: &str = "fastembed==0.9.1";

/// Rounds in which both take turns; the best of each counts, as the worse ones are the machine's.
const ROUNDS: usize = 3;

pub(crate) fn measure(folder: &Path, alone: bool) -> anyhow::Result<()> {
    let models = harness::models();
    let mut random = fastrand::Rng::with_seed(7);
    // As long as a chunk: some two hundred tokens.
    let texts: Vec<String> = (0..TEXTS).map(|_| sentence(&mut random, 62)).collect();
    let file = folder.join("texts.json");
    std::fs::write(&file, serde_json::to_vec(&texts)?)?;
    println!("### {TEXTS} chunks made vectors, the best of {ROUNDS} rounds\n");
    for threads in [1, 2] {
        let (mut ours, mut theirs) = (f64::MAX, f64::MAX);
        for _ in 0..ROUNDS {
            ours = ours.min(of_ours(&models, threads, &texts)?);
            if !alone {
                theirs = theirs.min(of_fastembed(&models, threads, &file)?);
            }
        }
        let rate = |seconds: f64| TEXTS as f64 / seconds;
        println!("{threads} threads: ours {:.1} a second, fastembed {:.1}", rate(ours), rate(theirs));
    }
    let begun = Instant::now();
    let mut model = program(&models, 1).load().map_err(|error| anyhow::anyhow!("{error}"))?;
    let loaded = begun.elapsed();
    let mut times: Vec<Duration> = (0..20).map(|n| query(&mut *model, n)).collect::<anyhow::Result<_>>()?;
    let process = model.facts().process.context("it has a process")?;
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let resident = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    let p50 = crate::random::percentile(&mut times, 50);
    println!("a query's vector: p50 {p50:.1} ms; loaded in {loaded:.2?}; {resident} while loaded");
    drop(model);
    ensure!(!Path::new(&format!("/proc/{process}")).exists(), "its process lives on");
    println!("unloaded: its process, and all of that, is gone");
    Ok(())
}

fn program(models: &Path, threads: usize) -> Program {
    let own = std::env::current_exe().unwrap_or_default();
    let places = Places { models: models.to_owned(), model: MODEL.to_owned(), runtime: None };
    let settings = Settings { places, threads };
    Program { path: own.with_file_name("llmbasedos-embed"), arguments: Vec::new(), settings }
}

fn query(model: &mut dyn Embed, n: usize) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    model.embed(Role::Query, &[format!("where did I put the invoice number {n} of the plumber")])?;
    Ok(begun.elapsed())
}

/// As many chunks a pass as the worker gives it; seconds for all of them, without loading.
fn of_ours(models: &Path, threads: usize, texts: &[String]) -> anyhow::Result<f64> {
    let mut model = program(models, threads).load()?;
    let begun = Instant::now();
    for pass in texts.chunks(model.at_once()) {
        model.embed(Role::Passage, pass)?;
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// Seconds for all of them, without loading, by the better of one at a time and its own batches.
fn of_fastembed(models: &Path, threads: usize, texts: &Path) -> anyhow::Result<f64> {
    let python = installed::python(FASTEMBED)?.join("python");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/search/embedding.py");
    let ended = Command::new(python)
        .arg(script)
        .args([&models.join(MODEL), texts])
        .arg(threads.to_string())
        .output()?;
    ensure!(ended.status.success(), "fastembed: {}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout)?.trim().parse().context("no seconds")
}
