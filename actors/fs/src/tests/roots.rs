//! Several roots: longest name, read-only, tiers, moves between them, and what cannot be opened.

use std::fs;

use serde_json::json;

use super::World;
use super::world::root;
use crate::config::{Mode, Settings};
use crate::service::Fs;

/// `/` with a real `docs` directory, `/docs` over it, `/frozen` read-only, `/gold` for ELITE only.
fn several() -> World {
    World::with(|settings, dir| {
        for name in ["docs", "frozen", "gold"] {
            fs::create_dir(dir.join(name)).unwrap();
            fs::write(dir.join(name).join("f.txt"), name).unwrap();
            let mut root = root(&format!("/{name}"), dir.join(name));
            if name == "frozen" {
                root.mode = Mode::ReadOnly;
            }
            if name == "gold" {
                root.tiers = vec!["ELITE".to_owned()];
            }
            settings.roots.push(root);
        }
        fs::create_dir_all(dir.join("root/docs")).unwrap();
        fs::create_dir_all(dir.join("root/gold")).unwrap();
        fs::write(dir.join("root/docs/covered.txt"), "covered").unwrap();
        fs::write(dir.join("root/gold/covered.txt"), "covered").unwrap();
        fs::write(dir.join("root/own.txt"), "own").unwrap();
    })
}

#[test]
fn the_longest_name_wins() {
    let world = several();
    world.check("read", json!(["/docs/f.txt"]), Ok(json!({"content": "docs"})));
    world.check("read", json!(["/docs/covered.txt"]), Err("not_found"));
    world.check("read", json!(["/own.txt"]), Ok(json!({"content": "own"})));
    world.check(
        "list",
        json!({"path": "/"}),
        Ok(json!({"entries": [{"path": "/docs"}, {"path": "/frozen"}, {"path": "/own.txt"}]})),
    );
    world.check(
        "find",
        json!(["/", "*.txt"]),
        Ok(json!({"entries": [{"path": "/docs/f.txt"}, {"path": "/frozen/f.txt"}, {"path": "/own.txt"}]})),
    );
    world.check(
        "grep",
        json!(["/", "docs|frozen"]),
        Ok(json!({"files_searched": 3, "matches": [
        {"path": "/docs/f.txt"}, {"path": "/frozen/f.txt"}]})),
    );
    world.check("tree", json!({}), Ok(json!({"text": "docs/\n  f.txt\nfrozen/\n  f.txt\nown.txt\n"})));
}

#[test]
fn a_root_of_another_tier_does_not_exist() {
    let mut world = several();
    for (method, params) in [
        ("list", json!(["/gold"])),
        ("stat", json!(["/gold"])),
        ("read", json!(["/gold/f.txt"])),
        ("read", json!(["/gold/covered.txt"])),
        ("write", json!(["/gold/new", "x"])),
        ("mkdir", json!(["/gold"])),
        ("delete", json!(["/gold", true])),
        ("move", json!(["/own.txt", "/gold/x"])),
        ("copy", json!(["/gold/f.txt", "/x"])),
        ("find", json!(["/gold", "*"])),
    ] {
        world.check(method, params, Err("not_found"));
    }
    let everything = world.ok("find", &json!({"path": "/", "pattern": "*", "hidden": true})).to_string();
    assert!(!everything.contains("gold"), "{everything}");
    world.tier = "elite".to_owned();
    world.check("read", json!(["/gold/f.txt"]), Ok(json!({"content": "gold"})));
    world.check("list", json!({"path": "/"}), Ok(json!({"total": 4})));
    let id = world.ok("delete", &json!(["/gold/f.txt"]))["trash_id"].clone();
    world.tier = "PRO".to_owned();
    world.check("trash", json!({}), Ok(json!({"items": []})));
    world.check("restore", json!([id]), Err("not_in_trash"));
    world.check("emptyTrash", json!({}), Ok(json!({"removed": 0})));
}

#[test]
fn a_read_only_root_refuses_every_change() {
    let world = several();
    for (method, params) in [
        ("write", json!(["/frozen/f.txt", "x"])),
        ("write", json!({"path": "/frozen/a/b", "content": "x", "create_parents": true})),
        ("append", json!(["/frozen/f.txt", "x"])),
        ("edit", json!(["/frozen/f.txt", [{"old": "frozen", "new": "x"}]])),
        ("mkdir", json!(["/frozen/dir"])),
        ("move", json!(["/frozen/f.txt", "/x"])),
        ("move", json!(["/own.txt", "/frozen/x"])),
        ("copy", json!(["/own.txt", "/frozen/x"])),
        ("delete", json!(["/frozen/f.txt"])),
        ("delete", json!(["/frozen/f.txt", true, true])),
    ] {
        let error = world.call(method, &params).unwrap_err();
        assert_eq!(error.code.number(), -32012, "{method} {params}: {error}");
    }
    world.check("copy", json!(["/frozen/f.txt", "/thawed.txt"]), Ok(json!({"path": "/thawed.txt"})));
    world.check("stat", json!(["/frozen/f.txt"]), Ok(json!({"writable": false})));
    let dry = json!({"path": "/frozen/f.txt", "edits": [{"old": "frozen", "new": "x"}], "dry_run": true});
    world.check("edit", dry, Ok(json!({"written": false})));
    assert_eq!(fs::read_dir(world.base.join("frozen")).unwrap().count(), 1);
}

