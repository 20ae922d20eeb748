//! list, stat, tree.

use serde_json::{Value, json};

use super::World;

fn names(listing: &Value) -> Vec<&str> {
    let entries = listing.get("entries").unwrap_or(listing).as_array().unwrap();
    entries.iter().map(|entry| entry["name"].as_str().unwrap()).collect()
}

fn some() -> World {
    let world = World::new();
    world.file("b.txt", "bb").file("A.txt", "a").file("sub/deep/x.md", "# x").file(".dot", "");
    world.link("link", "b.txt").link("gone", "nowhere");
    world
}

#[test]
fn list_has_the_originals_shape() {
    let world = some();
    let entries = world.ok("list", &json!(["/"]));
    assert_eq!(names(&entries), ["sub", ".dot", "A.txt", "b.txt", "gone", "link"]);
    let entry = &entries[3];
    assert_eq!(
        (&entry["path"], &entry["type"], &entry["size"]),
        (&json!("/b.txt"), &json!("file"), &json!(2))
    );
    let time = entry["modified_at"].as_str().unwrap();
    assert!(time.len() == 32 && time.ends_with("+00:00"), "{time}");
    assert_eq!((&entries[0]["type"], &entries[0]["size"]), (&json!("directory"), &json!(-1)));
    assert_eq!((&entries[5]["type"], &entries[5]["size"]), (&json!("symlink"), &json!(5)));
    assert_eq!(names(&world.ok("list", &json!(["/sub"]))), ["deep"]);
}

#[test]
fn list_pages_and_sorts() {
    let world = some();
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page = world.ok("list", &json!({"path": "/", "limit": 2, "cursor": cursor}));
        assert_eq!(page["total"], 6);
        seen.extend(names(&page).into_iter().map(str::to_owned));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen, ["sub", ".dot", "A.txt", "b.txt", "gone", "link"]);
    let by_size =
        world.ok("list", &json!({"path": "/", "sort": "size", "order": "descending", "hidden": false}));
    assert_eq!(names(&by_size), ["gone", "link", "b.txt", "A.txt", "sub"]);
    world.check("list", json!({"path": "/", "sort": "modified"}), Ok(json!({"total": 6})));
}

#[test]
fn list_without_details_says_what_things_are_called_and_what_they_are() {
    let world = some();
    for sort in ["name", "size"] {
        let listed = world.ok("list", &json!({"path": "/", "details": false, "hidden": false, "sort": sort}));
        let mut entries = listed["entries"].as_array().unwrap().clone();
        entries.sort_by_key(|entry| entry["name"].to_string());
        let entry = |name: &str, kind: &str| json!({"name": name, "path": format!("/{name}"), "type": kind});
        assert_eq!(
            entries,
            [
                entry("A.txt", "file"),
                entry("b.txt", "file"),
                entry("gone", "symlink"),
                entry("link", "symlink"),
                entry("sub", "directory")
            ]
        );
    }
}

#[test]
fn a_page_stays_where_it_was_when_entries_come_and_go() {
    let world = World::new();
    for name in ["a", "b", "c", "d"] {
        world.file(name, "");
    }
    let page = world.ok("list", &json!({"path": "/", "limit": 2}));
    world.file("aa", "").file("cc", "");
    std::fs::remove_file(world.host("b")).unwrap();
    let rest = world.ok("list", &json!({"path": "/", "cursor": page["next_cursor"]}));
    assert_eq!(names(&rest), ["c", "cc", "d"]);
}

#[test]
fn list_refusals() {
    let world = some();
    world.check("list", json!(["/none"]), Err("not_found"));
    world.check("list", json!(["/b.txt"]), Err("not_a_directory"));
    world.check("list", json!(["relative"]), Err("not_absolute"));
    world.check("list", json!({"path": "/", "cursor": "?"}), Err("invalid_params"));
    let cursor = world.ok("list", &json!({"path": "/", "limit": 1}))["next_cursor"].clone();
    world.check("list", json!({"path": "/", "cursor": cursor, "sort": "size"}), Err("invalid_params"));
}

#[test]
fn a_call_by_position_gets_all_or_is_told_to_page() {
    let world = World::new();
    for n in 0..10_001 {
        world.file(&format!("{n}"), "");
    }
    world.check("list", json!(["/"]), Err("too_many_entries"));
    assert_eq!(names(&world.ok("list", &json!({"path": "/"}))).len(), 1000);
    std::fs::remove_file(world.host("0")).unwrap();
    assert_eq!(names(&world.ok("list", &json!(["/"]))).len(), 10_000);
}

#[test]
fn names_that_json_cannot_say_are_counted() {
    use std::os::unix::ffi::OsStrExt as _;
    let world = World::new();
    let bad = world.host("x").with_file_name(std::ffi::OsStr::from_bytes(b"bad\xff"));
    std::fs::write(bad, "").unwrap();
    world.file("line\nbreak", "");
    world.check("list", json!({"path": "/"}), Ok(json!({"unnameable": 1, "total": 1})));
    world.check("read", json!(["/line\nbreak"]), Ok(json!({"content": ""})));
    world.check("delete", json!(["/line\nbreak"]), Ok(json!({"status": "success"})));
}

