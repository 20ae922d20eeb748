//! delete, trash, restore, emptyTrash.

use std::fs;

use serde_json::{Value, json};

use super::World;

const TRASH: &str = ".llmbasedos-trash";

fn items(world: &World) -> Vec<Value> {
    world.ok("trash", &json!({}))["items"].as_array().unwrap().clone()
}

#[test]
fn delete_moves_to_the_trash_and_restore_brings_back() {
    let world = World::new();
    world.file("a.txt", "content").file("dir/sub/x", "x");
    let deleted = world.ok("delete", &json!(["/a.txt"]));
    assert_eq!((&deleted["path"], &deleted["status"]), (&json!("/a.txt"), &json!("success")));
    assert!(!world.has("a.txt"));
    let directory = world.ok("delete", &json!(["/dir", true]));
    let [newest, oldest] = items(&world).try_into().unwrap();
    assert_eq!(
        (&newest["path"], &newest["type"], &newest["size"]),
        (&json!("/dir"), &json!("directory"), &json!(-1))
    );
    assert_eq!((&oldest["path"], &oldest["size"]), (&json!("/a.txt"), &json!(7)));
    assert_eq!(oldest["trash_id"], deleted["trash_id"]);
    world.check("restore", json!([deleted["trash_id"]]), Ok(json!({"path": "/a.txt", "status": "success"})));
    world.check("restore", json!([directory["trash_id"], "/back/here"]), Ok(json!({"path": "/back/here"})));
    assert_eq!((world.text("a.txt"), world.text("back/here/sub/x")), ("content".to_owned(), "x".to_owned()));
    assert!(items(&world).is_empty() && world.names(TRASH).is_empty());
}

#[test]
fn delete_refusals_in_the_originals_words() {
    let world = World::new();
    world.file("dir/x", "").directory("empty");
    let error = world.call("delete", &json!(["/dir"])).unwrap_err();
    assert_eq!(error.message, "Directory '/dir' not empty. Use recursive=true to delete.");
    world.check("delete", json!(["/empty"]), Ok(json!({"status": "success"})));
    world.check("delete", json!(["/none"]), Err("not_found"));
    for params in [json!(["/"]), json!(["/", true]), json!(["/", true, true]), json!(["/.", true, true])] {
        world.check("delete", params, Err("protected"));
    }
    assert!(world.has("dir/x"));
}

#[test]
fn a_link_is_deleted_itself() {
    let world = World::new();
    world.file("target", "kept").file("dir/kept", "").link("link", "target").link("dirlink", "dir");
    world.ok("delete", &json!(["/link"]));
    world.ok("delete", &json!(["/dirlink", true, true]));
    assert_eq!(world.names(""), [TRASH, "dir", "target"]);
    assert!(world.has("dir/kept"));
}

#[test]
fn permanent_keeps_nothing() {
    let world = World::new();
    world.file("a", "").file("dir/sub/x", "").link("dir/sub/up", "../..");
    world.check("delete", json!(["/a", false, true]), Ok(json!({"trash_id": null})));
    world.check("delete", json!(["/dir", false, true]), Err("not_empty"));
    world.check("delete", json!(["/dir", true, true]), Ok(json!({"trash_id": null})));
    assert!(world.names("").is_empty());
}

#[test]
fn restore_replaces_nothing() {
    let world = World::new();
    world.file("a", "old");
    let id = world.ok("delete", &json!(["/a"]))["trash_id"].clone();
    world.file("a", "new");
    world.check("restore", json!([id]), Err("exists"));
    world.check("restore", json!([id, "/.llmbasedos-x"]), Err("reserved"));
    world.check("restore", json!([id, "/.."]), Err("outside"));
    world.check("restore", json!([id, "/b"]), Ok(json!({"path": "/b"})));
    world.check("restore", json!([id]), Err("not_in_trash"));
    for id in ["", "..", "../a", "/", "x.json", "\0"] {
        world.check("restore", json!([id]), Err("not_in_trash"));
    }
    assert_eq!((world.text("a"), world.text("b")), ("new".to_owned(), "old".to_owned()));
}

