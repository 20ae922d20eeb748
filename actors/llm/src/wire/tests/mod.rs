//! What a caller sees of each protocol: golden files for requests and answers, tables for what is refused.

mod answers;
mod checks;
mod embeddings;
mod errors;
mod requests;
mod splits;

use std::fs;
use std::path::{Path, PathBuf};

use cluster_config::Environment;
use serde_json::Value;

use super::Protocol;

const PROTOCOLS: &[(&str, Protocol)] = &[
    ("openai", Protocol::OpenAi),
    ("anthropic", Protocol::Anthropic),
    ("gemini", Protocol::Gemini),
    ("ollama", Protocol::Ollama),
];

const CREATED_S: u64 = 1_700_000_000;
const ID: &str = "chatcmpl-1";

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wire/golden").join(name)
}

/// Names of the files of a folder that end in `end`, without it.
fn names(folder: &str, end: &str) -> Vec<String> {
    let entries = fs::read_dir(golden(folder)).unwrap();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.unwrap().file_name().to_str().unwrap().strip_suffix(end).map(str::to_owned))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "{folder} has no {end}");
    names
}

fn text(name: &str) -> String {
    fs::read_to_string(golden(name)).unwrap()
}

fn json(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap()
}

/// The file is what is derived; `UPDATE=1` makes it so.
#[track_caller]
fn check_file(name: &str, derived: &str) {
    let path = golden(name);
    let stale = fs::read_to_string(&path).unwrap_or_default() != derived;
    if stale && Environment::process().get("UPDATE") == Some("1") {
        fs::write(&path, derived).unwrap();
    } else {
        assert!(!stale, "golden/{name} is stale: UPDATE=1 cargo test -p llmbasedos-llm; derived:\n{derived}");
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
