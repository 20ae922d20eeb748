//! Every verb against every server, with the contents compared at the end.

use harness::{Rclone, Served, Server, run_within};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

use crate::{BOTH, Scene, hashes, write};

const LIMIT: Duration = Duration::from_mins(8);

fn some_files(folder: &Path) {
    write(folder.join("a.txt"), "alpha");
    write(folder.join("deep/er/b.bin"), vec![7; 100_000]);
    write(folder.join("Grüße an alle.txt"), "hello");
    write(folder.join("-dash"), "x");
    write(folder.join("deep/empty"), "");
}

#[test]
fn what_is_copied_to_a_server_is_there_and_comes_back() {
    run_within(LIMIT, async {
        for rclone in BOTH {
            for served in [Served::Webdav, Served::Sftp] {
                let server = Server::start(served);
                let scene = Scene::new(rclone, &server.remote("box")).await;
                let from = scene.daemon.file("from");
                some_files(&from);
                let ended = scene.completes(json!({ "source": "/from", "destination": "box:in/side" })).await;
                assert_eq!(hashes(&from), hashes(&server.folder().join("in/side")), "{rclone:?} {served:?}");
                let progress = &ended["progress"];
                assert_eq!(
                    (&progress["files"], &progress["bytes"]),
                    (&json!(5), &json!(100_011)),
                    "{ended:#}"
                );
                assert_eq!((&ended["return_code"], &ended["attempt"]), (&json!(0), &json!(1)));
                // Nothing is sent twice.
                let again = scene.completes(json!({ "source": "/from", "destination": "box:in/side" })).await;
                assert_eq!(again["progress"]["files"], 0, "{again:#}");
                scene.completes(json!({ "source": "box:in/side", "destination": "/back/again" })).await;
                assert_eq!(hashes(&from), hashes(&scene.daemon.file("back/again")), "{rclone:?} {served:?}");
            }
        }
    });
}

#[test]
fn a_web_server_can_be_copied_from() {
    run_within(LIMIT, async {
        for rclone in BOTH {
            let server = Server::start(Served::Http);
            some_files(&server.folder());
            let scene = Scene::new(rclone, &server.remote("web")).await;
            scene.completes(json!({ "source": "web:", "destination": "/from-web" })).await;
            assert_eq!(hashes(&server.folder()), hashes(&scene.daemon.file("from-web")), "{rclone:?}");
        }
    });
}

#[test]
fn what_is_copied_to_a_crypt_remote_is_sealed_there_and_comes_back() {
    run_within(LIMIT, async {
        for rclone in BOTH {
            let server = Server::start(Served::Webdav);
            let password = Rclone::Current.obscure("a long password");
            let sealed = format!("[sealed]\ntype = crypt\nremote = box:sealed\npassword = {password}\n");
            let scene = Scene::new(rclone, &format!("{}{sealed}", server.remote("box"))).await;
            let from = scene.daemon.file("from");
            some_files(&from);
            scene.completes(json!({ "source": "/from", "destination": "sealed:" })).await;
            let there = hashes(&server.folder().join("sealed"));
            assert_eq!(there.len(), 5);
            assert!(!there.keys().any(|path| path.to_string_lossy().contains("a.txt")), "{there:?}");
            scene.completes(json!({ "source": "sealed:", "destination": "/back" })).await;
            assert_eq!(hashes(&from), hashes(&scene.daemon.file("back")), "{rclone:?}");
            let checked = scene
                .client
                .ok("mcp.sync.check", json!({ "source": "/from", "destination": "sealed:" }))
                .await;
            assert_eq!((&checked["same"], &checked["differ"]), (&json!(5), &json!(0)), "{checked}");
        }
    });
}

