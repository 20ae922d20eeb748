//! Every setting that `llmbasedos.yaml` holds: name, type, default, documentation and range, each said once.
//!
//! The doc comment of a field is what REFERENCE.md, schema.json, the template of `llmbasedos.yaml` and the
//! messages about mistakes show, and the field's place gives the environment variable its name. What a range
//! cannot say stands in `check.rs`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::agent::Agent;
use crate::fs::Fs;
use crate::licence::Licence;
use crate::listen::Listen;
use crate::search::Search;
use crate::sync::Sync;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Everything the daemon can be told, after defaults, file, environment and command line are merged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where the daemon listens for WebSocket and HTTP, as HOST:PORT (an IPv6 address in brackets; port 0 takes
    /// any free one). Loopback by default: whoever can reach this address can try to log in, so opening it to a
    /// network is a decision that should be written down.
    pub listen: Listen,
    /// Where the daemon keeps what must survive a restart: quota counters, the audit trail, journals. The place
    /// that the file hierarchy standard gives to such data.
    #[schemars(extend("format" = "path"))]
    pub state_dir: PathBuf,
    /// Where the UNIX sockets and the capability files are. The original's place, so that its clients and
    /// third-party services find it. The path is limited to 90 bytes because a socket's whole path must fit
    /// into 107.
    #[schemars(extend("format" = "path"))]
    pub run_dir: PathBuf,
    /// Within how many seconds the process ends after SIGTERM or SIGINT; calls that are under way get four fifths
    /// of it to finish. Ten is what Docker waits before it kills.
    #[schemars(range(min = 0, max = 3600))]
    pub shutdown_seconds: u64,
    /// The file with the licence tiers. Missing means the shipped tiers, unless this setting names it.
    #[schemars(extend("format" = "path"))]
    pub tiers_file: PathBuf,
    /// The file with the language models. Missing means none, but for those of the original's environment variables,
    /// unless this setting names it. It is read again when it changes.
    #[schemars(extend("format" = "path"))]
    pub models_file: PathBuf,
    /// The file with the mail accounts. Missing means none, unless this setting names it. It is read again when it
    /// changes.
    #[schemars(extend("format" = "path"))]
    pub mail_accounts_file: PathBuf,
    /// The folder of the prompts that are offered beside the shipped ones: a Markdown file each, named as the prompt
    /// is. It is read again when something in it changes, and need not exist.
    #[schemars(extend("format" = "path"))]
    pub prompts_dir: PathBuf,
    /// Who may come in.
    pub auth: Auth,
    /// What this instance may do at most.
    pub licence: Licence,
    /// How much of everything at once. Every queue, buffer and wait of the daemon has its bound here.
    pub limits: Limits,
    /// The Model Context Protocol: `/mcp`, stdio, and whoever speaks it on the other doors.
    pub mcp: Mcp,
    /// The file service: which folders callers see and what they may do there.
    pub fs: Fs,
    /// Finding files by what is in them: `mcp.fs.embed` and `mcp.fs.search`.
    pub search: Search,
    /// Language models: what all callers together may use of them.
    pub llm: Llm,
    /// Mail: what holds for every account.
    pub mail: Mail,
    /// Copying between the roots and the remotes of rclone: `mcp.sync.*`.
    pub sync: Sync,
    /// Workflows and their runs: `mcp.agent.*`.
    pub agent: Agent,
    /// What is logged, and how.
    pub log: Log,
    /// Third-party services that follow the original's protocol on UNIX sockets of their own.
    pub backends: Backends,
}

/// Language models: what all callers together may use of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Llm {
    /// Tokens in a day (UTC); 0, the default, is no limit. Tiers have limits for each caller.
    #[schemars(range(min = 0, max = 1_000_000_000_000_u64))]
    pub tokens_per_day: u64,
    /// Money in a day (UTC), in the unit of the prices in the models' file; 0, the default, is no limit. A call is
    /// refused that could pass it, so at the end of a day some may be left.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub cost_per_day: f64,
    /// Calls of models under way at one time. A thousand streams take some tens of megabytes.
    #[schemars(range(min = 1, max = 100_000))]
    pub calls: usize,
}

