//! A daemon process: laid out by `init`, started by `serve`, ended by its drop.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use rustix::process::{Pid, Signal};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::PATIENCE;
use crate::client::Client;

/// What a daemon is started with. The default is what `make run` serves, with no limit on the rate.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// What `llmbasedos.yaml` says besides `state_dir` and `run_dir`.
    pub settings: String,
    /// `licence_tiers.yaml` instead of the unlimited one.
    pub tiers: Option<String>,
    /// `models.yaml` instead of the one that names none.
    pub models: Option<String>,
    /// `mail_accounts.yaml` instead of the one that names none.
    pub mail_accounts: Option<String>,
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
    log: watch::Receiver<String>,
    setup: Setup,
}

/// The file of `init`, without its comments; settings follow from line 3 on.
const SETTINGS: &str = "state_dir: state\nrun_dir: run\n";

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
        let made = command("llmbasedos").arg("init").arg(dir).output().await.expect("init runs");
        assert!(made.status.success(), "{}", text(&made.stderr));
        let write =
            |name: &str, text: &str| std::fs::write(dir.join(name), text).expect("a file of the setup");
        // Those that ship are tools of an instance; a test names what it wants.
        for file in std::fs::read_dir(dir.join("workflows")).expect("init makes it") {
            std::fs::remove_file(file.expect("a file").path()).expect("it can be removed");
        }
        write("licence_tiers.yaml", self.tiers.as_deref().unwrap_or(UNLIMITED));
        if let Some(models) = &self.models {
            write("models.yaml", models);
        }
        if let Some(accounts) = &self.mail_accounts {
            write("mail_accounts.yaml", accounts);
        }
        if let Some(licence) = &self.licence {
            write("lic.key", licence);
        }
        if !self.settings.is_empty() {
            write("llmbasedos.yaml", &format!("{SETTINGS}{}", self.settings));
        }
    }

    /// Starts a daemon in a folder that is laid out.
    pub async fn start_in(self, folder: Arc<TempDir>) -> Daemon {
        let mut child = self.command(folder.path()).spawn().expect("the daemon starts");
        let stderr = child.stderr.take().expect("its stderr is ours");
        let (keep, log) = watch::channel(String::new());
        let (ready, address) = tokio::sync::oneshot::channel();
        tokio::task::spawn(async move {
            let (mut ready, mut lines) = (Some(ready), BufReader::new(stderr).lines());
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(address) = address_in(&line)
                    && let Some(ready) = ready.take()
                {
                    let _ = ready.send(address.to_owned());
                }
                keep.send_modify(|log| {
                    log.push_str(&line);
                    log.push('\n');
                });
            }
        });
        let address = tokio::time::timeout(PATIENCE, address).await.expect("the daemon gets ready");
        let address = address.unwrap_or_else(|_| panic!("the daemon ended:\n{}", *log.borrow()));
        Daemon { child, folder, address, log, setup: self }
    }

    /// `llmbasedos serve` in a folder.
    pub fn command(&self, dir: &Path) -> Command {
        let mut command = command("llmbasedos");
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

/// A program of ours, in an environment that says nothing to it.
pub fn command(name: &str) -> Command {
    let mut command = Command::new(program(name));
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("LLMBDO_") {
            command.env_remove(variable);
        }
    }
    command
}

/// What a program said.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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
        self.log.borrow().clone()
    }

    /// Waits for its log to say something.
    pub async fn logged(&self, what: &str) {
        let mut log = self.log.clone();
        let said = tokio::time::timeout(PATIENCE, log.wait_for(|log| log.contains(what))).await;
        assert!(said.is_ok_and(|said| said.is_ok()), "the log never said '{what}':\n{}", self.log());
    }

    /// Runs `llmbasedos` with `arguments` on the same folder and in the same environment.
    pub async fn cli(&self, arguments: &[&str]) -> Output {
        let mut command = command("llmbasedos");
        command.args(arguments).arg("--config-dir").arg(self.dir());
        command.envs(self.setup.environment.iter().map(|(name, value)| (*name, value)));
        command.output().await.expect("the command runs")
    }

    /// A new token: `token create NAME …`.
    pub async fn token_for(&self, name: &str, options: &[&str]) -> String {
        let made = self.cli(&[&["token", "create", name], options].concat()).await;
        assert!(made.status.success(), "{}", text(&made.stderr));
        text(&made.stdout).trim().to_owned()
    }

    /// Asks its state file, beside the daemon.
    pub fn query<T>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> T {
        let path = self.dir().join("state/llmbasedos.db");
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the state file");
        db.busy_timeout(PATIENCE).expect("a timeout");
        ask(&db).expect("the state file answers")
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
    pub async fn crash_and_restart(self) -> Self {
        self.crash_and_restart_after(|| {}).await
    }

    /// The same; `meanwhile` happens while nothing runs.
    pub async fn crash_and_restart_after(mut self, meanwhile: impl FnOnce()) -> Self {
        self.signal(Signal::KILL);
        self.ended().await;
        meanwhile();
        self.again().await
    }

    /// A clean stop, then a new process in the same folder.
    pub async fn stop_and_restart(mut self) -> Self {
        self.stop().await;
        self.again().await
    }

    /// A new process in the same folder, once this one has ended.
    pub async fn again(self) -> Self {
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
