//! `llmbasedos serve`: run until told to stop.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use cluster_config::{Environment, Flags, Loaded, LogFormat};
use edge::Edges;
use supervisor::{Exit, Tree};

use super::note;
use crate::app::{App, Role};
use crate::args::Serve;
use crate::signals::Signals;
use crate::{handed, leftovers, mounts, notify, orphans, owner_token};

pub(crate) fn run(flags: &Flags, environment: &Environment, asked: Serve) -> anyhow::Result<ExitCode> {
    let handed = handed::take()?;
    let loaded = Arc::new(cluster_config::load(flags, environment)?);
    let format = match loaded.settings.log.format {
        LogFormat::Auto => telemetry::Format::Auto,
        LogFormat::Human => telemetry::Format::Human,
        LogFormat::Json => telemetry::Format::Json,
    };
    let log = telemetry::start(&loaded.settings.log.level, format)?;
    supervisor::install_panic_hook();
    mounts::check(&loaded.settings)?;
    for warning in loaded.warnings.iter().chain(&mounts::warnings(&loaded.settings)) {
        tracing::warn!("{warning}");
    }
    if asked.owner_token {
        owner_token::at_first_start(&loaded)?;
    }
    // Two workers at least: with one, a handler that never awaits would take everything with it.
    let workers = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    let role = if asked.conformance { Role::Conformance } else { Role::Daemon };
    let code = runtime.block_on(async {
        let signals = Signals::listen()?;
        let app = App::make(&loaded, flags.clone(), environment.clone(), log, role, handed)?;
        serve(app, &loaded, signals).await
    })?;
    // What is still stuck in the kernel was reported; the process does not wait for it.
    runtime.shutdown_timeout(Duration::from_millis(100));
    Ok(code)
}

async fn serve(app: App, loaded: &Loaded, mut signals: Signals) -> anyhow::Result<ExitCode> {
    let grace = Duration::from_secs(loaded.settings.shutdown_seconds);
    // Held to the end: the run directory is ours, and cleaned up, by this.
    let _run_dir = app.run_dir;
    let tree = supervisor::start(app.root).await?;
    app.admin.watch(tree.clone());
    app.edges.set_ready(true);
    note(&app.ready);
    notify::ready(&app.ready);
    if std::io::stderr().is_terminal() {
        next_steps(loaded);
    }
    tokio::select! {
        signal = signals.next() => {
            tracing::info!(signal, "stopping: finishing what is under way (again to end at once)");
            notify::stopping();
            app.edges.set_ready(false);
            app.admin.stop_following();
            app.mcp.stop_listening();
            tokio::select! {
                exit = tree.stop(grace) => Ok(verdict(&exit)),
                signal = signals.next() => {
                    tracing::warn!(signal, "ended at once");
                    std::process::exit(1);
                }
            }
        }
        exit = ended(&tree) => Ok(verdict(&exit)),
        never = notify::keep_saying_so(&tree, || status(&app.edges)) => match never {},
        never = orphans::bury_for_ever() => match never {},
        never = leftovers::give_back() => match never {},
    }
}

fn status(edges: &Edges) -> String {
    match edges.connections() {
        1 => "serving 1 connection".into(),
        n => format!("serving {n} connections"),
    }
}

async fn ended(tree: &Tree) -> Exit {
    tree.wait().await
}

/// A tree that gave up ends the process with a code that has it restarted.
fn verdict(exit: &Exit) -> ExitCode {
    match exit {
        Exit::Stopped => ExitCode::SUCCESS,
        Exit::Exhausted { what } => {
            tracing::error!("the supervision tree gave up: {what}");
            ExitCode::FAILURE
        }
    }
}

fn next_steps(loaded: &Loaded) {
    let token = loaded.config_dir.join("token");
    if token.exists() {
        note(&format!("In a second terminal: luca-shell --token-file {}", token.display()));
    } else {
        note("In a second terminal: luca-shell, with a token from `llmbasedos token create NAME`");
    }
    let config_dir = loaded.config_dir.display();
    note(&format!(
        "To connect a host: llmbasedos mcp-config claude-desktop --config-dir {config_dir} (or vscode, cursor…)"
    ));
    note("Ctrl-C stops.");
}