/// Mail: what holds for every account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// How many seconds a mail server is waited for before its connection is given up. Thirty, as in the original: a
    /// search in a large mailbox takes some.
    #[schemars(range(min = 1, max = 600))]
    pub imap_timeout_seconds: u64,
    /// How many seconds a server may think about a whole message that it is given to send. Ten minutes, as RFC 5321,
    /// section 4.5.3.2.6, asks for: whoever gives up earlier does not know whether it was sent.
    #[schemars(range(min = 1, max = 3600))]
    pub smtp_end_seconds: u64,
    /// The largest attachment that stands in an answer, in KiB; a larger one is named and is fetched by itself. A
    /// megabyte, as in the original.
    #[schemars(range(min = 1, max = 65_536))]
    pub attachment_inline_kb: u64,
    /// Who may search in IMAP's own words (`raw` of `mcp.mail.search`): names of tiers, or of callers. Nobody by
    /// default, because what such words do is up to each server.
    pub raw_search: Vec<String>,
}

/// Who may come in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// What a TCP caller on this machine must show: a `token`, or nothing (`open`). `token` by default, because
    /// every program and every user of the machine can open a loopback connection, and `open` lets them all in
    /// as its owner.
    pub loopback: Loopback,
    /// User ids that may use the UNIX sockets besides root and the daemon's own. None by default: on a machine
    /// with several people only the owner has business here.
    pub unix_uids: Vec<u32>,
    /// Web origins (`https://app.example`) whose pages may connect. None by default, which leaves pages served
    /// from this same machine: any other page in the owner's browser could act in the owner's name.
    pub allowed_origins: Vec<String>,
    /// Names (`box.lan` or `box.lan:8000`) by which callers may address the daemon. None by default, which
    /// leaves the loopback names and the address it listens on: a foreign name is how DNS rebinding looks.
    pub allowed_hosts: Vec<String>,
}

/// What a TCP caller on this machine must show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Loopback {
    /// A token, as from anywhere else.
    #[default]
    Token,
    /// Nothing.
    Open,
}

/// How much of everything at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections open at the same time, over all ways in. Ten thousand idle ones are a promise of this
    /// project; the rest is headroom. Mind the limit on open files (`ulimit -n`).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub connections: usize,
    /// Calls under way at the same time in the whole instance. Beyond a thousand the disk is the queue anyway,
    /// and waiting callers are better told so at once.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub in_flight: usize,
    /// Calls under way at the same time on one connection, and never more than `in_flight`. A host that runs tools in parallel stays far below;
    /// one that does not wait for answers is held back before it holds back others.
    #[schemars(range(min = 1, max = 100_000))]
    pub in_flight_per_connection: usize,
    /// The largest message that is read, in bytes. 16 MiB, as the original's WebSocket had it: room for a file
    /// of 12 MB in base64.
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub frame_bytes: u64,
    /// Requests in one JSON-RPC batch. A hundred covers any sensible batch and bounds what one message starts.
    #[schemars(range(min = 1, max = 10_000))]
    pub batch: usize,
    /// How many seconds a call may take unless its method says otherwise. A minute is more patience than most
    /// hosts have; what takes longer is a job with a status.
    #[schemars(range(min = 1, max = 86_400))]
    pub call_seconds: u64,
    /// After how many seconds without a message a WebSocket or UNIX connection is closed; 0 is never. Never by
    /// default: hosts stay connected for days and say nothing, and `ping_seconds` finds the dead ones.
    #[schemars(range(min = 0, max = 31_536_000))]
    pub idle_seconds: u64,
    /// How many bytes of answers may wait for a caller that does not read; beyond it the connection is closed.
    /// 8 MiB holds any ordinary burst and keeps a stuck reader from filling the memory.
    #[schemars(range(min = 65_536, max = 1_073_741_824))]
    pub send_buffer_bytes: u64,
    /// How many seconds a new connection has to say who it is. Ten are plenty over any network, and an attacker
    /// cannot hold connections half open for longer.
    #[schemars(range(min = 1, max = 300))]
    pub handshake_seconds: u64,
    /// Every how many seconds a silent WebSocket is pinged; one that does not answer is closed. Twenty, as the
    /// original's shell had it: below the 30 to 60 seconds after which home routers forget a connection.
    #[schemars(range(min = 1, max = 3600))]
    pub ping_seconds: u64,
    /// The largest result of one call, in bytes of JSON; methods that return more do so in pages. 24 MiB: a file
    /// read at the frame limit, in base64, with room.
    #[schemars(range(min = 65_536, max = 1_073_741_824))]
    pub result_bytes: u64,
}

