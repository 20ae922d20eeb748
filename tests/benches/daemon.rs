//! The daemon as anybody runs it: what `init` lays out and `serve` serves, but for the limit on the rate.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::server::Server;
use crate::wire::Door;

/// The line of the shipped tiers that would stop a load after seconds.
const LIMITED: &str = "rate_limit_requests: 10000";

/// A folder laid out for a daemon, with the files that the load asks for.
pub(crate) struct Folder {
    dir: TempDir,
    program: PathBuf,
    token: String,
}

impl Folder {
    /// Lays one out with the program's own `init`.
    pub(crate) fn lay_out(program: &Path) -> anyhow::Result<Self> {
        ensure!(
            program.exists(),
            "{} is not built: cargo build --release -p llmbasedos-daemon -p llmbasedos-tests --bins",
            program.display()
        );
        let dir = tempfile::tempdir()?;
        let path = dir.path();
        let made = Command::new(program).arg("init").arg(path).output().context("run init")?;
        ensure!(made.status.success(), "init failed: {}", String::from_utf8_lossy(&made.stderr));
        let tiers = fs::read_to_string(path.join("licence_tiers.yaml"))?;
        ensure!(tiers.contains(LIMITED), "licence_tiers.yaml has no '{LIMITED}' to lift");
        fs::write(path.join("licence_tiers.yaml"), tiers.replace(LIMITED, "rate_limit_requests: 0"))?;
        let files = path.join("user_files/bench");
        fs::create_dir_all(files.join("twenty"))?;
        let text = |bytes| "A line of ordinary text, as notes have them.\n".repeat(bytes)[..bytes].to_owned();
        fs::write(files.join("1k.txt"), text(1024))?;
        fs::write(files.join("4k.txt"), text(4096))?;
        for n in 1..=20 {
            fs::write(files.join(format!("twenty/note {n:02}.md")), text(100 * n))?;
        }
        fs::create_dir_all(files.join("fifty"))?;
        for n in 1..=50 {
            fs::write(files.join(format!("fifty/note {n:02}.md")), text(50 * n))?;
        }
        let token = fs::read_to_string(path.join("token")).context("init left no token")?.trim().to_owned();
        Ok(Self { dir, program: program.to_owned(), token })
    }

    /// Starts a daemon in it.
    pub(crate) fn serve(&self) -> anyhow::Result<Server> {
        let mut command = Command::new(&self.program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--config-dir"]).arg(self.dir.path());
        Server::start(&mut command)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The daemon's program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The owner's token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The daemon's WebSocket, as its owner.
    pub(crate) fn websocket(&self, server: &Server) -> Door {
        Door::WebSocket(server.address.clone(), Some(self.token.clone()))
    }

    /// The gateway's UNIX socket.
    pub(crate) fn unix(&self) -> Door {
        Door::Unix(self.dir.path().join("run/gateway.sock"))
    }
}
