//! The daemon and its command line: where the parts are put together.
//!
//! `app` makes every part in order, `tree` says who supervises whom, `signals` says when it ends, `notify` tells whoever
//! started us, and `orphans` is what a container's process 1 owes besides. Nothing else in the project knows all parts.

mod app;
mod args;
mod beside;
mod commands;
mod doors;
mod fixtures;
mod handed;
mod leftovers;
mod mounts;
mod notify;
mod orphans;
mod outside;
mod owner_token;
mod roots;
mod signals;
mod tree;
mod workflows;

use std::process::ExitCode;

use clap::Parser as _;
use cluster_config::Environment;

use crate::args::{Args, Command};

/// Wrong usage or wrong settings: a restart would change nothing.
const EXIT_USAGE: u8 = 2;

/// Runs the program and returns its exit code: 0 done, 1 failed, 2 wrong usage or settings.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let environment = Environment::process();
    let flags = args.flags();
    let outcome = match args.command {
        Command::Serve(asked) => commands::serve::run(&flags, &environment, asked),
        Command::Healthcheck => commands::healthcheck::run(&flags, &environment),
        Command::Stdio => commands::stdio::run(&flags, &environment),
        Command::Init { dir } => commands::init::run(&dir, &environment),
        Command::Token(command) => commands::token::run(command, &flags, &environment),
        Command::Licence(command) => commands::licence::run(command, &flags, &environment),
        Command::McpConfig(asked) => commands::mcp_config::run(&asked, &flags, &environment),
        Command::Doctor => commands::doctor::run(&flags, &environment),
        Command::Confined { spec } => Err(sync::become_confined(&spec).into()),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            commands::complain(&error);
            let wrong_settings = error.is::<cluster_config::Mistakes>() || error.is::<commands::Usage>();
            if wrong_settings { ExitCode::from(EXIT_USAGE) } else { ExitCode::FAILURE }
        }
    }
}

pub use app::{catalog, descriptions};
