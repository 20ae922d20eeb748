//! `llmbasedos init DIR`: a folder that can be served at once.

use std::path::Path;
use std::process::ExitCode;

use cluster_config::{Environment, Flags};

use super::{note, say};
use crate::owner_token;

pub(crate) fn run(dir: &Path, environment: &Environment) -> anyhow::Result<ExitCode> {
    for made in cluster_config::init(dir, environment)? {
        say(&format!("{} {}", if made.kept { "kept   " } else { "created" }, made.path.display()));
    }
    let flags = Flags { config_dir: Some(dir.to_owned()), ..Flags::default() };
    let loaded = cluster_config::load(&flags, environment)?;
    let file = dir.join("token");
    if file.exists() {
        say(&format!("kept    {}", file.display()));
    } else {
        owner_token::make(&loaded.settings, &file)?;
        say(&format!("created {} (the owner's token: keep it to yourself)", file.display()));
    }
    note(&format!("Start it: llmbasedos serve --config-dir {}", dir.display()));
    Ok(ExitCode::SUCCESS)
}
