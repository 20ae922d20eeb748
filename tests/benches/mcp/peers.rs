//! Other ways to the same files: what people put before a server of files today. Installed once, beside the clone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use super::contender::{Contender, Manner};
use crate::server::Server;

/// Packages from npm; the first is the Node that runs the others.
const NPM: &[&str] =
    &["node@24.9.0", "mcp-proxy@6.7.19", "@modelcontextprotocol/server-filesystem@2026.8.31"];

/// Packages of Python, each in an environment of its own.
const PROXY: &str = "mcp-proxy==0.13.0";
const FASTMCP: &str = "fastmcp==4.2.3";

/// A peer that does less: its answer has names alone.
pub(crate) const NAMES_ONLY: &str = "npm `mcp-proxy`, names only";

/// The reference server's tool that looks at every entry, as ours does.
const WITH_SIZES: &str = "list_directory_with_sizes";

/// A server that says of every entry what ours says.
const SCRIPT: &str = include_str!("peer.py");

/// All peers that can be had; for the others, why not.
pub(crate) fn start(folder: &Path) -> (Vec<Contender>, Vec<String>) {
    let (mut peers, mut missing) = (Vec::new(), Vec::new());
    for (name, start) in [
        (NAMES_ONLY, names_only as fn(&Path) -> anyhow::Result<(Server, &'static str)>),
        ("npm `mcp-proxy`", npm),
        ("PyPI `mcp-proxy`", proxy),
        ("PyPI `fastmcp`", fastmcp),
    ] {
        eprintln!("start {name}");
        match start(folder) {
            Ok((server, tool)) => peers.push(Contender {
                name: name.to_owned(),
                server,
                manner: Manner::Legacy,
                tool,
                arguments: serde_json::json!({ "path": folder }).to_string(),
            }),
            Err(error) => missing.push(format!("{name} is left out: {error:#}")),
        }
    }
    (peers, missing)
}

/// The reference server behind a proxy of its own world.
fn npm(folder: &Path) -> anyhow::Result<(Server, &'static str)> {
    let bin = install_npm()?;
    let mut command = with_node(&bin, &bin.join("mcp-proxy"));
    command.args(["--server", "stream", "--no-eventStore", "--host", "127.0.0.1", "--port"]);
    let server = Server::listening(&mut command, |command, port| {
        command.arg(port).arg("--").arg(bin.join("mcp-server-filesystem")).arg(folder);
    })?;
    Ok((server, WITH_SIZES))
}

fn names_only(folder: &Path) -> anyhow::Result<(Server, &'static str)> {
    Ok((npm(folder)?.0, "list_directory"))
}

/// The same server behind a proxy in Python.
fn proxy(folder: &Path) -> anyhow::Result<(Server, &'static str)> {
    let (bin, python) = (install_npm()?, install_python(PROXY)?);
    let mut command = with_node(&bin, &python.join("mcp-proxy"));
    command.args(["--pass-environment", "--log-level", "ERROR", "--port"]);
    let server = Server::listening(&mut command, |command, port| {
        command.arg(port).arg("--").arg(bin.join("mcp-server-filesystem")).arg(folder);
    })?;
    Ok((server, WITH_SIZES))
}

/// One process that does the work itself.
fn fastmcp(_: &Path) -> anyhow::Result<(Server, &'static str)> {
    let python = install_python(FASTMCP)?;
    let mut command = Command::new(python.join("python"));
    command.args(["-c", SCRIPT]);
    let server = Server::listening(&mut command, |command, port| {
        command.arg(port);
    })?;
    Ok((server, "list_directory"))
}

fn with_node(bin: &Path, program: &Path) -> Command {
    let mut command = Command::new(program);
    let path = variable("PATH").unwrap_or_default();
    let places = std::iter::once(bin.to_owned()).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(places).unwrap_or(path.clone()));
    command
}

/// Where installed tools are kept: never in the clone.
fn cache() -> anyhow::Result<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    Ok(cache.context("neither XDG_CACHE_HOME nor HOME is set")?.join("llmbasedos-tools/bench"))
}

#[expect(clippy::disallowed_methods, reason = "this is no setting of ours: where the user keeps programs")]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

fn install_npm() -> anyhow::Result<PathBuf> {
    let at = installed("npm", &NPM.join(" "), |at| {
        run(Command::new("npm").args(["install", "--no-fund", "--no-audit", "--prefix"]).arg(at).args(NPM))
    })?;
    Ok(at.join("node_modules/.bin"))
}

fn install_python(package: &str) -> anyhow::Result<PathBuf> {
    let name = package.split('=').next().unwrap_or(package);
    let at = installed(&format!("python-{name}"), package, |at| {
        run(Command::new("python3").args(["-m", "venv"]).arg(at))?;
        run(Command::new(at.join("bin/pip")).args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            package,
        ]))
    })?;
    Ok(at.join("bin"))
}

/// A folder with exactly these packages, filled by `install` unless it is so already.
fn installed(
    name: &str,
    packages: &str,
    install: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let at = cache()?.join(name);
    let complete = at.join("complete");
    if fs::read_to_string(&complete).is_ok_and(|there| there == packages) {
        return Ok(at);
    }
    eprintln!("install {packages} into {}", at.display());
    let _ = fs::remove_dir_all(&at);
    fs::create_dir_all(&at)?;
    install(&at)?;
    fs::write(complete, packages)?;
    Ok(at)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = Path::new(command.get_program()).display().to_string();
    let ended = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {name}"))?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "{name} failed: {}", said.lines().last().unwrap_or_default());
    Ok(())
}
