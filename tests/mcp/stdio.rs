//! `llmbasedos stdio`: a process that a host starts, and that must never outlive it, nor say anything but messages.

use std::time::Duration;

use harness::{Daemon, PATIENCE, Setup, daemon, run, until};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use crate::http::{meta, tool};
use crate::peer::{Peer, stdio};

async fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    Setup::default().lay_out(folder.path()).await;
    folder
}

async fn ends(peer: Peer) -> std::process::ExitStatus {
    let mut child = peer.hang_up().expect("a process");
    timeout(PATIENCE, child.wait()).await.expect("it ends").expect("it is ours")
}

#[test]
fn it_ends_with_its_input_once_it_has_answered() {
    run(async {
        let (daemon, alone) = (Daemon::start().await, folder().await);
        for (dir, kind) in [(daemon.dir(), "attached"), (alone.path(), "embedded")] {
            let mut peer = Peer::process(stdio(dir));
            // A probe before initialize does not end it.
            let found = peer.ask(1, "server/discover", json!({ "_meta": meta() })).await;
            assert_eq!(found["result"]["resultType"], "complete", "{kind}");
            peer.open("2025-11-25").await;
            assert!(peer.ask(2, "tools/list", json!({})).await["result"]["tools"][0].is_object(), "{kind}");
            assert!(ends(peer).await.success(), "{kind}");

            // Everything at once, and the end of the input behind it.
            let mut command = stdio(dir);
            let mut child = command.spawn().expect("it starts");
            let mut input = child.stdin.take().expect("ours");
            let read = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
                               "params": { "name": "fs_list", "arguments": { "path": "/" }, "_meta": meta() } });
            tokio::io::AsyncWriteExt::write_all(&mut input, format!("{read}\n").as_bytes())
                .await
                .expect("it reads");
            drop(input);
            let output =
                timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").expect("it is ours");
            assert!(output.status.success(), "{kind}: {}", daemon::text(&output.stderr));
            let lines = daemon::text(&output.stdout);
            assert_eq!(lines.lines().count(), 1, "{kind}: {lines}");
            assert!(lines.contains("welcome.md"), "{kind}: {lines}");
        }
    });
}

#[test]
fn two_at_once_on_one_folder_do_not_fight() {
    run(async {
        let folder = folder().await;
        let mut peers = [Peer::process(stdio(folder.path())), Peer::process(stdio(folder.path()))];
        for peer in &mut peers {
            peer.open("2025-11-25").await;
        }
        for (n, peer) in peers.iter_mut().enumerate() {
            let write = tool("fs_write", json!({ "path": format!("/{n}.txt"), "content": "x" }));
            let written = peer.ask(1, "tools/call", write).await;
            assert_eq!(written["result"]["isError"], false, "{written}");
        }
        let listed = peers[0].ask(2, "tools/call", tool("fs_list", json!({ "path": "/" }))).await.to_string();
        assert!(listed.contains("0.txt") && listed.contains("1.txt"), "{listed}");
        for peer in peers {
            assert!(ends(peer).await.success());
        }
    });
}

#[test]
fn it_ends_when_its_parent_dies() {
    run(async {
        let (daemon, alone) = (Daemon::start().await, folder().await);
        for dir in [daemon.dir(), alone.path()] {
            // A shell that starts it and is killed; somebody else still holds the other end of its input.
            let program = daemon::program("llmbasedos");
            let mut shell = tokio::process::Command::new("sh");
            shell
                .args(["-c", "exec 3<&0; \"$0\" stdio --config-dir \"$1\" <&3 & echo $!; wait"])
                .arg(&program)
                .arg(dir);
            shell
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::null());
            let mut shell = shell.spawn().expect("a shell");
            let mut output = tokio::io::BufReader::new(shell.stdout.take().expect("ours"));
            let mut line = String::new();
            tokio::io::AsyncBufReadExt::read_line(&mut output, &mut line).await.expect("a line");
            let pid: u32 = line.trim().parse().expect("a process id");
            let mut input = shell.stdin.take().expect("ours");
            let ask = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
            tokio::io::AsyncWriteExt::write_all(&mut input, format!("{ask}\n").as_bytes())
                .await
                .expect("it reads");
            line.clear();
            tokio::io::AsyncBufReadExt::read_line(&mut output, &mut line).await.expect("it answers");
            assert!(line.contains("\"result\""), "{line}");
            shell.kill().await.expect("it can be killed");
            let mut rest = Vec::new();
            timeout(PATIENCE, output.read_to_end(&mut rest)).await.expect("its output ends").expect("a pipe");
            until("it is gone", async || {
                let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                state.is_empty() || state.contains(") Z ")
            })
            .await;
            drop(input);
        }
    });
}

#[test]
fn a_token_narrows_and_a_bad_one_is_a_clear_error() {
    run(async {
        let (daemon, alone) = (Daemon::start().await, folder().await);
        let narrow = daemon.token_for("narrow", &["--allow", "mcp.fs.list"]).await;
        let made = daemon::command("llmbasedos")
            .args(["token", "create", "narrow", "--allow", "mcp.fs.list", "--config-dir"])
            .arg(alone.path())
            .output()
            .await
            .expect("it runs");
        let embedded = daemon::text(&made.stdout).trim().to_owned();
        for (dir, token) in [(daemon.dir(), narrow), (alone.path(), embedded)] {
            let mut command = stdio(dir);
            command.env("LLMBDO_TOKEN", &token);
            let mut peer = Peer::process(command);
            peer.open("2025-11-25").await;
            let refused =
                peer.ask(1, "tools/call", tool("fs_write", json!({ "path": "/x", "content": "" }))).await;
            assert_eq!(refused["error"]["code"], -32602, "{refused}");
            let listed = peer.ask(2, "tools/call", tool("fs_list", json!({ "path": "/" }))).await;
            assert_eq!(listed["result"]["isError"], false, "{listed}");

            let mut command = stdio(dir);
            command.env("LLMBDO_TOKEN", "llmb_forged");
            let output =
                timeout(Duration::from_secs(30), command.output()).await.expect("it ends").expect("it runs");
            let error = daemon::text(&output.stderr);
            assert_eq!(
                (output.status.code(), daemon::text(&output.stdout)),
                (Some(1), String::new()),
                "{error}"
            );
            assert!(error.to_lowercase().contains("token") && !error.contains("llmb_forged"), "{error}");
        }
    });
}
