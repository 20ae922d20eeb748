//! The owner's token: made by `init`, or by a first start where nobody can run that. Its file is the only place where
//! it stands in clear.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cluster_config::{Loaded, Settings};
use gateway::{NewToken, Tokens};

use crate::app::open_store;
use crate::commands::note;

/// The name of the token.
const OWNER: &str = "owner";

/// Makes it anew: without the file the old one is of no use to anybody.
pub(crate) fn make(settings: &Settings, file: &Path) -> anyhow::Result<()> {
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

/// Makes it in the state folder if there is no token at all, and says how to read it.
pub(crate) fn at_first_start(loaded: &Loaded) -> anyhow::Result<()> {
    if open_store(&loaded.settings)?.read_blocking(|db| Ok(Tokens::read(db)?.by_name().len()))? > 0 {
        return Ok(());
    }
    let file = at_home(&loaded.settings);
    // Of a start that was cut off between the file and the token, or of a state file that is gone.
    let _ = std::fs::remove_file(&file);
    make(&loaded.settings, &file)?;
    note(&format!(
        "There was no token, so the owner's was made, in {}. `llmbasedos token show` prints it \
         (docker exec CONTAINER llmbasedos token show).",
        file.display()
    ));
    Ok(())
}

/// Where the file is: where `init` put it, or where a first start did.
pub(crate) fn find(loaded: &Loaded) -> anyhow::Result<PathBuf> {
    let places = [loaded.config_dir.join("token"), at_home(&loaded.settings)];
    match places.iter().find(|place| place.exists()) {
        Some(place) => Ok(place.clone()),
        None => anyhow::bail!(
            "the owner's token is in neither {} nor {}: `llmbasedos token create NAME` makes another",
            places[0].display(),
            places[1].display()
        ),
    }
}

fn at_home(settings: &Settings) -> PathBuf {
    settings.state_dir.join("token")
}
