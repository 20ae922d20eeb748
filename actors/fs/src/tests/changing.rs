//! write, append, edit, mkdir, copy, move.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use serde_json::json;

use super::World;

#[test]
fn write_has_the_originals_shape() {
    let world = World::new();
    world.check(
        "write",
        json!(["/a.txt", "hé"]),
        Ok(json!({"path": "/a.txt", "bytes_written": 3, "status": "success"})),
    );
    assert_eq!(world.text("a.txt"), "hé");
    world.check("write", json!(["/a.txt", "AAEC", "base64"]), Ok(json!({"bytes_written": 3})));
    assert_eq!(fs::read(world.host("a.txt")).unwrap(), [0, 1, 2]);
    world.check("write", json!(["/a.txt", "x", "text", true]), Ok(json!({"bytes_written": 1})));
    assert_eq!(fs::read(world.host("a.txt")).unwrap(), [0, 1, 2, b'x']);
    assert_eq!(world.names(""), ["a.txt"]);
}

#[test]
fn write_refusals() {
    let world = World::with(|settings, _| settings.write_bytes_max = 8);
    world.directory("dir").file("f", "old").link("link", "f").link("dangling", "new").file("fixed", "old");
    fs::set_permissions(world.host("fixed"), fs::Permissions::from_mode(0o444)).unwrap();
    world.check("write", json!(["/dir", "x"]), Err("is_a_directory"));
    world.check("write", json!(["/", "x"]), Err("protected"));
    world.check("write", json!(["/none/x", "x"]), Err("not_found"));
    world.check("write", json!(["/f/x", "x"]), Err("not_a_directory"));
    world.check("write", json!(["/link", "x"]), Err("link"));
    world.check("write", json!(["/dangling", "x"]), Err("link"));
    world.check("write", json!(["/fixed", "x"]), Err("write_protected"));
    world.check("write", json!(["/new\u{1b}[31m", "x"]), Err("bad_name"));
    world.check("write", json!(["/f", "123456789"]), Err("too_large"));
    for bad in ["AA", "AA=", "A A=", "AAE\n", "!!!!", "AAF="] {
        world.check("write", json!(["/f", bad, "base64"]), Err("invalid_params"));
    }
    assert_eq!((world.text("f"), world.has("new")), ("old".to_owned(), false));
    assert_eq!(world.names(""), ["dangling", "dir", "f", "fixed", "link"]);
}

#[test]
fn write_keeps_the_mode_and_drops_set_user_id() {
    let world = World::new();
    world.file("f", "old");
    fs::set_permissions(world.host("f"), fs::Permissions::from_mode(0o4750)).unwrap();
    world.ok("write", &json!(["/f", "new"]));
    assert_eq!(fs::metadata(world.host("f")).unwrap().mode() & 0o7777, 0o750);
}

#[test]
fn write_creates_parents_on_request() {
    let world = World::new();
    world.ok("write", &json!({"path": "/a/b/c.txt", "content": "x", "create_parents": true}));
    assert_eq!(world.text("a/b/c.txt"), "x");
    world.check(
        "write",
        json!({"path": "/a/b/c.txt/d", "content": "x", "create_parents": true}),
        Err("not_a_directory"),
    );
}

#[test]
fn conditions() {
    let world = World::new();
    let etag = world.ok("write", &json!(["/f", "one"]))["etag"].clone();
    assert_eq!(world.ok("read", &json!(["/f"]))["etag"], etag);
    let write = |path: &str, condition: &serde_json::Value| {
        world.call("write", &json!({"path": path, "content": "two", "if_match": condition})).map(|_| ())
    };
    let conflict = write("/f", &json!("stale")).unwrap_err();
    assert_eq!(conflict.code.number(), -32014);
    let data = conflict.data.unwrap();
    assert_eq!((&data["expected"], &data["actual"]), (&json!("stale"), &etag));
    assert_eq!(write("/f", &json!("none")).unwrap_err().data.unwrap()["actual"], etag);
    assert!(write("/new", &json!("*")).is_err() && write("/new", &etag).is_err() && !world.has("new"));
    assert_eq!(world.text("f"), "one");
    assert!(
        write("/f", &etag).is_ok() && write("/f", &json!("")).is_ok() && write("/f", &json!(null)).is_ok()
    );
    assert!(write("/f", &json!("*")).is_ok() && write("/new", &json!("none")).is_ok());
    for (method, params) in [
        ("append", json!({"path": "/f", "content": "x", "if_match": etag})),
        ("edit", json!({"path": "/f", "edits": [{"old": "two", "new": "x"}], "if_match": etag})),
        ("delete", json!({"path": "/f", "if_match": etag})),
        ("move", json!({"from": "/f", "to": "/g", "if_match": etag})),
        ("copy", json!({"from": "/new", "to": "/f", "overwrite": true, "if_match": etag})),
    ] {
        world.check(method, params, Err("conflict"));
    }
    assert_eq!(world.text("f"), "two");
}

