//! Programs that the bench measures beside ours: installed once from their registries, beside the clone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

/// Where installed tools are kept: never in the clone.
fn cache() -> anyhow::Result<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    Ok(cache.context("neither XDG_CACHE_HOME nor HOME is set")?.join("llmbasedos-tools/bench"))
}

#[expect(clippy::disallowed_methods, reason = "this is no setting of ours: where the user keeps programs")]
pub(crate) fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

pub(crate) fn python(package: &str) -> anyhow::Result<PathBuf> {
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
pub(crate) fn installed(
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

pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = Path::new(command.get_program()).display().to_string();
    let ended = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {name}"))?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "{name} failed: {}", said.lines().last().unwrap_or_default());
    Ok(())
}
