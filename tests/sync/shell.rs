//! `luca-shell` copies and shows a bar.

use harness::{Rclone, Served, Server, daemon, run};

use crate::{Scene, hashes, write};

#[test]
fn the_shell_copies_and_shows_a_bar() {
    run(async {
        let server = Server::start(Served::Webdav);
        let scene = Scene::new(Rclone::Current, &server.remote("box")).await;
        write(scene.daemon.file("from/a.txt"), "alpha");
        let mut shell = daemon::command("luca-shell");
        shell.args(["--url", &scene.daemon.url(), "--token-file"]).arg(scene.daemon.dir().join("token"));
        shell.env("HOME", scene.daemon.dir()).args(["-c", "cd /", "-c", "sync from box:to"]);
        let output = shell.output().await.expect("it runs");
        let (out, err) = (daemon::text(&output.stdout), daemon::text(&output.stderr));
        assert!(output.status.success(), "{out}{err}");
        assert!(out.contains(" completed: 1 files with 5 bytes were transferred"), "{out}{err}");
        assert!(err.contains("[########################] 100 %  5B of 5B, 1 of 1 files"), "{out}{err}");
        assert_eq!(hashes(&server.folder().join("to")), hashes(&scene.daemon.file("from")));
    });
}