#[test]
fn of_concurrent_writes_on_one_etag_one_wins() {
    let world = World::new();
    let etag = world.ok("write", &json!(["/f", "start"]))["etag"].clone();
    let won = std::thread::scope(|scope| {
        let write = |n: usize| {
            let params = json!({"path": "/f", "content": format!("writer {n}"), "if_match": etag});
            world.call("write", &params).is_ok()
        };
        let writers: Vec<_> = (0..8).map(|n| scope.spawn(move || write(n))).collect();
        writers.into_iter().map(|writer| usize::from(writer.join().unwrap())).sum::<usize>()
    });
    assert_eq!(won, 1);
    assert_eq!(world.names(""), ["f"]);
}

#[test]
fn append() {
    let world = World::new();
    world.check("append", json!(["/log", "one\n"]), Ok(json!({"bytes_written": 4, "status": "success"})));
    let after = world.ok("append", &json!(["/log", "two\n"]));
    assert_eq!(world.text("log"), "one\ntwo\n");
    assert_eq!(world.ok("read", &json!(["/log"]))["etag"], after["etag"]);
    world.check("append", json!({"path": "/log", "content": "", "if_match": "none"}), Err("conflict"));
    world.link("link", "log").directory("dir");
    world.check("append", json!(["/link", "x"]), Err("link"));
    world.check("append", json!(["/dir", "x"]), Err("is_a_directory"));
}

#[test]
fn concurrent_appends_all_arrive_whole() {
    let world = World::new();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let world = &world;
            scope.spawn(move || {
                for m in 0..25 {
                    world.ok("append", &json!(["/log", format!("{n}-{m}-{}\n", "x".repeat(100))]));
                }
            });
        }
    });
    let text = world.text("log");
    assert_eq!(text.lines().count(), 100);
    assert!(text.lines().all(|line| line.ends_with(&"x".repeat(100)) && line.len() <= 106), "{text}");
}

#[test]
fn edit() {
    let world = World::new();
    world.file("f", "one\ntwo\nthree\ntwo\n");
    let edit = |edits: serde_json::Value| json!({"path": "/f", "edits": edits});
    world.check("edit", edit(json!([{"old": "two", "new": "2"}])), Err("no_match"));
    world.check("edit", edit(json!([{"old": "four", "new": "4"}])), Err("no_match"));
    world.check("edit", edit(json!([{"old": "", "new": "4"}])), Err("invalid_params"));
    world.check("edit", edit(json!([])), Err("invalid_params"));
    world.check(
        "edit",
        edit(json!([{"old": "one", "new": "1"}, {"old": "one", "new": "1"}])),
        Err("no_match"),
    );
    assert_eq!(world.text("f"), "one\ntwo\nthree\ntwo\n");
    let mut dry = edit(json!([{"old": "two", "new": "2", "all": true}, {"old": "one\n2", "new": "1\n2"}]));
    let wet = dry.clone();
    dry["dry_run"] = json!(true);
    let diff = "--- a/f\n+++ b/f\n@@ -1,4 +1,4 @@\n-one\n-two\n+1\n+2\n three\n-two\n+2\n";
    world.check("edit", dry, Ok(json!({"diff": diff, "replacements": 3, "written": false})));
    assert_eq!(world.text("f"), "one\ntwo\nthree\ntwo\n");
    let edited = world.ok("edit", &wet);
    assert_eq!((&edited["diff"], &edited["written"]), (&json!(diff), &json!(true)));
    assert_eq!(world.text("f"), "1\n2\nthree\n2\n");
    assert_eq!(world.ok("read", &json!(["/f"]))["etag"], edited["etag"]);
    world.file("crlf", "a\r\nb\r\n").file("bin", b"\xff").link("link", "f");
    let error = world.call("edit", &json!(["/crlf", [{"old": "a\nb", "new": "x"}]])).unwrap_err();
    assert!(error.message.contains("\\r\\n"), "{error}");
    world.check("edit", json!(["/bin", [{"old": "a", "new": "x"}]]), Err("not_utf8"));
    world.check("edit", json!(["/link", [{"old": "three", "new": "x"}]]), Err("link"));
    world.check("edit", json!(["/none", [{"old": "three", "new": "x"}]]), Err("not_found"));
}