#[test]
fn sync_move_and_filters_do_what_they_say() {
    run_within(LIMIT, async {
        for rclone in BOTH {
            let server = Server::start(Served::Sftp);
            let scene = Scene::new(rclone, &server.remote("box")).await;
            let from = scene.daemon.file("from");
            some_files(&from);
            write(server.folder().join("s/gone.txt"), "old");
            // What the file service keeps for itself is neither copied nor deleted.
            write(from.join(".llmbasedos-trash/x"), "thrown away");
            write(server.folder().join("s/.llmbasedos-trash/y"), "thrown away there");
            let ended =
                scene.completes(json!({ "source": "/from", "destination": "box:s", "verb": "sync" })).await;
            assert_eq!(ended["progress"]["deletes"], 1, "{ended:#}");
            let there = hashes(&server.folder().join("s"));
            assert!(
                !there.contains_key(Path::new("gone.txt"))
                    && there.contains_key(Path::new(".llmbasedos-trash/y"))
            );
            assert_eq!(there.len(), 6, "{there:?}");
            let options = json!({ "include": ["*.txt"], "exclude": ["a*"], "max_size": 50 });
            scene.completes(json!({ "source": "/from", "destination": "box:f", "options": options })).await;
            let names: Vec<_> = hashes(&server.folder().join("f")).into_keys().collect();
            assert_eq!(names, [Path::new("Grüße an alle.txt")]);
            // The original's words.
            let arguments = json!(["move", "--include", "*.bin", "-v", "--transfers=2"]);
            scene
                .completes(json!({ "source": "/from", "destination": "box:m", "rclone_args": arguments }))
                .await;
            assert!(!from.join("deep/er/b.bin").exists() && from.join("a.txt").exists());
            assert_eq!(
                std::fs::read(server.folder().join("m/deep/er/b.bin")).expect("it is there").len(),
                100_000
            );
            // What is replaced goes aside.
            write(from.join("a.txt"), "alpha, longer");
            let options = json!({ "backup_dir": "box:old", "suffix": ".before" });
            scene.completes(json!({ "source": "/from", "destination": "box:s", "options": options })).await;
            assert_eq!(
                std::fs::read(server.folder().join("old/a.txt.before")).expect("it is there"),
                b"alpha"
            );
        }
    });
}

#[test]
fn bisync_takes_changes_and_deletions_both_ways() {
    run_within(LIMIT, async {
        for rclone in BOTH {
            let server = Server::start(Served::Sftp);
            let scene = Scene::new(rclone, &server.remote("box")).await;
            let (here, there) = (scene.daemon.file("both"), server.folder().join("both"));
            some_files(&here);
            write(there.join("other.txt"), "from there");
            let job = |resync: bool| json!({ "source": "/both", "destination": "box:both", "verb": "bisync", "options": { "resync": resync } });
            let first = scene.run(job(false)).await;
            assert_eq!(first["status"], "failed", "{first:#}");
            assert!(first["status_message"].as_str().expect("text").contains("options.resync"), "{first:#}");
            scene.completes(job(true)).await;
            assert_eq!(hashes(&here), hashes(&there), "{rclone:?}");
            std::fs::remove_file(here.join("a.txt")).expect("it is there");
            write(there.join("other.txt"), "changed there, longer");
            write(here.join("new.txt"), "new here");
            let before = (hashes(&here), hashes(&there));
            let plan = scene.client.ok("mcp.sync.plan", json!({ "job": job(false) })).await;
            assert_eq!(plan["counts"], json!({ "copy": 2, "delete": 1 }), "{plan:#}");
            assert_eq!((hashes(&here), hashes(&there)), before, "a plan changes nothing");
            let ran =
                scene.client.ok("mcp.sync.run", json!({ "plan_id": plan["plan_id"], "wait": true })).await;
            assert_eq!(ran["status"], "completed", "{ran:#}");
            assert_eq!(hashes(&here), hashes(&there), "{rclone:?}");
            assert!(!there.join("a.txt").exists() && there.join("new.txt").exists());
            assert_eq!(std::fs::read(here.join("other.txt")).expect("it is there"), b"changed there, longer");
        }
    });
}

#[test]
fn a_check_says_what_differs() {
    run_within(LIMIT, async {
        for rclone in BOTH {
            let server = Server::start(Served::Webdav);
            let scene = Scene::new(rclone, &server.remote("box")).await;
            write(scene.daemon.file("c/same"), "same");
            write(scene.daemon.file("c/differs"), "one");
            write(scene.daemon.file("c/here"), "x");
            write(server.folder().join("c/same"), "same");
            write(server.folder().join("c/differs"), "other");
            write(server.folder().join("c/there"), "x");
            let both = json!({ "source": "/c", "destination": "box:c" });
            let checked = scene.client.ok("mcp.sync.check", both.clone()).await;
            let found: Vec<&Value> = ["same", "differ", "missing_on_source", "missing_on_destination"]
                .iter()
                .map(|key| &checked[*key])
                .collect();
            assert_eq!(found, [1, 1, 1, 1], "{checked:#}");
            let mut job = both;
            job["verb"] = json!("check");
            let ended = scene.completes(job).await;
            assert_eq!(
                (&ended["return_code"], &ended["status_message"]),
                (&json!(1), &json!("3 differences; the log has them"))
            );
            let log = ended["log_preview"].to_string();
            assert!(log.contains("* differs") && log.contains("+ here") && log.contains("- there"), "{log}");
        }
    });
}
