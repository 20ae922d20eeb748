//! A daemon process: laid out by `init`, started by `serve`, ended by its drop.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::client::Client;
use crate::PATIENCE;

/// What a daemon is started with. The default is what `make run` serves, with no limit on the rate.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Lines appended to `llmbasedos.yaml`.
    pub settings: String,
    /// `licence_tiers.yaml` instead of the unlimited one.
    pub tiers: Option<String>,
    /// `lic.key` instead of the owner's.
    pub licence: Option<String>,
    /// Environment variables.
    pub environment: Vec<(&'static str, String)>,
    /// Further arguments of `serve`.
    pub arguments: Vec<String>,
}

/// A running daemon.
pub struct Daemon {
    child: Child,
    folder: Arc<TempDir>,
    /// HOST:PORT of the TCP door.
    pub address: String,
    log: Arc<Mutex<String>>,
    setup: Setup,
}

/// Tests make more calls than any licence allows.
const UNLIMITED: &str = "
ELITE:
  rate_limit_requests: 0
  allowed_capabilities: ['*']
  llm_access: true
  allowed_llm_models: ['*']
";

/// The daemon's program: built beside the tests.
pub fn program(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("a test knows its own program");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    let program = path.join(name);
    assert!(program.exists(), "{} is not built: `cargo build --bins` makes it", program.display());
    program
}

impl Setup {
    /// Lays out a folder and starts a daemon in it.
    pub async fn start(self) -> Daemon {
        let folder = Arc::new(tempfile::tempdir().expect("a folder for the test"));
        self.lay_out(folder.path()).await;
        self.start_in(folder).await
    }

    /// Runs `init` and puts the setup's files in place.
    pub async fn lay_out(&self, dir: &Path) {
        let made = Command::new(program("llmbasedos")).arg("init").arg(dir).output().await.expect("init runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).expect("a file of the setup");
        write("licence_tiers.yaml", self.tiers.as_deref().unwrap_or(UNLIMITED));
        if let Some(licence) = &self.licence {
            write("lic.key", licence);
        }
        if !self.settings.is_empty() {
            let path = dir.join("llmbasedos.yaml");
            let text = std::fs::read_to_string(&path).expect("init wrote it");
            std::fs::write(path, format!("{text}\n{}\n", self.settings)).expect("a file of the setup");
        }
    }

    /// Starts a daemon in a folder that is laid out.
    pub async fn start_in(self, folder: Arc<TempDir>) -> Daemon {
        let mut child = self.command(folder.path()).spawn().expect("the daemon starts");
        let stderr = child.stderr.take().expect("its stderr is ours");
        let log = Arc::new(Mutex::new(String::new()));
        let (ready, address) = tokio::sync::oneshot::channel();
        let kept = Arc::clone(&log);
        tokio::task::spawn(async move {
            let (mut ready, mut lines) = (Some(ready), BufReader::new(stderr).lines());
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(address) = address_in(&line)
                    && let Some(ready) = ready.take()
                {
                    let _ = ready.send(address.to_owned());
                }
                let mut kept = kept.lock().expect("no holder panics");
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let address = tokio::time::timeout(PATIENCE, address).await.expect("the daemon gets ready");
        let address = address.unwrap_or_else(|_| panic!("the daemon ended:\n{}", log.lock().expect("no holder panics")));
        Daemon { child, folder, address, log, setup: self }
    }

    /// `llmbasedos serve` in a folder.
    pub fn command(&self, dir: &Path) -> Command {
        let mut command = Command::new(program("llmbasedos"));
        command
            .arg("serve")
            .args(["--listen", "127.0.0.1:0", "--config-dir"])
            .arg(dir)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

/// HOST:PORT in the line that says that the daemon is ready.
fn address_in(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(" is ready: ")?;
    rest.split_once("ws://")?.1.split_once("/ws")?.0.into()
}

impl Daemon {
    /// A daemon with the default setup.
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    /// Its folder: settings, `user_files`, `run`, `state`, `token`.
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// The host's path of a file in its root.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir().join("user_files").join(name)
    }

    /// The owner's token.
    pub fn token(&self) -> String {
        std::fs::read_to_string(self.dir().join("token")).expect("init wrote it").trim().to_owned()
    }

    /// Its WebSocket's address.
    pub fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// A client with the owner's token.
    pub async fn client(&self) -> Client {
        Client::ws(&self.url(), Some(&self.token())).await.expect("the owner gets in")
    }

    /// A client at one of its UNIX sockets.
    pub async fn unix(&self, name: &str) -> Client {
        Client::unix(&self.dir().join("run").join(format!("{name}.sock"))).await.expect("the owner gets in")
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("no holder panics").clone()
    }

    /// Runs `llmbasedos` with `arguments` on the same folder.
    pub async fn cli(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = Command::new(program("llmbasedos"));
        command.args(arguments).arg("--config-dir").arg(self.dir());
        command.output().await.expect("the command runs")
    }

    /// A new token: `token create NAME …`.
    pub async fn token_for(&self, name: &str, options: &[&str]) -> String {
        let made = self.cli(&[&["token", "create", name], options].concat()).await;
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).expect("a token is ASCII").trim().to_owned()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it has not been waited for")
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process id");
        rustix::process::kill_process(pid, signal).expect("it is there");
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("it is ours")
    }

    /// SIGKILL, then a new process in the same folder.
    pub async fn crash_and_restart(mut self) -> Self {
        self.signal(Signal::KILL);
        self.ended().await;
        let (setup, folder) = (self.setup.clone(), Arc::clone(&self.folder));
        drop(self);
        setup.start_in(folder).await
    }

    /// SIGTERM, and a clean exit.
    pub async fn stop(&mut self) {
        self.signal(Signal::TERM);
        let status = self.ended().await;
        assert!(status.success(), "{status}\n{}", self.log());
    }
}