#[test]
fn roots_themselves_stay() {
    let world = several();
    for (method, params) in [
        ("delete", json!(["/docs", true])),
        ("delete", json!(["/docs", true, true])),
        ("move", json!(["/docs", "/elsewhere"])),
        ("move", json!(["/own.txt", "/docs", true])),
        ("write", json!(["/docs", "x"])),
    ] {
        world.check(method, params, Err("protected"));
    }
}

#[test]
fn moves_between_roots() {
    let world = several();
    world.file("tree/sub/x", "x").link("tree/link", "sub/x");
    world.check("move", json!(["/tree", "/docs/tree"]), Ok(json!({"path": "/docs/tree"})));
    world.check("read", json!(["/docs/tree/link"]), Ok(json!({"content": "x"})));
    assert!(!world.has("tree"));
    world.check(
        "copy",
        json!({"from": "/docs/tree", "to": "/tree", "recursive": true}),
        Ok(json!({"files": 4})),
    );
    let id = world.ok("delete", &json!(["/docs/tree", true]))["trash_id"].clone();
    world.check("restore", json!([id, "/x"]), Err("invalid_params"));
    world.check("restore", json!([id]), Ok(json!({"path": "/docs/tree"})));
}

#[test]
fn without_a_root_at_the_top_there_are_only_names() {
    let world = World::with(|settings, dir| settings.roots = vec![root("/docs", dir.join("root"))]);
    world.file("f", "x");
    world.check(
        "list",
        json!(["/"]),
        Ok(json!([{"name": "docs", "path": "/docs", "type": "directory", "size": -1}])),
    );
    world.check("stat", json!(["/"]), Ok(json!({"type": "directory", "writable": false})));
    world.check("find", json!(["/", "*"]), Ok(json!({"entries": [{"path": "/docs"}, {"path": "/docs/f"}]})));
    world.check("tree", json!({}), Ok(json!({"text": "docs/\n  f\n"})));
    world.check("read", json!(["/f"]), Err("not_found"));
    world.check("write", json!(["/f", "x"]), Err("not_found"));
    world.check("delete", json!(["/", true]), Err("protected"));
    world.check("read", json!(["/"]), Err("protected"));
    world.check("mkdir", json!(["/docs"]), Ok(json!({"created": false})));
    world.check("delete", json!(["/docs", true]), Err("protected"));
}

#[test]
fn what_cannot_be_opened_is_told_to_the_operator() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("a/inner")).unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let check = |roots: &[(&str, &str)], expected: &str| {
        let roots = roots.iter().map(|(at, path)| root(at, dir.path().join(path))).collect();
        let error = Fs::open(&Settings { roots, ..Settings::default() }).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(&[("a", "a")], "not a place for a root");
    check(&[("/a/b", "a")], "not a place for a root");
    check(&[("/..", "a")], "not a place for a root");
    check(&[("/x", "none")], "create it");
    check(&[("/x", "file")], "cannot be opened");
    check(&[("/x", "a"), ("/x", "a")], "two roots");
    check(&[("/x", "a"), ("/y", "a")], "lies in the folder");
    check(&[("/", "a"), ("/y", "a/inner")], "lies in the folder of root '/'");
    check(&[("/", "a/inner"), ("/y", "a")], "lies in the folder of root '/y'");
}

#[test]
fn a_root_that_is_renamed_is_still_the_root() {
    let world = World::new();
    world.file("f", "x");
    fs::rename(world.base.join("root"), world.base.join("renamed")).unwrap();
    fs::rename(world.base.join("outside"), world.base.join("root")).unwrap();
    world.check("read", json!(["/f"]), Ok(json!({"content": "x"})));
    world.check("read", json!(["/canary.txt"]), Err("not_found"));
}

#[test]
fn moves_between_file_systems_copy_compare_and_delete() {
    // Usually memory, so another file system; where it is the same, moving is a rename and just as whole.
    let elsewhere = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let world = World::with(|settings, _| settings.roots.push(root("/ram", elsewhere.path().to_owned())));
    world.file("tree/sub/x", "x".repeat(600_000)).link("tree/link", "sub/x").directory("tree/empty");
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_007);
    fs::File::open(world.host("tree/sub/x")).unwrap().set_modified(old).unwrap();
    world.check("move", json!(["/tree", "/ram/tree"]), Ok(json!({"path": "/ram/tree", "status": "success"})));
    assert!(!world.has("tree") && world.names("").is_empty());
    world.check(
        "stat",
        json!(["/ram/tree/sub/x"]),
        Ok(json!({"size": 600_000, "modified_at": "2001-09-09T01:46:47.000000+00:00"})),
    );
    world.check("stat", json!(["/ram/tree/link"]), Ok(json!({"leads_to": "file"})));
    world.file("x", "in the way");
    world.check("move", json!(["/ram/tree/sub/x", "/x"]), Err("exists"));
    world.check("move", json!(["/ram/tree/sub/x", "/x", true]), Ok(json!({"path": "/x"})));
    assert_eq!(world.text("x").len(), 600_000);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        elsewhere.path().join("tree/fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    if world.call("move", &json!(["/ram/tree", "/back"])).is_err() {
        // What cannot be copied whole stays whole where it is.
        assert!(elsewhere.path().join("tree/sub").is_dir() && !world.has("back"));
        assert_eq!(world.names(""), ["x"]);
    }
}
