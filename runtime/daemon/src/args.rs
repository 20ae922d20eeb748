//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use cluster_config::Flags;

use crate::commands::mcp_config::Client;

/// Safe, metered access to a person's files for any LLM host, over JSON-RPC.
#[derive(Parser)]
#[command(name = "llmbasedos", version, max_term_width = 100)]
pub(crate) struct Args {
    /// Folder of the settings.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        help = "Folder of the settings [env: LLMBDO_CONFIG_DIR] [default: /etc/llmbasedos]"
    )]
    config_dir: Option<PathBuf>,
    /// Folder of what must outlast the process.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        help = "Folder of what must outlast the process [env: LLMBDO_STATE_DIR]"
    )]
    state_dir: Option<PathBuf>,
    /// Folder of sockets and capability files.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        help = "Folder of sockets and capability files [env: LLMBDO_RUN_DIR]"
    )]
    run_dir: Option<PathBuf>,
    /// The folder that callers see as /.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        help = "The folder that callers see as / [env: LLMBDO_FS_VIRTUAL_ROOT]"
    )]
    root: Option<PathBuf>,
    /// Where to listen for WebSocket and HTTP.
    #[arg(
        long,
        global = true,
        value_name = "HOST:PORT",
        help = "Where to listen for WebSocket and HTTP [env: LLMBDO_LISTEN]"
    )]
    listen: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the daemon in the foreground, until SIGTERM or SIGINT.
    Serve(Serve),
    /// Speak on standard input and output, one message a line, for a host that starts its servers; passes on to the
    /// daemon that is running, or does without. The token is in `LLMBDO_TOKEN`, if it takes one.
    Stdio,
    /// Lay out a folder with commented settings, a licence and the owner's token.
    Init {
        /// The folder; made if need be, and nothing in it is overwritten.
        dir: PathBuf,
    },
    /// Make, list and revoke the tokens by which callers are known.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Show the licence in force, or sign licences of your own.
    #[command(subcommand)]
    Licence(LicenceCommand),
    /// Print what an MCP client's settings must say to reach this daemon, or write it into them.
    McpConfig(McpConfig),
    /// Say what is missing or wrong, and how to put it right.
    Doctor,
    /// Ask the daemon that runs by these settings whether it is ready: exit code 0 or 1.
    Healthcheck,
    /// Become another program, confined; for the daemon alone.
    #[command(name = CONFINED, hide = true)]
    Confined {
        /// The program, and what it may reach.
        spec: String,
    },
}

/// The word by which this program becomes another one, confined.
pub(crate) const CONFINED: &str = "confined";

#[derive(Clone, Copy, clap::Args)]
pub(crate) struct Serve {
    /// If there is no token at all, make the owner's first and say how to read it.
    #[arg(long)]
    pub(crate) owner_token: bool,
    /// Offer what the conformance suite of the Model Context Protocol expects, too.
    #[arg(long, hide = true)]
    pub(crate) conformance: bool,
}

#[derive(clap::Args)]
pub(crate) struct McpConfig {
    /// Whose settings.
    #[arg(value_enum)]
    pub(crate) client: Client,
    /// The client connects to the daemon that listens here.
    #[arg(long, conflicts_with = "stdio")]
    pub(crate) http: bool,
    /// The client starts `llmbasedos stdio`; this is the default, and needs no token.
    #[arg(long)]
    pub(crate) stdio: bool,
    /// Merge it into the client's own file, keeping a copy of the file as it was.
    #[arg(long)]
    pub(crate) write: bool,
    /// Write into this file instead of the client's usual one.
    #[arg(long, value_name = "PATH", requires = "write")]
    pub(crate) file: Option<PathBuf>,
    /// What the client calls this daemon.
    #[arg(long, default_value = "llmbasedos")]
    pub(crate) name: String,
}

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token. It is shown once, on standard output, and kept only as a hash.
    Create {
        /// The caller's name: letters, digits, '.', '_', '-'.
        name: String,
        /// A tier below the licence's.
        #[arg(long)]
        tier: Option<String>,
        /// A method, 'prefix.*' or '*' that it may call; may be given several times. Without it: all of its tier.
        #[arg(long = "allow", value_name = "PATTERN")]
        allow: Vec<protocol::Pattern>,
        /// When it ends: a date (2027-01-31) or a span from now (30d, 12h).
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
    },
    /// List the tokens (never their secrets).
    List,
    /// Print the owner's token, which `init` or the first start left in a file.
    Show,
    /// Revoke a token. Connections that use it are refused from their next call on.
    Revoke {
        /// Its name.
        name: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum LicenceCommand {
    /// Show the licence in force.
    Show,
    /// Make a key pair for signed licences: the private half goes to FILE, the public half is printed.
    Keygen {
        /// Where the private half goes; must not exist.
        file: PathBuf,
    },
    /// Print a licence line signed with a private key.
    Sign {
        /// The file that `keygen` made.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Such as PRO.
        tier: String,
        /// Whom it names.
        user: String,
        /// Its last day: YYYY-MM-DD.
        expires: String,
    },
}

impl Args {
    pub(crate) fn flags(&self) -> Flags {
        Flags {
            config_dir: self.config_dir.clone(),
            state_dir: self.state_dir.clone(),
            run_dir: self.run_dir.clone(),
            root: self.root.clone(),
            listen: self.listen.clone(),
        }
    }
}