/// The Model Context Protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mcp {
    /// The largest result of a tool, in bytes of JSON, unless the request asks for more; a larger one is cut, and
    /// all of it is kept for an hour as a resource. 96 KiB are some 25 000 tokens, where hosts begin to cut
    /// themselves.
    #[schemars(range(min = 4096, max = 1_073_741_824))]
    pub tool_result_bytes: u64,
    /// How many sessions of clients that open with `initialize` may be open over HTTP at the same time. A thousand
    /// is far beyond what one person's hosts open; one that nobody used for a while gives way to a new one.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub sessions: usize,
    /// After how many seconds a stream of such a client that still waits for its answer is closed, so that it comes
    /// back for it. Thirty: below the minute after which proxies and hosts give up on a silent response.
    #[schemars(range(min = 1, max = 3600))]
    pub stream_seconds: u64,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Which events: a level (`error`, `warn`, `info`, `debug`, `trace`, `off`) or directives such as
    /// `info,gateway=debug`. `info` shows the life of the daemon and never what is in a call.
    pub level: String,
    /// How lines look: `human`, `json`, or `auto`, which is `human` on a terminal and `json` elsewhere, because
    /// that is who reads there.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// `human` on a terminal, `json` elsewhere.
    #[default]
    Auto,
    /// One readable line per event.
    Human,
    /// One JSON object per event.
    Json,
}

/// Third-party services.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Backends {
    /// Whether such services are looked for at all. On, as in the original; they can add methods and never
    /// replace ours.
    pub allow: bool,
    /// Where their `*.cap.json` files and sockets are. Follows `run_dir` unless it is set, as in the original.
    #[schemars(extend("format" = "path"))]
    pub dir: PathBuf,
    /// How many seconds one of their calls may take. The original's two minutes, because its services were
    /// written against that.
    #[schemars(range(min = 1, max = 86_400))]
    pub timeout_seconds: u64,
    /// Connections held open to each service. The protocol answers one call at a time on a connection; four let
    /// a slow call pass without flooding a small daemon.
    #[schemars(range(min = 1, max = 256))]
    pub connections_per_backend: usize,
}

// === impl Llm, Mail, Settings ===

impl Default for Mail {
    fn default() -> Self {
        Self {
            imap_timeout_seconds: 30,
            smtp_end_seconds: 600,
            attachment_inline_kb: 1024,
            raw_search: Vec::new(),
        }
    }
}

impl Default for Llm {
    fn default() -> Self {
        Self { tokens_per_day: 0, cost_per_day: 0.0, calls: 1024 }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: Listen::default(),
            state_dir: "/var/lib/llmbasedos".into(),
            run_dir: "/run/mcp".into(),
            shutdown_seconds: 10,
            tiers_file: "licence_tiers.yaml".into(),
            models_file: "models.yaml".into(),
            mail_accounts_file: "mail_accounts.yaml".into(),
            prompts_dir: "prompts".into(),
            auth: Auth::default(),
            licence: Licence::default(),
            limits: Limits::default(),
            mcp: Mcp::default(),
            fs: Fs::default(),
            search: Search::default(),
            llm: Llm::default(),
            mail: Mail::default(),
            sync: Sync::default(),
            agent: Agent::default(),
            log: Log::default(),
            backends: Backends::default(),
        }
    }
}

// === impl Mcp, Limits ===

impl Default for Mcp {
    fn default() -> Self {
        Self { tool_result_bytes: 96 * KIB, sessions: 1000, stream_seconds: 30 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 12_000,
            in_flight: 1_024,
            in_flight_per_connection: 64,
            frame_bytes: 16 * MIB,
            batch: 100,
            call_seconds: 60,
            idle_seconds: 0,
            send_buffer_bytes: 8 * MIB,
            handshake_seconds: 10,
            ping_seconds: 20,
            result_bytes: 24 * MIB,
        }
    }
}

// === impl Log ===

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Auto }
    }
}

// === impl Backends ===

impl Default for Backends {
    fn default() -> Self {
        Self { allow: true, dir: "/run/mcp".into(), timeout_seconds: 120, connections_per_backend: 4 }
    }
}
