//! A person at the terminal: prompt, run, prompt again, until they leave. The connection is kept up meanwhile.

use std::sync::Arc;

use futures_util::FutureExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client::{Client, Link};
use crate::editor::{Printer, Prompter, Said};
use crate::failure::Failure;
use crate::folders::Folders;
use crate::line;
use crate::render::escape;
use crate::session::{Flow, Knowledge, Session};

/// Runs until `exit` or Ctrl-D; the exit code.
pub(crate) async fn run(mut session: Session) -> u8 {
    let (folders, learn) = Folders::new(session.client.clone());
    let knowledge = session.knowledge.clone();
    let started =
        Prompter::start(knowledge, session.client.clone(), folders, session.screen.paint_of_prompt());
    let (prompter, printer) = match started {
        Ok(started) => started,
        Err(error) => {
            session.screen.note(&format!("this terminal cannot be used: {error}"));
            return 2;
        }
    };
    // From here on Ctrl-C ends a command and no longer the shell.
    let mut interrupts = match signal(SignalKind::interrupt()) {
        Ok(interrupts) => interrupts,
        Err(error) => {
            session.screen.failure(&error.into());
            return 2;
        }
    };
    session.prompter = Some(prompter.clone());
    let greeting = interruptible(&mut interrupts, session.greet()).await;
    if let Err(failure) = greeting {
        session.screen.failure(&failure);
    }
    let mut beside = JoinSet::new();
    beside.spawn(learn);
    beside.spawn(announce(session.client.watch(), printer));
    beside.spawn(keep_catalogue(session.knowledge.clone(), session.client.clone()));
    loop {
        let line = match prompter.command().await {
            Said::Line(line) => line,
            Said::Interrupted => continue,
            Said::End => return 0,
        };
        for command in line::commands(&line) {
            match interruptible(&mut interrupts, session.run(command)).await {
                Ok(Flow::Continue) => {}
                Ok(Flow::Exit(code)) => return code,
                Err(failure) => {
                    session.screen.failure(&failure);
                    break;
                }
            }
        }
        // What a command printed before it was interrupted belongs before the prompt.
        if session.screen.flush().is_err() {
            return 1;
        }
    }
}

/// Runs a command until it is done or Ctrl-C is pressed; dropping it cancels what it had asked the server for.
async fn interruptible<T>(
    interrupts: &mut Signal,
    command: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    // One that was pressed earlier was meant for something else.
    while interrupts.recv().now_or_never().is_some() {}
    tokio::select! {
        biased;
        _ = interrupts.recv() => Err(Failure::Interrupted),
        outcome = command => outcome,
    }
}

/// Says above the prompt that the connection went or came. What `connect` does, it says itself.
async fn announce(mut link: watch::Receiver<Link>, mut say: Printer) {
    let mut before = link.borrow_and_update().clone();
    while link.changed().await.is_ok() {
        let now = link.borrow_and_update().clone();
        match (&before, &now) {
            (Link::Up { .. }, Link::Down { reason }) => {
                say(&escape::line(&format!("{reason}; trying to reconnect")));
            }
            (Link::Down { .. }, Link::Up { .. }) => say("connected"),
            _ => {}
        }
        before = now;
    }
}

/// Learns the methods anew under each connection, before the first Tab asks for them.
async fn keep_catalogue(knowledge: Arc<Knowledge>, client: Client) {
    let mut link = client.watch();
    loop {
        let now = link.borrow_and_update().clone();
        if matches!(now, Link::Up { .. }) && knowledge.catalogue(&now).is_none() {
            // Without it completion knows the builtins only; a command that needs it asks again and says why.
            let _ = knowledge.learn(&client).await;
        }
        if link.changed().await.is_err() {
            return;
        }
    }
}
