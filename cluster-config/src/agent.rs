//! The settings of workflows and their runs.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Workflows and their runs: `mcp.agent.*`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Agent {
    /// The folder of the workflows, a YAML file each. It is read again when something in it changes, and need not exist.
    #[schemars(extend("format" = "path"))]
    pub workflows_dir: PathBuf,
    /// As whom workflows run that nobody called, by schedule or because something happened: the name of a token, whose
    /// rights they then have, or empty for the daemon's own user, who is the owner. The owner by default: who may write
    /// into the folder of workflows is the owner anyway.
    #[schemars(length(max = 200))]
    pub owner: String,
    /// Runs under way at the same time; others wait for their turn. A thousand that wait for something take some tens of
    /// megabytes.
    #[schemars(range(min = 1, max = 10_000))]
    pub runs: usize,
    /// Steps that one run may do, each round of a loop counted. Ten thousand are a long loop; more are one that went
    /// wrong.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub steps: usize,
    /// The newest events and log lines of one run that are kept.
    #[schemars(range(min = 100, max = 1_000_000))]
    pub log_lines: usize,
    /// The largest result of one step, in KiB. A megabyte is a long text; what is larger belongs into a file.
    #[schemars(range(min = 1, max = 16_384))]
    pub output_kb: u64,
    /// How deep workflows may run one another. Eight is more than anybody can follow.
    #[schemars(range(min = 1, max = 64))]
    pub depth: u32,
    /// How many seconds a step may take that does not say itself. Three minutes, as in the original.
    #[schemars(range(min = 1, max = 86_400))]
    pub call_seconds: u64,
    /// For how many days runs that have ended are kept, with what they said. A quarter is how far back people ask.
    #[schemars(range(min = 1, max = 3650))]
    pub history_days: u32,
    /// How many ended runs are kept at most.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub history_runs: u32,
    /// Hosts that steps may ask over HTTP: `api.example.org`, `*.example.org`, `*` for every public one, an address or a
    /// network, with `:8080` for one port. None by default. What is not on the public internet needs an entry of its own,
    /// by address (`10.0.0.5`, `10.0.0.0/8`) or `localhost`, whatever name leads there.
    pub http_allow: Vec<String>,
    /// The socket of the Docker engine that runs containers of steps. It need not be there.
    #[schemars(extend("format" = "path"))]
    pub docker_socket: PathBuf,
    /// Images that steps may run: `python:3.13-slim`, `python:*`, or one by its digest. None by default: who may write
    /// workflows may otherwise run anything.
    pub docker_images: Vec<String>,
    /// Networks of the engine that steps may ask for. None by default: a container reaches nothing then.
    pub docker_networks: Vec<String>,
    /// Whether steps may run as root in their container. Not by default.
    pub docker_root: bool,
    /// Whether an image that the engine does not have is pulled. Not by default: what runs is what was put there.
    pub docker_pull: bool,
    /// Where the original's webhooks are that do not say where they are: the address of n8n.
    #[schemars(length(min = 1, max = 2000))]
    pub n8n_url: String,
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            workflows_dir: "workflows".into(),
            owner: String::new(),
            runs: 1000,
            steps: 10_000,
            log_lines: 10_000,
            output_kb: 1024,
            depth: 8,
            call_seconds: 180,
            history_days: 90,
            history_runs: 100_000,
            http_allow: Vec::new(),
            docker_socket: "/var/run/docker.sock".into(),
            docker_images: Vec::new(),
            docker_networks: Vec::new(),
            docker_root: false,
            docker_pull: false,
            n8n_url: "http://localhost:5678".to_owned(),
        }
    }
}
