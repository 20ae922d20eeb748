//! Other ways to the same files: what people put before a server of files today.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::contender::{Call, Contender, Manner};
use super::{LIST, NAMES};
use crate::installed::{self, installed, variable};
use crate::server::Server;

/// Packages from npm; the first is the Node that runs the others.
const NPM: &[&str] =
    &["node@24.9.0", "mcp-proxy@6.7.19", "@modelcontextprotocol/server-filesystem@2026.8.31"];

/// Packages of Python, each in an environment of its own.
const PROXY: &str = "mcp-proxy==0.13.0";
const FASTMCP: &str = "fastmcp==4.2.3";

/// The reference server's tools: one looks at every entry, as ours does, and one only says what they are called.
const REFERENCE: &[(&str, &str)] = &[(LIST, "list_directory_with_sizes"), (NAMES, "list_directory")];

/// A server that says of every entry what ours says.
const SCRIPT: &str = include_str!("peer.py");

/// What a peer can be asked for, and by which tool.
type Tools = &'static [(&'static str, &'static str)];

/// All peers that can be had; for the others, why not.
pub(crate) fn start(folder: &Path) -> (Vec<Contender>, Vec<String>) {
    let (mut peers, mut missing) = (Vec::new(), Vec::new());
    for (name, start) in [
        ("npm `mcp-proxy`", npm as fn(&Path) -> anyhow::Result<(Server, Tools)>),
        ("PyPI `mcp-proxy`", proxy),
        ("PyPI `fastmcp`", fastmcp),
    ] {
        eprintln!("start {name}");
        match start(folder) {
            Ok((server, tools)) => peers.push(Contender {
                name: name.to_owned(),
                server,
                manner: Manner::Legacy,
                calls: tools
                    .iter()
                    .map(|&(what, tool)| Call {
                        what,
                        tool,
                        arguments: serde_json::json!({ "path": folder }).to_string(),
                    })
                    .collect(),
            }),
            Err(error) => missing.push(format!("{name} is left out: {error:#}")),
        }
    }
    (peers, missing)
}

/// The reference server behind a proxy of its own world.
fn npm(folder: &Path) -> anyhow::Result<(Server, Tools)> {
    let bin = install_npm()?;
    let mut command = with_node(&bin, &bin.join("mcp-proxy"));
    command.args(["--server", "stream", "--no-eventStore", "--host", "127.0.0.1", "--port"]);
    let server = Server::listening(&mut command, |command, port| {
        command.arg(port).arg("--").arg(bin.join("mcp-server-filesystem")).arg(folder);
    })?;
    Ok((server, REFERENCE))
}

/// The same server behind a proxy in Python.
fn proxy(folder: &Path) -> anyhow::Result<(Server, Tools)> {
    let (bin, python) = (install_npm()?, installed::python(PROXY)?);
    let mut command = with_node(&bin, &python.join("mcp-proxy"));
    command.args(["--pass-environment", "--log-level", "ERROR", "--port"]);
    let server = Server::listening(&mut command, |command, port| {
        command.arg(port).arg("--").arg(bin.join("mcp-server-filesystem")).arg(folder);
    })?;
    Ok((server, REFERENCE))
}

/// One process that does the work itself.
fn fastmcp(_: &Path) -> anyhow::Result<(Server, Tools)> {
    let python = installed::python(FASTMCP)?;
    let mut command = Command::new(python.join("python"));
    command.args(["-c", SCRIPT]);
    let server = Server::listening(&mut command, |command, port| {
        command.arg(port);
    })?;
    Ok((server, &[(LIST, "list_directory")]))
}

fn with_node(bin: &Path, program: &Path) -> Command {
    let mut command = Command::new(program);
    let path = variable("PATH").unwrap_or_default();
    let places = std::iter::once(bin.to_owned()).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(places).unwrap_or(path.clone()));
    command
}

fn install_npm() -> anyhow::Result<PathBuf> {
    let at = installed("npm", &NPM.join(" "), |at| {
        installed::run(
            Command::new("npm").args(["install", "--no-fund", "--no-audit", "--prefix"]).arg(at).args(NPM),
        )
    })?;
    Ok(at.join("node_modules/.bin"))
}
