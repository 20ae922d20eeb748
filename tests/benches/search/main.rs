//! The search by meaning beside what people use in Python: texts made vectors, neighbours found, whole searches.
//!
//! `make bench-search` prints tables for the README. Both sides have the same texts, vectors and cores, and take turns in
//! one run. It is no test: it ends with 0 whatever it finds.

#![expect(clippy::print_stdout, reason = "the tables are the program's output")]

#[path = "../installed.rs"]
mod installed;

mod embedding;
mod neighbours;
mod random;
mod whole;

use std::path::PathBuf;

use clap::Parser;

/// Measures the search by meaning, beside fastembed and FAISS.
#[derive(Parser)]
struct Options {
    /// How many chunks to look for neighbours among; several with commas.
    #[arg(long, default_value = "100000", value_delimiter = ',')]
    chunks: Vec<usize>,
    /// Keep here what is built, and measure it again without building.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Only one part.
    #[arg(long)]
    only: Option<Part>,
    /// Not beside anything.
    #[arg(long)]
    alone: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Embedding,
    Neighbours,
    Whole,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let wants = |part| options.only.is_none_or(|only| only == part);
    let temporary = tempfile::tempdir()?;
    let folder = options.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    if wants(Part::Embedding) {
        embedding::measure(&folder, options.alone)?;
    }
    for &chunks in &options.chunks {
        if wants(Part::Neighbours) {
            neighbours::measure(&folder, chunks, options.alone)?;
        }
        if wants(Part::Whole) {
            whole::measure(&folder, chunks)?;
        }
    }
    Ok(())
}
