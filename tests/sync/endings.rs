//! Jobs that do not get to their end by themselves: stopped, killed, full disks, servers that go and come back.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::{Rclone, Served, Server, run, run_within, until};
use serde_json::{Value, json};

use crate::{BOTH, Scene, hashes, kind, large, write};

/// Slow enough to be met half way, quick enough to end.
const SLOW: u64 = 4 << 20;

const FILES: usize = 6;

/// Files of 4 MB, in `/from`.
fn large_files(scene: &Scene) {
    for n in 0..FILES {
        large(scene.daemon.file(&format!("from/{n}.bin")), (4 << 20) + n);
    }
}

fn copy() -> Value {
    json!({ "source": "/from", "destination": "box:to", "options": { "transfers": 1 } })
}

/// Processes of rclone's below a daemon.
fn rclones(scene: &Scene) -> Vec<u32> {
    let daemon = scene.daemon.pid();
    let all =
        Command::new("ps").args(["-o", "pid=,comm=", "--ppid", &daemon.to_string()]).output().expect("ps");
    let all = String::from_utf8(all.stdout).expect("text");
    let found = all.lines().filter(|line| line.contains("rclone"));
    found.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

fn kill(pid: u32, signal: &str) {
    let sent = Command::new("kill").args([signal, &pid.to_string()]).status().expect("kill");
    assert!(sent.success(), "{pid} is there");
}

/// Makes a server so slow that a job is met half way: its process sleeps nine tenths of the time.
pub(crate) struct Slowed(std::sync::Arc<std::sync::atomic::AtomicBool>, Option<std::thread::JoinHandle<()>>);

impl Slowed {
    pub(crate) fn server(server: &Server) -> Self {
        let over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (told, pid) = (over.clone(), server.pid());
        let thread = std::thread::spawn(move || {
            while !told.load(std::sync::atomic::Ordering::Relaxed) {
                kill(pid, "-STOP");
                std::thread::sleep(Duration::from_millis(150));
                kill(pid, "-CONT");
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Self(over, Some(thread))
    }
}

impl Drop for Slowed {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        if let Some(thread) = self.1.take() {
            let _ = thread.join();
        }
    }
}

#[test]
fn a_job_is_stopped_half_way_and_resumed() {
    run(async {
        for rclone in BOTH {
            let server = Server::start(Served::Sftp);
            let scene = Scene::new(rclone, &server.remote("box")).await;
            large_files(&scene);
            let slowed = Slowed::server(&server);
            let id = scene.begin(copy()).await;
            scene.is_half_way(&id).await;
            let told = scene.client.ok("mcp.sync.stopJob", json!({ "job_id": id })).await;
            assert_eq!(told["status"], "stopping_signal_sent");
            let early = scene.client.call("mcp.sync.resume", json!({ "job_id": id })).await;
            let early = early.expect_err("it has not stopped yet, or it has and is resumed too soon");
            assert_eq!(kind(&early), "not_resumable", "{early}");
            drop(slowed);
            let ended = scene.end(&id).await;
            assert_eq!(
                (&ended["status"], &ended["is_running"]),
                (&json!("stopped"), &json!(false)),
                "{ended:#}"
            );
            let done = ended["progress"]["bytes"].as_u64().expect("a number");
            assert!(done > 0 && done < (FILES as u64) << 22, "{ended:#}");
            let told = scene.client.ok("mcp.sync.stopJob", json!({ "job_id": id })).await;
            assert_eq!(told["status"], "not_running");
            assert_eq!(scene.status(&id).await["status"], "stopped", "it stays what it was");
            let resumed = scene.client.ok("mcp.sync.resume", json!({ "job_id": id, "wait": true })).await;
            assert_eq!(resumed["status"], "completed", "{resumed:#}");
            assert!(
                resumed["progress"]["bytes"].as_u64() >= Some(done),
                "it goes on from there: {resumed:#}"
            );
            assert_eq!(hashes(&scene.daemon.file("from")), hashes(&server.folder().join("to")), "{rclone:?}");
        }
    });
}

#[test]
fn rclone_is_killed_half_way_and_the_job_is_resumed() {
    run(async {
        for rclone in BOTH {
            let server = Server::start(Served::Webdav);
            let scene = Scene::new(rclone, &server.remote("box")).await;
            large_files(&scene);
            let slowed = Slowed::server(&server);
            let id = scene.begin(copy()).await;
            let half = scene.is_half_way(&id).await;
            let [pid] = rclones(&scene)[..] else { panic!("one rclone") };
            assert_eq!(half["pid"], pid, "{half:#}");
            kill(pid, "-KILL");
            let ended = scene.end(&id).await;
            assert_eq!(ended["status"], "interrupted", "{ended:#}");
            assert!(ended["progress"]["bytes"].as_u64() > Some(0), "{ended:#}");
            let said = ended["status_message"].as_str().expect("text");
            assert!(said.contains("SIGKILL") && said.contains("mcp.sync.resume"), "{said}");
            assert_eq!(said.contains("older than 1.63"), rclone == Rclone::Debian, "{said}");
            drop(slowed);
            // Nothing begins by itself.
            assert_eq!((rclones(&scene).len(), &scene.status(&id).await["attempt"]), (0, &json!(1)));
            let resumed = scene.client.ok("mcp.sync.resume", json!({ "job_id": id, "wait": true })).await;
            assert_eq!(resumed["status"], "completed", "{resumed:#}");
            assert_eq!(scene.status(&id).await["attempt"], 2);
            assert_eq!(hashes(&scene.daemon.file("from")), hashes(&server.folder().join("to")), "{rclone:?}");
            let health = scene.client.ok("mcp.admin.health", json!({})).await;
            assert_eq!(health["status"], "ok", "{health}");
        }
    });
}

#[test]
fn the_daemon_is_killed_half_way_and_its_jobs_are_resumed() {
    run(async {
        for rclone in BOTH {
            let server = Server::start(Served::Sftp);
            let scene = Scene::with(rclone, &server.remote("box"), "sync: {parallel: 1}\n").await;
            large_files(&scene);
            let slowed = Slowed::server(&server);
            let (id, waits) = (scene.begin(copy()).await, scene.begin(copy()).await);
            // What was transferred is written down every second.
            scene.is_half_way(&id).await;
            until("the journal knows how far it is", async || {
                let query = "SELECT progress FROM sync_jobs WHERE id = ?1";
                let text: String = scene.daemon.query(|db| db.query_row(query, [&id], |row| row.get(0)));
                serde_json::from_str::<Value>(&text).expect("JSON")["bytes"].as_u64() > Some(0)
            })
            .await;
            assert_eq!(scene.status(&waits).await["status"], "queued");
            let [pid] = rclones(&scene)[..] else { panic!("one rclone") };
            let scene = scene.crash_and_restart().await;
            until("rclone ends with the daemon", async || !Path::new(&format!("/proc/{pid}")).exists()).await;
            drop(slowed);
            for id in [&id, &waits] {
                let now = scene.status(id).await;
                assert_eq!((&now["status"], &now["attempt"]), (&json!("interrupted"), &json!(1)), "{now:#}");
            }
            assert!(scene.status(&id).await["progress"]["bytes"].as_u64() > Some(0));
            assert!(rclones(&scene).is_empty(), "nothing begins by itself");
            for id in [&id, &waits] {
                let resumed = scene.client.ok("mcp.sync.resume", json!({ "job_id": id, "wait": true })).await;
                assert_eq!(resumed["status"], "completed", "{resumed:#}");
            }
            assert_eq!(hashes(&scene.daemon.file("from")), hashes(&server.folder().join("to")), "{rclone:?}");
        }
    });
}

#[test]
fn a_job_with_a_process_of_its_own_is_stopped_killed_and_resumed_too() {
    run(async {
        for rclone in BOTH {
            let server = Server::start(Served::Sftp);
            let scene = Scene::new(rclone, &server.remote("box")).await;
            large_files(&scene);
            let mut job = copy();
            job["options"]["bwlimit"] = json!(SLOW);
            let id = scene.begin(job).await;
            scene.is_half_way(&id).await;
            scene.client.ok("mcp.sync.stopJob", json!({ "job_id": id })).await;
            let ended = scene.end(&id).await;
            assert_eq!(ended["status"], "stopped", "{ended:#}");
            assert!(rclones(&scene).is_empty(), "{rclone:?}");
            scene.client.ok("mcp.sync.resume", json!({ "job_id": id })).await;
            until("it runs again", async || scene.status(&id).await["pid"].is_number()).await;
            until("it has an rclone of its own", async || rclones(&scene).len() == 1).await;
            kill(rclones(&scene)[0], "-KILL");
            let ended = scene.end(&id).await;
            assert_eq!(ended["status"], "interrupted", "{ended:#}");
            let resumed = scene.client.ok("mcp.sync.resume", json!({ "job_id": id, "wait": true })).await;
            assert_eq!(resumed["status"], "completed", "{resumed:#}");
            assert_eq!(hashes(&scene.daemon.file("from")), hashes(&server.folder().join("to")), "{rclone:?}");
        }
    });
}

#[test]
fn a_clean_stop_of_the_daemon_interrupts_its_jobs() {
    run(async {
        let server = Server::start(Served::Sftp);
        let mut scene = Scene::new(Rclone::Current, &server.remote("box")).await;
        large_files(&scene);
        let slowed = Slowed::server(&server);
        let id = scene.begin(copy()).await;
        scene.is_half_way(&id).await;
        scene.daemon.stop().await;
        drop(slowed);
        let scene = scene.again().await;
        assert_eq!(scene.status(&id).await["status"], "interrupted");
    });
}

#[test]
fn a_server_that_goes_and_comes_back_fails_the_job_which_is_resumed() {
    run(async {
        for rclone in BOTH {
            let mut server = Server::start(Served::Webdav);
            let scene = Scene::new(rclone, &server.remote("box")).await;
            large_files(&scene);
            let mut job = copy();
            job["options"]["bwlimit"] = json!(SLOW);
            let id = scene.begin(job).await;
            scene.is_half_way(&id).await;
            server.stop();
            // rclone's own patience with a server is longer than a test's.
            server.again();
            let ended = scene.end(&id).await;
            if ended["status"] != "completed" {
                assert_eq!(ended["status"], "failed", "{ended:#}");
                let resumed = scene.client.ok("mcp.sync.resume", json!({ "job_id": id, "wait": true })).await;
                assert_eq!(resumed["status"], "completed", "{resumed:#}");
            }
            assert_eq!(hashes(&scene.daemon.file("from")), hashes(&server.folder().join("to")), "{rclone:?}");
        }
    });
}

#[test]
fn a_server_that_is_not_there_fails_the_job_and_says_so_without_secrets() {
    run_within(Duration::from_mins(6), async {
        for rclone in BOTH {
            let mut server = Server::start(Served::Http);
            let remotes = server.remote("web");
            server.stop();
            let scene = Scene::new(rclone, &remotes).await;
            let ended = scene.run(json!({ "source": "web:", "destination": "/x" })).await;
            assert_eq!((&ended["status"], &ended["return_code"]), (&json!("failed"), &json!(1)), "{ended:#}");
            let text = ended.to_string();
            assert!(text.contains("connection refused") && !text.contains("sEcReT"), "{text}");
            assert!(!text.contains(&*scene.daemon.dir().to_string_lossy()), "{text}");
            assert!(!scene.daemon.log().contains("sEcReT"), "{}", scene.daemon.log());
        }
    });
}

#[test]
fn a_full_disk_fails_the_job_which_is_resumed_when_there_is_room() {
    run(async {
        for rclone in BOTH {
            let server = Server::start(Served::Sftp);
            for n in 0..FILES {
                large(server.folder().join(format!("{n}.bin")), (4 << 20) + n);
            }
            let scene = Scene::new(rclone, &server.remote("box")).await;
            let to = scene.daemon.file("to");
            std::fs::create_dir(&to).expect("a folder");
            let mount = |arguments: &[&str]| {
                assert!(Command::new("mount").args(arguments).arg(&to).status().expect("mount").success());
            };
            mount(&["-t", "tmpfs", "-o", "size=9m", "none"]);
            let _unmounted = Unmounted(to.clone());
            let id = scene.begin(json!({ "source": "box:", "destination": "/to" })).await;
            let ended = scene.end(&id).await;
            assert_eq!(ended["status"], "failed", "{ended:#}");
            let why = ended["status_message"].as_str().expect("text");
            assert!(why.contains("no space left") || why.contains("remaining disk space"), "{ended:#}");
            mount(&["-o", "remount,size=40m", "none"]);
            let resumed = scene.client.ok("mcp.sync.resume", json!({ "job_id": id, "wait": true })).await;
            assert_eq!(resumed["status"], "completed", "{resumed:#}");
            assert_eq!(hashes(&to), hashes(&server.folder()), "{rclone:?}");
        }
    });
}

struct Unmounted(std::path::PathBuf);

impl Drop for Unmounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn rclone_ends_when_nobody_wants_it_and_reads_its_configuration_anew() {
    run(async {
        let server = Server::start(Served::Webdav);
        write(server.folder().join("a"), "x");
        let scene = Scene::with(Rclone::Current, &server.remote("box"), "sync: {idle_seconds: 1}\n").await;
        scene.client.ok("mcp.sync.listRemote", json!({ "path": "box:" })).await;
        assert_eq!(rclones(&scene).len(), 1);
        until("it is ended", async || rclones(&scene).is_empty()).await;
        scene.configure(&server.remote("other"));
        let listed = scene.client.ok("mcp.sync.listRemote", json!({ "path": "other:" })).await;
        assert_eq!(listed["entries"][0]["name"], "a", "{listed:#}");
        scene.configure(&server.remote("third"));
        let listed = scene.client.ok("mcp.sync.listRemote", json!({ "path": "third:" })).await;
        assert_eq!(listed["total"], 1, "{listed:#}");
    });
}
