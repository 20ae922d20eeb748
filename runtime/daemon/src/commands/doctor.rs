//! `llmbasedos doctor`: what is missing or wrong, and how to put it right. It changes nothing.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::ExitCode;

use cluster_config::models::{Kind, load_models};
use cluster_config::{Environment, Flags, Loaded};
use gateway::Tokens;
use jiff::Timestamp;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use store::Store;

use super::say;
use crate::app::read_licence;

/// Idle connections promised, and some for files.
const OPEN_FILES_WANTED: u64 = 12_500;

/// One finding.
enum Finding {
    Fine(String),
    /// Works, and could be better.
    Note(String),
    /// Does not work, with what to do.
    Wrong(String),
}

use Finding::{Fine, Note, Wrong};

pub(crate) fn run(flags: &Flags, environment: &Environment) -> anyhow::Result<ExitCode> {
    let loaded = cluster_config::load(flags, environment)?;
    let findings: Vec<Finding> = [
        settings(&loaded),
        vec![folder("state", &loaded.settings.state_dir), folder("run", &loaded.settings.run_dir)],
        vec![address(&loaded), licence(&loaded), tokens(&loaded), token_file(&loaded)],
        roots(&loaded),
        models(&loaded, environment),
        vec![meaning(&loaded)],
        sync(&loaded, environment),
        vec![confinement(), open_files()],
    ]
    .into_iter()
    .flatten()
    .collect();
    for finding in &findings {
        match finding {
            Fine(text) => say(&format!("ok    {text}")),
            Note(text) => say(&format!("note  {text}")),
            Wrong(text) => say(&format!("WRONG {text}")),
        }
    }
    let wrong = findings.iter().filter(|finding| matches!(finding, Wrong(_))).count();
    say(&match wrong {
        0 => "Nothing is wrong.".to_owned(),
        1 => "1 thing is wrong.".to_owned(),
        n => format!("{n} things are wrong."),
    });
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn settings(loaded: &Loaded) -> Vec<Finding> {
    let file = loaded.config_dir.join("llmbasedos.yaml");
    let mut findings = vec![if file.exists() {
        Fine(format!("settings are in {}", file.display()))
    } else {
        Note(format!(
            "no {}: all settings are defaults. `llmbasedos init DIR` lays out a folder",
            file.display()
        ))
    }];
    findings.extend(loaded.warnings.iter().map(|warning| Note(warning.clone())));
    findings
}

/// Which models there are, or what is wrong with their file; without any, the quickest ways to one.
fn models(loaded: &Loaded, environment: &Environment) -> Vec<Finding> {
    let file = &loaded.settings.models_file;
    let (models, warnings) = match load_models(file, environment) {
        Ok(loaded) => loaded,
        Err(mistakes) => return mistakes.0.iter().map(|mistake| Wrong(mistake.to_string())).collect(),
    };
    let warnings = warnings.into_iter().map(Note);
    if models.is_empty() {
        let ways = Note(format!(
            "no language model is configured. Three quick ways to one: set OPENAI_API_KEY; or `ollama pull llama3.2`, \
             and `models: {{local: {{provider: ollama, model: llama3.2}}}}` in {}; or start llama-server and set \
             LLAMA_CPP_API_BASE_URL=http://127.0.0.1:8080/v1",
            file.display()
        ));
        return std::iter::once(ways).chain(warnings).collect();
    }
    let default = models.default_of(Kind::Chat);
    let listed = models.iter().map(|(alias, model)| {
        let marked = if default == Some(alias) { ", the default" } else { "" };
        let text =
            format!("model {alias} is {} of {} at {}{marked}", model.model, model.provider, model.base_url);
        match &model.unusable {
            None => Fine(text),
            Some(why) => Note(format!("{text}, and cannot be used: {why}")),
        }
    });
    listed.chain(warnings).collect()
}

/// What makes vectors of texts for `mcp.fs.search`.
fn meaning(loaded: &Loaded) -> Finding {
    let places = crate::beside::embedding_places(&loaded.settings);
    match places.look() {
        Ok(()) => Fine(format!(
            "files are searched by meaning with {} in {}",
            places.model,
            places.folder().display()
        )),
        Err(error) => Note(format!("files are searched by words only: {error}")),
    }
}

/// Whether sync jobs can run, and what holds rclone to the roots.
fn sync(loaded: &Loaded, environment: &Environment) -> Vec<Finding> {
    let settings = &loaded.settings.sync;
    let config = settings.rclone_config.display();
    let search_path = environment.get("PATH").unwrap_or_default();
    let jobs = match sync::find(&settings.rclone_executable, search_path) {
        None => Note(format!(
            "'{}' is not installed, so rclone can do no sync job: `apt install rclone`, or set sync.rclone_executable",
            settings.rclone_executable
        )),
        Some(_) if !settings.rclone_config.exists() => {
            Note(format!("rclone has no remotes to sync with: `rclone config --config {config}` makes them"))
        }
        Some(program) => Fine(format!("sync jobs use {} with the remotes of {config}", program.display())),
    };
    let held = if sync::landlock_is_here() {
        Fine("the kernel holds rclone to the roots (Landlock)".into())
    } else {
        let without =
            "this kernel has no Landlock: rclone is held to the roots by checks of paths and remotes alone";
        Note(without.into())
    };
    vec![jobs, held]
}

/// Whether a folder is there and writable, or could be made.
fn folder(what: &str, path: &Path) -> Finding {
    let mut there = path;
    while !there.exists() {
        match there.parent() {
            Some(parent) => there = parent,
            None => break,
        }
    }
    let writable = rustix::fs::access(there, rustix::fs::Access::WRITE_OK).is_ok();
    match (there == path, writable) {
        (true, true) => Fine(format!("{what} folder {} is writable", path.display())),
        (false, true) => Fine(format!("{what} folder {} will be made", path.display())),
        (_, false) => Wrong(format!(
            "{what} folder {}: no permission. Choose another with --{what}-dir, or give it to this user: \
             chown $(id -u) {}",
            path.display(),
            there.display()
        )),
    }
}

fn address(loaded: &Loaded) -> Finding {
    let listen = &loaded.settings.listen;
    match std::net::TcpListener::bind(listen.as_str()) {
        Ok(_) if listen.is_loopback() => Fine(format!("{} is free, for this machine only", listen.as_str())),
        Ok(_) => Note(format!(
            "{} is free and open to the network: tokens travel in clear unless TLS ends before it",
            listen.as_str()
        )),
        Err(error) => Wrong(format!(
            "{}: {error}. If a daemon runs there already, all is well; else choose another with --listen",
            listen.as_str()
        )),
    }
}

fn licence(loaded: &Loaded) -> Finding {
    let now = Timestamp::now();
    match read_licence(&loaded.settings.licence, &loaded.tiers) {
        Err(why) => Wrong(why),
        Ok(licence) => match (&licence.warning, licence.expires) {
            (Some(warning), _) => Note(format!("licence counts as FREE: {warning}")),
            (None, Some(end)) if licence.expired_at(now) => {
                Note(format!("licence counts as FREE: it expired at {end:.0}"))
            }
            (None, _) => Fine(format!("licence {} of {}", licence.tier, licence.user)),
        },
    }
}

fn tokens(loaded: &Loaded) -> Finding {
    let file = loaded.settings.state_dir.join("llmbasedos.db");
    if !file.exists() {
        return Note("no state file yet: `llmbasedos token create NAME` makes it and a token".into());
    }
    let read = Store::open(&loaded.settings.state_dir).and_then(|store| store.read_blocking(Tokens::read));
    match read.map(|tokens| tokens.by_name().len()) {
        Err(error) => Wrong(error.to_string()),
        Ok(0) => {
            Note("no tokens: nobody can come in over TCP. `llmbasedos token create NAME` makes one".into())
        }
        Ok(1) => Fine(format!("1 token in {}", file.display())),
        Ok(n) => Fine(format!("{n} tokens in {}", file.display())),
    }
}

fn token_file(loaded: &Loaded) -> Finding {
    let file = loaded.config_dir.join("token");
    match std::fs::metadata(&file) {
        Err(_) => Note(format!("no {}: luca-shell needs --token or LLMBDO_TOKEN", file.display())),
        Ok(data) if !readable_by_others(&data) => {
            Fine(format!("{} is its owner's alone (uid {})", file.display(), data.uid()))
        }
        Ok(_) => Wrong(format!("others can read {0}: chmod 600 {0}", file.display())),
    }
}

fn readable_by_others(data: &std::fs::Metadata) -> bool {
    data.permissions().mode() & 0o077 != 0
}

fn roots(loaded: &Loaded) -> Vec<Finding> {
    let roots = loaded.settings.fs.roots.iter();
    roots
        .map(|root| match std::fs::read_dir(&root.path) {
            Ok(_) => Fine(format!("root {} is {}", root.at, root.path.display())),
            Err(error) => Wrong(format!(
                "root {}: {}: {error}. Make it, or change fs.roots",
                root.at,
                root.path.display()
            )),
        })
        .collect()
}

/// Confinement is the kernel's: openat2 with `RESOLVE_BENEATH`, Linux 5.6.
fn confinement() -> Finding {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::openat2(CWD, ".", flags, Mode::empty(), ResolveFlags::BENEATH) {
        Ok(_) => Fine("the kernel confines paths (openat2)".into()),
        Err(error) => {
            Note(format!("openat2: {error}. Paths are confined step by step instead, which is slower"))
        }
    }
}

fn open_files() -> Finding {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    match limit {
        Some(n) if n < OPEN_FILES_WANTED => Note(format!(
            "{n} open files are allowed: enough for {} connections. `ulimit -n 16384` allows more",
            n.saturating_sub(200)
        )),
        _ => Fine("enough open files are allowed".into()),
    }
}
