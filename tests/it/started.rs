//! How others start the daemon: a service manager, which is told how it is and may open the gateway's socket, and a
//! container's engine, which makes it process 1 and asks it whether it is ready.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Stdio;

use harness::daemon::{program, text};
use harness::{Client, Daemon, PATIENCE, Setup, run, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

async fn laid_out() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    Setup::default().lay_out(folder.path()).await;
    folder
}

/// `PROGRAM ARGUMENTS llmbasedos serve`, in a folder that is laid out.
fn by(starter: &[&str], dir: &Path) -> Child {
    let mut command = Command::new(starter[0]);
    command.args(&starter[1..]).arg(program("llmbasedos"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--config-dir"]).arg(dir);
    command.env_remove("LLMBDO_TOKEN").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.kill_on_drop(true).spawn().expect("it starts")
}

async fn ready(child: &mut Child) {
    let stderr = child.stderr.as_mut().expect("it is piped");
    let mut lines = BufReader::new(stderr).lines();
    let found = async {
        while let Some(line) = lines.next_line().await.expect("its log") {
            if line.contains(" is ready: ") {
                return;
            }
        }
        panic!("it ended before it was ready");
    };
    tokio::time::timeout(PATIENCE, found).await.expect("it gets ready");
}

fn children(process: u32) -> Vec<u32> {
    let file = format!("/proc/{process}/task/{process}/children");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.split_whitespace().map(|id| id.parse().expect("a process id")).collect()
}

fn signal(process: u32, signal: Signal) {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(process, signal).expect("it is there");
}

/// What a service manager hears, one message after the other.
struct Manager(UnixDatagram);

impl Manager {
    fn listen(folder: &Path) -> Self {
        let socket = UnixDatagram::bind(folder.join("notify")).expect("a socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self(socket)
    }

    /// The next message that has `word`.
    fn hears(&self, word: &str) -> String {
        loop {
            let mut message = [0; 4096];
            let length = self.0.recv(&mut message).expect("the daemon says something");
            let message = text(&message[..length]);
            if message.contains(word) {
                return message;
            }
        }
    }
}

#[test]
fn a_service_manager_is_told_how_it_is() {
    run(async {
        let place = tempfile::tempdir().expect("a folder for the test");
        let manager = Manager::listen(place.path());
        let environment = vec![
            ("NOTIFY_SOCKET", place.path().join("notify").display().to_string()),
            ("WATCHDOG_USEC", "200000".to_owned()),
        ];
        let mut daemon = Setup { environment, ..Setup::default() }.start().await;
        let told = manager.hears("READY=1");
        assert!(told.contains("STATUS=llmbasedos ") && told.contains(&daemon.address), "{told}");
        let _client = daemon.client().await;
        assert!(manager.hears("STATUS=serving 1 connection").contains("WATCHDOG=1"));
        // What is below the root may die: it still answers.
        let _ =
            daemon.client().await.call("mcp.admin.restart", json!({ "id": "services", "how": "kill" })).await;
        manager.hears("WATCHDOG=1");
        daemon.signal(Signal::TERM);
        manager.hears("STOPPING=1");
        assert!(daemon.ended().await.success(), "{}", daemon.log());
    });
}

#[test]
fn the_gateways_socket_can_be_opened_by_who_starts_it() {
    run(async {
        let folder = laid_out().await;
        let socket = folder.path().join("run/gateway.sock");
        std::fs::create_dir(folder.path().join("run")).expect("a folder");
        let at = socket.to_str().expect("a plain path");
        // It starts the daemon when somebody knocks, who waits meanwhile.
        let mut child = by(&["systemd-socket-activate", "--listen", at], folder.path());
        until("the socket is there", async || socket.exists()).await;
        let client = Client::unix(&socket).await.expect("somebody listens");
        client.ok("mcp.hello", json!([])).await;
        signal(child.id().expect("it runs"), Signal::TERM);
        let status =
            tokio::time::timeout(PATIENCE, child.wait()).await.expect("it ends").expect("it is ours");
        assert!(status.success(), "{status}");
        assert!(socket.exists(), "it belongs to who made it");
    });
}

#[test]
fn a_socket_that_is_not_the_gateways_is_refused() {
    run(async {
        let folder = laid_out().await;
        let other = folder.path().join("other.sock");
        let at = other.to_str().expect("a plain path");
        let child = by(&["systemd-socket-activate", "--listen", at], folder.path());
        until("the socket is there", async || other.exists()).await;
        let _knock = tokio::net::UnixStream::connect(&other).await.expect("somebody listens");
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("it ends");
        let output = output.expect("it is ours");
        let said = text(&output.stderr);
        assert!(said.contains("run/gateway.sock: change ListenStream="), "{said}");
        assert_eq!(output.status.code(), Some(1));
    });
}

#[test]
fn process_1_is_the_daemon_and_buries_orphans() {
    run(async {
        let folder = laid_out().await;
        // Ends the namespace with the test.
        let starter = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
        let mut outer = by(&starter, folder.path());
        ready(&mut outer).await;
        let outside = outer.id().expect("it runs");
        let first = *children(outside).first().expect("process 1 of its namespace");
        assert_eq!(children(first), [0_u32; 0], "it is the daemon itself");

        let orphan = ["--target", &first.to_string(), "--pid", "sh", "-c", "sleep 1 &"];
        let parent = Command::new("nsenter").args(orphan).status().await.expect("nsenter runs");
        assert!(parent.success(), "{parent}");
        until("it has the orphan", async || children(first).len() == 1).await;
        until("it has buried it", async || children(first).is_empty()).await;

        signal(first, Signal::TERM);
        let status =
            tokio::time::timeout(PATIENCE, outer.wait()).await.expect("it ends").expect("it is ours");
        assert!(status.success(), "{status}");
    });
}

#[test]
fn a_healthcheck_says_whether_it_is_ready() {
    run(async {
        let mut daemon = Daemon::start().await;
        let asked = daemon.cli(&["healthcheck"]).await;
        assert_eq!((asked.status.code(), text(&asked.stdout).as_str()), (Some(0), "ready\n"));

        // By TCP, where there is no socket.
        let elsewhere = daemon.dir().join("nowhere").display().to_string();
        let by_tcp = ["healthcheck", "--run-dir", &elsewhere, "--listen", &daemon.address];
        assert_eq!(daemon.cli(&by_tcp).await.status.code(), Some(0));

        daemon.stop().await;
        let asked = daemon.cli(&["healthcheck", "--listen", "127.0.0.1:1"]).await;
        let said = text(&asked.stderr);
        assert!(said.starts_with("llmbasedos: not ready: 127.0.0.1:1: Connection refused"), "{said}");
        assert_eq!((asked.status.code(), said.lines().count()), (Some(1), 1));
    });
}

#[test]
fn a_first_start_makes_the_owners_token_and_no_other_does() {
    run(async {
        let folder = std::sync::Arc::new(laid_out().await);
        std::fs::remove_dir_all(folder.path().join("state")).expect("as if nothing had been");
        std::fs::remove_file(folder.path().join("token")).expect("as if nothing had been");
        let setup = Setup { arguments: vec!["--owner-token".into()], ..Setup::default() };
        let mut daemon = setup.start_in(std::sync::Arc::clone(&folder)).await;
        assert!(daemon.log().contains("`llmbasedos token show` prints it"), "{}", daemon.log());
        let shown = daemon.cli(&["token", "show"]).await;
        let token = text(&shown.stdout).trim().to_owned();
        Client::ws(&daemon.url(), Some(&token)).await.expect("the owner gets in");
        daemon.stop().await;

        let daemon = daemon.again().await;
        assert!(!daemon.log().contains("token show"), "{}", daemon.log());
        Client::ws(&daemon.url(), Some(&token)).await.expect("the owner gets in");
    });
}

/// What `serve` says and ends with, of somebody whom permissions bind.
async fn refused(dir: &Path) -> String {
    let child = by(&["setpriv", "--bounding-set=-all", "--inh-caps=-all"], dir);
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("it ends at once");
    let output = output.expect("it runs");
    let said = text(&output.stderr).replace(&dir.display().to_string(), "DIR");
    let user = format!("user {}", rustix::process::getuid().as_raw());
    format!("exit {:?}: {}", output.status.code(), said.replace(&user, "user ID"))
}

#[test]
fn a_folder_that_is_mounted_wrongly_is_one_clear_line() {
    run(async {
        let folder = laid_out().await;
        let state = folder.path().join("state");
        std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o500)).expect("it is ours");
        insta::assert_snapshot!(refused(folder.path()).await, @"exit Some(2): llmbasedos: the state folder DIR/state: it belongs to user ID and cannot be written by user ID, who runs this: chown it where it is from, or choose another with --state-dir");
        std::fs::remove_dir_all(&state).expect("it is ours");
        std::fs::write(&state, "").expect("it is ours");
        insta::assert_snapshot!(refused(folder.path()).await, @"exit Some(2): llmbasedos: the state folder DIR/state: it is no folder: remove it, or choose another with --state-dir");
        std::fs::remove_file(&state).expect("it is ours");
        // What an engine does about a file that is missing.
        let settings = folder.path().join("llmbasedos.yaml");
        std::fs::remove_file(&settings).expect("it is ours");
        std::fs::create_dir(&settings).expect("it is ours");
        insta::assert_snapshot!(refused(folder.path()).await, @"exit Some(2): llmbasedos: llmbasedos.yaml: is a folder, which container engines make where a mounted file is missing");
    });
}
