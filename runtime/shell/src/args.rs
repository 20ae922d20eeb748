//! The command line of `luca-shell` itself.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::client::Target;
use crate::token::{Token, TokenSource, Wallet};

/// The terminal of llmbasedos: browse and change the daemon's files, call any of its methods.
///
/// Without -c it reads commands from the terminal, or a script from standard input (one command a line, # begins a
/// comment line). -c and scripts stop at the first failure. Exit code: 0 all went well, 1 a call failed, 2 wrong
/// usage or no connection.
#[derive(Parser)]
#[command(name = "luca-shell", version)]
pub(crate) struct Args {
    #[arg(
        long,
        value_name = "URL",
        env = "LLMBDO_GATEWAY_WS_URL",
        default_value = "ws://127.0.0.1:8000/ws",
        help = "The daemon: ws://HOST:PORT/ws, HOST:PORT or unix:/path/gateway.sock"
    )]
    pub(crate) url: Target,

    /// The token that says who you are; other users of this machine can see it in the process list, so prefer the
    /// variable or a file
    #[arg(long, value_name = "TOKEN", env = "LLMBDO_TOKEN", hide_env_values = true)]
    token: Option<String>,

    /// A file with the token; it is used rather than --token [default, for a daemon on this machine:
    /// .llmbasedos/token, then /etc/llmbasedos/token]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Run this command and exit; may be repeated
    #[arg(short = 'c', value_name = "LINE")]
    pub(crate) commands: Vec<String>,

    /// Print each result as one line of JSON, and errors as JSON on standard error
    #[arg(long)]
    pub(crate) json: bool,

    /// No colours (also: the variable `NO_COLOR`, or an output that is no terminal)
    #[arg(long)]
    no_color: bool,

    /// `NO_COLOR` counts whatever it holds (no-color.org), so it is read as text.
    #[arg(long, env = "NO_COLOR", hide = true, hide_env = true)]
    no_color_variable: Option<String>,

    /// Give up on a call that has been silent for this long; 0 never does
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub(crate) timeout: Duration,
}

impl Args {
    pub(crate) fn colour(&self) -> bool {
        !self.no_color && self.no_color_variable.as_deref().is_none_or(str::is_empty)
    }

    /// What was said about tokens; an empty variable says nothing.
    pub(crate) fn wallet(&self) -> Wallet {
        let token = self.token.as_deref().and_then(Token::new).map(TokenSource::Given);
        let given = self.token_file.clone().map(TokenSource::File).or(token).unwrap_or(TokenSource::Absent);
        Wallet { given, meant_for: self.url.clone() }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    let limit = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    Ok(if limit.is_zero() { Duration::MAX } else { limit })
}
