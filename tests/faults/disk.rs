//! The disk is full: whoever writes is told so, what was there stays, and everything else goes on.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use harness::{Client, Daemon, Setup, until};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::script;

/// A small disk, mounted as long as this lives. That takes root, or a CI that is it.
struct SmallDisk(PathBuf);

#[test]
fn with_the_files_disk_full_nothing_is_lost() {
    script(async {
        let (mut daemon, _disk) = on_a_small_disk("user_files", 2 << 20).await;
        let client = daemon.client().await;
        let old = "what was there\n".repeat(4000);
        client.ok("mcp.fs.write", json!({ "path": "/old.txt", "content": old })).await;
        let piece = "x".repeat(100_000);
        let mut written = 0;
        while client.call("mcp.fs.write", json!([format!("/fill-{written}"), piece])).await.is_ok() {
            written += 1;
        }
        assert!((10..21).contains(&written), "{written} pieces fit on the disk");
        let names = names(&client).await;

        let more = "y".repeat(500_000);
        for (method, params) in [
            ("mcp.fs.write", json!({ "path": "/old.txt", "content": more })),
            ("mcp.fs.write", json!({ "path": "/new.txt", "content": more })),
            ("mcp.fs.append", json!({ "path": "/old.txt", "content": more })),
            ("mcp.fs.append", json!({ "path": "/new.txt", "content": more })),
            ("mcp.fs.copy", json!({ "from": "/fill-0", "to": "/copy" })),
            (
                "mcp.fs.edit",
                json!({ "path": "/old.txt", "edits": [{ "old": "was", "new": "x".repeat(50), "all": true }] }),
            ),
        ] {
            let error = client.call(method, params).await.expect_err("there is no room");
            assert_eq!(error["code"], -32015, "{method}: {error}");
            assert!(
                error["message"].as_str().is_some_and(|text| text.contains("No room")),
                "{method}: {error}"
            );
            let read = client.ok("mcp.fs.read", json!({ "path": "/old.txt" })).await;
            assert_eq!(read["content"], *old, "{method} left the old content alone");
        }
        assert_eq!(self::names(&client).await, names, "nothing came, nothing went");
        drafts_are_gone(&daemon.dir().join("user_files"));

        let gone = client.ok("mcp.fs.delete", json!({ "path": "/fill-0", "permanent": true })).await;
        assert_eq!(gone["status"], "success");
        client.ok("mcp.fs.write", json!(["/new.txt", "there is room again"])).await;
        assert_eq!(client.ok("mcp.admin.health", json!({})).await["status"], "ok");
        drop(client);
        daemon.stop().await;
    });
}

#[test]
fn with_the_state_disk_full_calls_go_on() {
    script(async {
        let (mut daemon, disk) = on_a_small_disk("state", 4 << 20).await;
        let client = daemon.client().await;
        client.ok("mcp.fs.write", json!(["/before.txt", "x"])).await;
        let filler = disk.0.join("filler");
        fill(&filler);
        // Until the trail's own file cannot grow any more.
        until("the log says what is lost", async || {
            for number in 0..100 {
                client.ok("mcp.fs.write", json!([format!("/{number}.txt"), "x"])).await;
            }
            client.ok("mcp.fs.list", json!(["/"])).await;
            daemon.log().contains("audit rows lost")
        })
        .await;
        assert_eq!(client.ok("mcp.admin.health", json!({})).await["status"], "ok");
        let late = daemon.client().await;
        late.ok("mcp.hello", json!({})).await;

        let refused = daemon.cli(&["token", "create", "late"]).await;
        let said = String::from_utf8_lossy(&refused.stderr);
        println!("token create on a full disk: {:?} {said}", refused.status.code());
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("full"), "{said}");
        assert!(refused.stdout.is_empty(), "no token is shown that is not kept");

        std::fs::remove_file(&filler).expect("it was made here");
        let token = daemon.token_for("late", &[]).await;
        let late = Client::ws(&daemon.url(), Some(&token)).await.expect("the new token lets in");
        until("the trail goes on", async || {
            late.ok("mcp.fs.write", json!(["/after.txt", "x"])).await;
            rows(&daemon, "SELECT count(*) FROM audit WHERE caller = 'late'") > 0
        })
        .await;
        drop((client, late));
        daemon.stop().await;
    });
}

async fn on_a_small_disk(folder: &str, bytes: u64) -> (Daemon, SmallDisk) {
    let setup = Setup::default();
    let dir = Arc::new(tempfile::tempdir().expect("a folder for the test"));
    let disk = SmallDisk::mount(dir.path().join(folder), bytes);
    setup.lay_out(dir.path()).await;
    (setup.start_in(dir).await, disk)
}

async fn names(client: &Client) -> Vec<Value> {
    let listed = client.ok("mcp.fs.list", json!(["/"])).await;
    listed.as_array().expect("entries").iter().map(|entry| entry["name"].clone()).collect()
}

fn drafts_are_gone(dir: &Path) {
    let names = std::fs::read_dir(dir).expect("it is there").flatten().map(|entry| entry.file_name());
    let drafts: Vec<_> = names.filter(|name| name.to_string_lossy().contains("-tmp-")).collect();
    assert!(drafts.is_empty(), "{drafts:?}");
}

/// Takes all the room that is left.
fn fill(path: &Path) {
    use std::io::Write as _;
    let mut filler = std::fs::File::create(path).expect("a file on the disk");
    while filler.write_all(&[0; 4096]).is_ok() {}
}

fn rows(daemon: &Daemon, query: &str) -> i64 {
    let db = Connection::open(daemon.dir().join("state/llmbasedos.db")).expect("the state file opens");
    db.query_row(query, [], |row| row.get(0)).expect("it can be read")
}

impl SmallDisk {
    fn mount(at: PathBuf, bytes: u64) -> Self {
        std::fs::create_dir_all(&at).expect("a folder to mount on");
        let options = format!("size={bytes}");
        let mut mount = Command::new("mount");
        let done =
            mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&at).output().expect("mount runs");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "a full disk is tested on a small tmpfs, which takes root: {said}");
        Self(at)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a script that failed leaves a daemon behind that still has it open.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