#[test]
fn the_trash_pages_and_empties() {
    let world = World::new();
    for n in 0..5 {
        world.file(&format!("{n}"), "");
        world.ok("delete", &json!([format!("/{n}")]));
    }
    let first = world.ok("trash", &json!({"limit": 3}));
    let rest = world.ok("trash", &json!({"limit": 3, "cursor": first["next_cursor"]}));
    let paths: Vec<_> = [&first, &rest]
        .into_iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|item| item["path"].as_str().unwrap())
        .collect();
    assert_eq!((paths, &rest["next_cursor"]), (vec!["/4", "/3", "/2", "/1", "/0"], &Value::Null));
    world.check("emptyTrash", json!([1]), Ok(json!({"removed": 0})));
    world.check("emptyTrash", json!([]), Ok(json!({"removed": 5})));
    assert!(world.names(TRASH).is_empty());
}

#[test]
fn nothing_else_sees_or_reaches_the_trash() {
    let world = World::new();
    world.file("secret.txt", "needle").file("dir/in_it", "needle").link("peek", TRASH).link("dir/up", "..");
    let id = world.ok("delete", &json!(["/secret.txt"]))["trash_id"].as_str().unwrap().to_owned();
    world.link("direct", format!("{TRASH}/{id}"));
    for path in [format!("/{TRASH}"), format!("/{TRASH}/{id}"), format!("/dir/up/{TRASH}/{id}")] {
        for method in ["list", "read", "stat", "delete", "hash", "mkdir", "tree"] {
            world.check(method, json!({"path": path}), Err("reserved"));
        }
    }
    world.check("list", json!(["/peek"]), Err("not_found"));
    world.check("read", json!([format!("/peek/{id}")]), Err("not_found"));
    world.check("read", json!(["/direct"]), Err("not_found"));
    world.check("write", json!(["/peek/x", "x"]), Err("not_found"));
    world.check("stat", json!(["/peek"]), Ok(json!({"leads_to": null})));
    world.check("find", json!({"path": "/", "pattern": "*", "hidden": true}), Ok(json!({"entries": [
        {"path": "/dir"}, {"path": "/dir/in_it"}, {"path": "/dir/up"}, {"path": "/direct"}, {"path": "/peek"},
    ]})));
    world.check(
        "grep",
        json!({"path": "/", "pattern": "needle", "hidden": true, "gitignore": false}),
        Ok(json!({"matches": [{"path": "/dir/in_it", "line": 1}]})),
    );
    let listing = world.ok("list", &json!(["/"])).to_string();
    assert!(!listing.contains(TRASH), "{listing}");
}

#[test]
fn what_a_crash_leaves_is_no_item_and_the_sweep_removes_it() {
    let world = World::new();
    world.file("kept", "x");
    world.ok("delete", &json!(["/kept"]));
    let note = world.host(TRASH).join("20200101T000000000000-0000000000000000.json");
    fs::write(&note, "{}").unwrap();
    assert_eq!(items(&world).len(), 1);
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    fs::File::options().write(true).open(&note).unwrap().set_modified(hour_ago).unwrap();
    assert_eq!(world.fs.sweep(&world.cancel).notes, 1);
    assert_eq!(items(&world).len(), 1);
}

#[test]
fn the_sweep_lets_the_trash_expire() {
    let world = World::with(|settings, _| settings.trash_keep_days = 0);
    world.file("a", "x");
    world.ok("delete", &json!(["/a"]));
    assert_eq!(world.fs.sweep(&world.cancel).expired, 1);
    let world = World::new();
    world.file("a", "x");
    world.ok("delete", &json!(["/a"]));
    assert_eq!(world.fs.sweep(&world.cancel).expired, 0);
}