#[test]
fn mkdir() {
    let world = World::new();
    world.check("mkdir", json!(["/a"]), Ok(json!({"path": "/a", "created": true})));
    world.check("mkdir", json!(["/a"]), Ok(json!({"created": false})));
    world.check("mkdir", json!(["/"]), Ok(json!({"created": false})));
    world.check("mkdir", json!(["/b/c"]), Err("not_found"));
    world.check("mkdir", json!(["/b/c", true]), Ok(json!({"created": true})));
    world.file("f", "");
    world.check("mkdir", json!(["/f"]), Err("exists"));
    world.check("mkdir", json!(["/f/x", true]), Err("not_a_directory"));
    world.check("mkdir", json!(["/bell\u{7}"]), Err("bad_name"));
}

#[test]
fn r#move() {
    let world = World::new();
    world.file("a", "a").file("b", "b").file("dir/x", "x").directory("empty").link("link", "a");
    world.check("move", json!(["/a", "/c"]), Ok(json!({"from": "/a", "path": "/c", "status": "success"})));
    assert_eq!((world.has("a"), world.text("c")), (false, "a".to_owned()));
    world.check("move", json!(["/c", "/b"]), Err("exists"));
    world.check("move", json!(["/c", "/b", true]), Ok(json!({"path": "/b"})));
    assert_eq!(world.text("b"), "a");
    world.check("move", json!(["/none", "/x"]), Err("not_found"));
    world.check("move", json!(["/dir", "/empty"]), Err("exists"));
    world.check("move", json!(["/dir", "/empty", true]), Err("exists"));
    world.check("move", json!(["/b", "/dir", true]), Err("exists"));
    world.check("move", json!(["/dir", "/dir/in"]), Err("into_itself"));
    world.check("move", json!(["/dir", "/dir"]), Err("into_itself"));
    world.link("alias", "dir");
    world.check("move", json!(["/dir", "/alias/in"]), Err("into_itself"));
    world.check("move", json!(["/dir", "/moved"]), Ok(json!({"path": "/moved"})));
    assert_eq!(world.text("moved/x"), "x");
    world.check("move", json!(["/link", "/link2"]), Ok(json!({"path": "/link2"})));
    assert_eq!(fs::read_link(world.host("link2")).unwrap().to_str(), Some("a"));
    world.check("move", json!(["/", "/x"]), Err("into_itself"));
    world.check("move", json!(["/b", "/"]), Err("protected"));
    world.check("move", json!(["/b", "/link2", true]), Err("link"));
}

#[test]
fn copy() {
    let world = World::new();
    world.file("a", "a").file("b", "b").file("dir/sub/x", "x").link("dir/link", "../a");
    fs::set_permissions(world.host("a"), fs::Permissions::from_mode(0o640)).unwrap();
    world.check("copy", json!(["/a", "/c"]), Ok(json!({"from": "/a", "path": "/c", "files": 1, "bytes": 1})));
    assert_eq!(fs::metadata(world.host("c")).unwrap().mode() & 0o777, 0o640);
    world.check("copy", json!(["/a", "/b"]), Err("exists"));
    world.check("copy", json!(["/a", "/b", true]), Ok(json!({"path": "/b"})));
    assert_eq!((world.text("a"), world.text("b")), ("a".to_owned(), "a".to_owned()));
    world.check("copy", json!(["/dir", "/dir2"]), Err("is_a_directory"));
    let deep = json!({"from": "/dir", "to": "/dir2", "recursive": true});
    world.check("copy", deep.clone(), Ok(json!({"files": 4, "bytes": 1})));
    world.check("copy", deep, Err("exists"));
    assert_eq!(world.text("dir2/sub/x"), "x");
    assert_eq!(fs::read_link(world.host("dir2/link")).unwrap().to_str(), Some("../a"));
    world.check("copy", json!({"from": "/dir", "to": "/dir/in", "recursive": true}), Err("into_itself"));
    world.check("copy", json!({"from": "/", "to": "/in", "recursive": true}), Err("into_itself"));
    let big = vec![7; 9_000_000];
    world.file("big", &big);
    world.check("copy", json!(["/big", "/big2"]), Ok(json!({"bytes": 9_000_000})));
    assert!(fs::read(world.host("big2")).unwrap() == big);
    assert_eq!(world.names("").iter().filter(|name| name.starts_with(".llm")).count(), 0);
}
