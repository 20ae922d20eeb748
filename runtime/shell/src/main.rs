//! `luca-shell`: the terminal of a daemon that serves JSON-RPC 2.0.
//!
//! A line becomes words ([`line`]); the first is a builtin ([`builtins`], one table) or a method's name
//! ([`catalogue`]), whose params are made from the rest by its schema ([`call`]). A [`session`] carries it out
//! over a [`client`] that reconnects by itself, and everything printed goes through [`render`], which takes escape
//! sequences out of what a server sent. A person types at a [`repl`] (whose [`editor`] completes by [`complete`]); a
//! [`script`] needs nobody.
//!
//! The shell knows the daemon by its protocol only: it has no second door past policy and quota.

mod args;
mod builtins;
mod call;
mod catalogue;
mod client;
mod complete;
mod editor;
mod failure;
mod folders;
mod history;
mod line;
mod path;
mod render;
mod repl;
mod script;
mod session;
mod token;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use crate::args::Args;
use crate::client::{Client, Endpoint};
use crate::render::{Format, Screen};
use crate::session::{Knowledge, Session};

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            Screen::standard(Format::People, false).failure(&error.into());
            return ExitCode::from(2);
        }
    };
    let code = runtime.block_on(run(args));
    // A thread that still waits for a line is not waited for.
    runtime.shutdown_background();
    ExitCode::from(code)
}

async fn run(args: Args) -> u8 {
    let format = if args.json { Format::Json } else { Format::People };
    let mut screen = Screen::standard(format, args.colour());
    let wallet = args.wallet();
    let endpoint = Endpoint { token: wallet.token_for(&args.url), target: args.url };
    if let Some(warning) = endpoint.token.warning() {
        screen.note(&warning);
    }
    let client = Client::open(endpoint.clone());
    let mut session = Session {
        client: client.clone(),
        screen,
        knowledge: Arc::new(Knowledge::new()),
        wallet,
        endpoint,
        previous: "/".into(),
        prompter: None,
        stdin_is_free: false,
        patience: args.timeout,
    };
    let code = if !args.commands.is_empty() {
        script::run_lines(&mut session, &args.commands).await
    } else if std::io::stdin().is_terminal() {
        repl::run(session).await
    } else {
        script::run_stdin(&mut session).await
    };
    client.close().await;
    code
}
