//! Crashes, full disks and callers who change their minds.

use std::fs;
use std::process::Command;
use std::time::{Duration, SystemTime};

use protocol::Cause;
use rustix::fs::{FlockOperation, flock};
use serde_json::json;

use super::World;

fn make_old(world: &World, inside: &str) -> fs::File {
    let file = fs::File::open(world.host(inside)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(1)).unwrap();
    file
}

#[test]
fn drafts_are_invisible_and_the_sweep_removes_abandoned_ones() {
    let world = World::new();
    world
        .file("dir/.llmbasedos-tmp-old", "half")
        .file("dir/.llmbasedos-tmp-new", "half")
        .file("dir/f", "whole");
    world.file("dir/.llmbasedos-tmp-tree/x/y", "half").file("dir/.llmbasedos-tmp-busy", "half");
    for old in ["dir/.llmbasedos-tmp-old", "dir/.llmbasedos-tmp-tree"] {
        make_old(&world, old);
    }
    let busy = make_old(&world, "dir/.llmbasedos-tmp-busy");
    flock(&busy, FlockOperation::LockExclusive).unwrap();
    world.check("list", json!(["/dir"]), Ok(json!([{"name": "f"}])));
    world.check(
        "find",
        json!({"path": "/", "pattern": "*", "hidden": true}),
        Ok(json!({"entries": [
        {"path": "/dir"}, {"path": "/dir/f"}]})),
    );
    world.check("grep", json!({"path": "/", "pattern": "half", "hidden": true}), Ok(json!({"matches": []})));
    assert_eq!(world.fs.sweep(&world.cancel).drafts, 2);
    assert_eq!(world.names("dir"), [".llmbasedos-tmp-busy", ".llmbasedos-tmp-new", "f"]);
}

#[test]
fn a_directory_that_holds_only_drafts_counts_as_empty() {
    let world = World::new();
    world.file("dir/.llmbasedos-tmp-new", "half");
    world.check("delete", json!(["/dir", false, true]), Ok(json!({"status": "success"})));
    assert!(world.names("").is_empty());
}

#[test]
fn a_cancelled_call_stops_and_leaves_nothing() {
    let world = World::new();
    world.file("f", "old").file("dir/x", "x");
    world.cancel.cancel(Cause::Cancelled);
    for (method, params) in [
        ("list", json!(["/"])),
        ("find", json!(["/", "*"])),
        ("grep", json!(["/", "x"])),
        ("tree", json!({})),
        ("hash", json!(["/f"])),
        ("write", json!(["/f", "new"])),
        ("edit", json!(["/f", [{"old": "old", "new": "new"}]])),
        ("copy", json!({"from": "/dir", "to": "/copy", "recursive": true})),
        ("multi_read", json!([["/f"]])),
    ] {
        world.check(method, params, Err("cancelled"));
    }
    assert_eq!((world.text("f").as_str(), world.names("")), ("old", vec!["dir".to_owned(), "f".to_owned()]));
}

#[test]
fn a_panic_under_the_lock_does_not_poison_the_service() {
    let world = World::new();
    world.file("f", "old");
    let identity =
        crate::attributes::Attributes::of(fs::File::open(world.host("")).unwrap()).unwrap().identity;
    let fs = world.fs.clone();
    let died = std::thread::spawn(move || {
        let _held = fs.hold(identity, "f");
        std::panic::resume_unwind(Box::new("as a bug would"));
    });
    assert!(died.join().is_err());
    world.check("write", json!(["/f", "new"]), Ok(json!({"status": "success"})));
}

/// A disk that is full is played by a limit on file sizes, which needs neither root nor a mount: the write fails
/// half-way in the same way. The limit is the process's, so the test runs itself again below one.
#[test]
fn when_there_is_no_room_the_old_content_stays() {
    const CHILD: &str = "LLMBASEDOS_FS_TEST_FULL_DISK";
    #[expect(clippy::disallowed_methods, reason = "how the test tells its second run; no setting")]
    let is_child = std::env::var_os(CHILD).is_some();
    if !is_child {
        let run = Command::new("/bin/sh")
            .args(["-c", r#"trap "" XFSZ; ulimit -f 64; exec "$0" --exact "$1""#])
            .arg(std::env::current_exe().unwrap())
            .arg("tests::faults::when_there_is_no_room_the_old_content_stays")
            .env(CHILD, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let world = World::new();
    world.file("f", "old").file("log", "one\n");
    let big = "x".repeat(100_000);
    for (method, params) in [
        ("write", json!(["/f", big])),
        ("write", json!(["/new", big])),
        ("append", json!(["/log", big])),
        ("append", json!(["/new", big])),
        ("edit", json!(["/f", [{"old": "old", "new": big}]])),
    ] {
        let error = world.call(method, &params).unwrap_err();
        assert_eq!(error.code.number(), -32015, "{method}: {error:?}");
    }
    assert_eq!((world.text("f").as_str(), world.text("log").as_str()), ("old", "one\n"));
    assert_eq!(world.names(""), ["f", "log"]);
}
