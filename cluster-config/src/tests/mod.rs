//! What a person sees: files and variables in, settings or mistakes out.

mod anything;
mod mistakes;
mod places;
mod tiers;

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fs::Mode;
use crate::load::LEAVES;
use crate::shape::plain;
use crate::{AllowedModels, Environment, Flags, Loaded, Mistakes, Source, Tiers, effective, load};

/// A directory of settings with these files.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn flags(directory: &Path) -> Flags {
    Flags { config_dir: Some(directory.to_owned()), ..Flags::default() }
}

fn load_files(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Loaded, Mistakes> {
    let directory = directory(files);
    load(&flags(directory.path()), &Environment::of(variables.iter().copied()))
}

#[track_caller]
fn loaded(yaml: &str, variables: &[(&str, &str)]) -> Loaded {
    load_files(&[("llmbasedos.yaml", yaml)], variables).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn value(loaded: &Loaded, key: &str) -> (Value, String) {
    let one = effective(loaded).into_iter().find(|one| one.key == key).unwrap();
    (one.value, one.source)
}

/// `yaml` has exactly these mistakes, as a person reads them.
#[track_caller]
fn check(yaml: &str, expected: &[&str]) {
    check_all(&[("llmbasedos.yaml", yaml)], &[], expected);
}

#[track_caller]
fn check_tiers(yaml: &str, expected: &[&str]) {
    check_all(&[("licence_tiers.yaml", yaml)], &[], expected);
}

#[track_caller]
fn check_all(files: &[(&str, &str)], variables: &[(&str, &str)], expected: &[&str]) {
    let found = load_files(files, variables).err().map(|mistakes| mistakes.to_string()).unwrap_or_default();
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
}
