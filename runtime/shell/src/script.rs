//! Commands without a person: `-c`, or lines on standard input. The first failure ends it.

use std::io::BufRead;

use tokio::sync::mpsc;

use crate::session::{Flow, Session};

/// Runs the lines given by `-c`; the exit code.
pub(crate) async fn run_lines(session: &mut Session, lines: &[String]) -> u8 {
    session.stdin_is_free = true;
    for line in lines {
        if let Some(code) = step(session, line).await {
            return code;
        }
    }
    0
}

/// Runs what standard input says; the exit code.
pub(crate) async fn run_stdin(session: &mut Session) -> u8 {
    // A thread of its own, because whoever writes the lines may take their time while the connection must live.
    let (sender, mut lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    let mut number = 0_u32;
    while let Some(line) = lines.recv().await {
        number += 1;
        let code = match line {
            Ok(line) => step(session, &line).await,
            Err(error) => {
                session.screen.failure(&error.into());
                Some(1)
            }
        };
        if let Some(code) = code {
            if code != 0 {
                session.screen.note(&format!("stopped at line {number}"));
            }
            return code;
        }
    }
    0
}

/// Runs one line; the exit code when it was the last.
async fn step(session: &mut Session, line: &str) -> Option<u8> {
    match session.run(line).await {
        Ok(Flow::Continue) => None,
        Ok(Flow::Exit(code)) => Some(code),
        Err(failure) => {
            session.screen.failure(&failure);
            // The failure is what counts; output that cannot be written either would only repeat it.
            let _ = session.screen.flush();
            Some(failure.exit_code())
        }
    }
}
