//! What the first process of a container owes the others: it buries orphans and passes signals on.
//!
//! The kernel gives every orphan to process 1, and leaves a dead one there until somebody waits for it. The daemon
//! itself cannot wait for just anybody: it would take away the statuses of its own children from those who wait for
//! these. So `llmbasedos serve`, started as process 1, starts itself once more as the daemon, and does nothing but
//! this. Anywhere else (systemd, `docker run --init`, a terminal) there is no such process.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, wait};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

use crate::commands::note;

/// What is passed on; the kernel keeps from process 1 what it does not listen for.
const PASSED_ON: [Signal; 6] =
    [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];

/// A shell's way to say that a signal ended a program.
const BY_SIGNAL: i32 = 128;

/// Whether this is process 1.
pub(crate) fn is_this() -> bool {
    getpid().is_init()
}

/// Runs this same command as a child, and ends as it ends.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before there is a child, so that its end is not missed.
        let mut ended = signal(SignalKind::child())?;
        let told = PASSED_ON.map(|passed_on| {
            signal(SignalKind::from_raw(passed_on.as_raw())).map(|signals| (passed_on, signals))
        });
        let mut told = told.into_iter().collect::<Result<Vec<_>, _>>()?;
        let daemon = start()?;
        loop {
            tokio::select! {
                _ = ended.recv() => if let Some(code) = bury(daemon) { return Ok(code) },
                // It has ended already when this fails, which the next turn sees.
                passed_on = next(&mut told) => drop(kill_process(daemon, passed_on)),
            }
        }
    })
}

/// In a process group of its own: a terminal sends Ctrl-C to a whole group, and two of them mean "at once".
fn start() -> anyhow::Result<Pid> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let child = Command::new(&program).args(std::env::args_os().skip(1)).process_group(0).spawn();
    let child = child.with_context(|| format!("cannot start {}", program.display()))?;
    Ok(Pid::from_child(&child))
}

async fn next(told: &mut [(Signal, Signals)]) -> Signal {
    let any = told.iter_mut().map(|(passed_on, signals)| {
        Box::pin(async {
            signals.recv().await;
            *passed_on
        })
    });
    futures_util::future::select_all(any).await.0
}

/// Waits for all that have ended; a code when the daemon is among them.
fn bury(daemon: Pid) -> Option<ExitCode> {
    while let Ok(Some((process, status))) = wait(WaitOptions::NOHANG) {
        if process == daemon {
            return Some(code(status));
        }
    }
    None
}

fn code(status: WaitStatus) -> ExitCode {
    let signal = status.terminating_signal();
    if let Some(signal) = signal {
        note(&format!("llmbasedos: signal {signal} ended the daemon"));
    }
    let code = status.exit_status().or(signal.map(|signal| BY_SIGNAL + signal));
    code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
