//! `llmbasedos init DIR`: a folder that can be served at once.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use cluster_config::{Environment, Flags};
use gateway::NewToken;

use super::{note, say};
use crate::app::open_store;

/// The name of the token that `init` makes.
const OWNER: &str = "owner";

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
        owner_token(&loaded.settings, &file)?;
        say(&format!("created {} (the owner's token: keep it to yourself)", file.display()));
    }
    note(&format!("Start it: llmbasedos serve --config-dir {}", dir.display()));
    Ok(ExitCode::SUCCESS)
}

/// Makes the owner's token anew: the file is the only place where it stands in clear, so without the file the
/// old one is of no use to anybody.
fn owner_token(settings: &cluster_config::Settings, file: &Path) -> anyhow::Result<()> {
    let store = open_store(settings)?;
    let secret = gateway::secret();
    let hash = gateway::hash(&secret);
    let token = NewToken { name: OWNER.into(), tier: None, allow: Vec::new(), expires: None };
    let written = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    written
        .and_then(|mut out| out.write_all(format!("{secret}\n").as_bytes()).and_then(|()| out.sync_all()))
        .with_context(|| format!("cannot write {}", file.display()))?;
    store.write_blocking(move |db| {
        gateway::revoke(db, OWNER)?;
        token.insert(db, hash)
    })?;
    Ok(())
}