#[test]
fn stat() {
    let world = some();
    world.link("to_sub", "sub");
    world.check(
        "stat",
        json!(["/b.txt"]),
        Ok(json!({"path": "/b.txt", "name": "b.txt", "type": "file", "size": 2, "mime_type": "text/plain",
            "link": false, "writable": true, "etag": null, "leads_to": null})),
    );
    let etag = world.ok("read", &json!(["/b.txt"]))["etag"].clone();
    world.check("stat", json!({"path": "/b.txt", "etag": true}), Ok(json!({"etag": etag})));
    world.check("stat", json!(["/"]), Ok(json!({"name": "/", "type": "directory", "size": -1})));
    world.check("stat", json!(["/sub/deep/x.md"]), Ok(json!({"mime_type": "text/markdown"})));
    world.check("stat", json!(["/link"]), Ok(json!({"type": "symlink", "link": true, "leads_to": "file"})));
    world.check("stat", json!(["/to_sub"]), Ok(json!({"type": "symlink", "leads_to": "directory"})));
    world.check("stat", json!(["/to_sub/deep"]), Ok(json!({"type": "directory"})));
    world.check("stat", json!(["/gone"]), Ok(json!({"type": "symlink", "leads_to": null})));
    world.check("stat", json!(["/none"]), Err("not_found"));
    world.check("stat", json!(["/b.txt/x"]), Err("not_a_directory"));
}

#[test]
fn tree() {
    let world = some();
    world.check(
        "tree",
        json!({}),
        Ok(json!({"path": "/", "entries": 7, "truncated": false,
            "text": "A.txt\nb.txt\ngone@\nlink@\nsub/\n  deep/\n    x.md\n"})),
    );
    world.check("tree", json!({"depth": 1, "hidden": true}), Ok(json!({"entries": 6, "truncated": false})));
    world.check("tree", json!({"limit": 2}), Ok(json!({"text": "A.txt\nb.txt\n", "truncated": true})));
    world.check(
        "tree",
        json!({"path": "/sub", "format": "nested"}),
        Ok(json!({"children": [{"name": "deep", "children": [{"name": "x.md", "type": "file"}]}]})),
    );
    let nested = world.ok("tree", &json!({"format": "nested"}));
    let order: Vec<_> = nested["children"].as_array().unwrap().iter().map(|node| &node["name"]).collect();
    assert_eq!(order, ["A.txt", "b.txt", "gone", "link", "sub"]);
    world.check("tree", json!({"path": "/b.txt"}), Err("not_a_directory"));
}

#[test]
fn what_was_listed_just_now_is_listed_again_without_waiting_and_is_never_old() {
    let world = some();
    // Each is asked twice and more: on a thread that may wait first, then where the call is.
    for n in 0..20 {
        world.file(&format!("sub/{n:02}.txt"), "x".repeat(n));
        let found = world.ok("list", &json!({ "path": "/sub" }));
        assert_eq!(found["total"], n + 2, "a new name is seen at once");
        world.file("sub/00.txt", "y".repeat(n + 1));
        let found = world.ok("list", &json!({ "path": "/sub" }));
        assert_eq!(found["entries"][1]["size"], n + 1, "a new size is seen at once");
        // What two names lead to, and what is below a directory, changes without the directory's being told.
        let other = format!("again {n}");
        std::fs::hard_link(world.host("sub/00.txt"), world.host(&other)).unwrap();
        world.file("sub/00.txt", "by its own name");
        for bytes in [15, 16, 17] {
            world.ok("list", &json!({ "path": "/sub" }));
            world.file(&other, "o".repeat(bytes)).file(&format!("sub/deep/{n}/{bytes}"), "");
            let found = world.ok("list", &json!({ "path": "/sub", "sort": "name" }));
            assert_eq!(found["entries"][1]["size"], bytes, "a new size is seen at once");
        }
        std::fs::remove_file(world.host("sub/00.txt")).unwrap();
        world.file("sub/00.txt", "");
    }
    std::fs::remove_dir_all(world.host("sub")).unwrap();
    assert!(world.call("list", &json!({ "path": "/sub" })).is_err());
    world.link("sub", "../outside/canary_directory");
    assert!(world.call("list", &json!({ "path": "/sub" })).is_err());
}

#[test]
fn a_remembered_answer_is_for_no_other_question() {
    let world = World::new();
    world.file("plain/A", "").file("plain/b", "").file("plain/.c", "xx").link("other", "plain");
    let all = [".c", "A", "b"];
    let questions: [(Value, &[&str]); 9] = [
        (json!({"path": "/plain"}), &all),
        (json!({"path": "/other"}), &all),
        (json!({"path": "/plain", "order": "descending"}), &["b", "A", ".c"]),
        (json!({"path": "/plain", "hidden": false}), &["A", "b"]),
        (json!({"path": "/plain", "sort": "size"}), &["A", ".c", "b"]),
        (json!({"path": "/plain", "details": false}), &all),
        (json!({"path": "/plain", "limit": 3}), &all),
        (json!({"path": "/plain", "limit": 2}), &all[..2]),
        (json!(["/plain"]), &all),
    ];
    for (turn, (remembered, _)) in questions.iter().enumerate() {
        // Longer each time, so that what was remembered before would be seen.
        let bytes = 3 + turn;
        world.file("plain/b", "y".repeat(bytes));
        for _ in 0..4 {
            world.ok("list", remembered);
        }
        for (question, expected) in &questions {
            let found = world.ok("list", question);
            assert_eq!(names(&found), *expected, "{question} behind {remembered}");
            let entries = found.get("entries").unwrap_or(&found).as_array().unwrap();
            let path = question.get("path").unwrap_or(&question[0]).as_str().unwrap();
            for entry in entries {
                let name = entry["name"].as_str().unwrap();
                assert_eq!(entry["path"], format!("{path}/{name}"), "{question} behind {remembered}");
                let size = (question["details"] != false).then_some(if name == "b" { bytes } else { 2 });
                if name != "A" {
                    assert_eq!(
                        entry.get("size"),
                        size.map(Value::from).as_ref(),
                        "{question} behind {remembered}"
                    );
                }
            }
            let more = found.get("next_cursor").is_some_and(Value::is_string);
            assert_eq!(more, question["limit"] == 2, "{question} behind {remembered}");
        }
    }
}
