//! Every way out that is known, tried on every parameter of every method that takes a path.

use std::fs;
use std::os::unix::net::UnixListener;
use std::sync::mpsc;
use std::time::Duration;

use protocol::Entry;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use serde_json::{Map, Value, json};

use super::world::CANARY;
use super::{World, kind_of};

/// What must come of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// No method accepts it, and none changes anything.
    Refused,
    /// Reading it is refused; the name itself may be shown, deleted and moved.
    Sealed,
    /// Whatever happens is harmless.
    Harmless,
}

/// Lays every trap into the root.
pub(super) fn trapped() -> World {
    let world = World::new();
    let outside = world.base.join("outside");
    world.file("ok.txt", "fine").file("dir/in.txt", "fine").directory("dir/empty");
    world.link("absolute", outside.join("canary.txt"));
    world.link("relative", "../outside/canary.txt");
    world.link("dir_out", "../outside");
    world.link("dir/up_out", "../../outside/canary_directory");
    world.link("dotdot", "..");
    world.link("in_and_out", "dir/../../outside/canary.txt");
    world.link("chain1", "chain2").link("chain2", "dir/chain3").link("dir/chain3", "../absolute");
    world.link("loop", "loop").link("ping", "pong").link("pong", "ping");
    world.link("dangling", "../outside/none").link("dangling_absolute", outside.join("none"));
    world.link("absolute_dir", &outside).link("slash", "/");
    world.link("proc_root", "/proc/self/root").link("proc_fd", "/proc/self/fd/0");
    world.link("device_link", "/dev/zero");
    world.link("trash", ".llmbasedos-trash");
    fs::hard_link(outside.join("shared.txt"), world.host("hard")).unwrap();
    let mode = Mode::from_bits_retain(0o666);
    mknodat(CWD, world.host("fifo"), FileType::Fifo, mode, 0).unwrap();
    UnixListener::bind(world.host("socket")).unwrap();
    // Only root may make devices; for others the row is left out.
    let _ = mknodat(CWD, world.host("device"), FileType::CharacterDevice, mode, makedev(1, 5));
    world.ok("write", &json!(["/deleted", "in the trash"]));
    world.ok("delete", &json!(["/deleted"]));
    world
}

pub(super) fn paths(world: &World) -> Vec<(String, Fate)> {
    use Fate::{Harmless, Refused, Sealed};
    let host = world.base.join("outside/canary.txt").to_string_lossy().into_owned();
    let mut paths: Vec<(String, Fate)> = [
        ("..", Refused),
        ("../outside/canary.txt", Refused),
        ("/..", Refused),
        ("/../outside/canary.txt", Refused),
        ("/dir/../../outside/canary.txt", Refused),
        ("/dir/..", Refused),
        ("/dir/../ok.txt", Refused),
        ("", Refused),
        ("ok.txt", Refused),
        ("~", Refused),
        ("file:///etc/passwd", Refused),
        ("C:\\outside", Refused),
        ("/ok.txt\0", Refused),
        ("/\0/../outside/canary.txt", Refused),
        ("/.llmbasedos-trash", Refused),
        ("/dir/.llmbasedos-tmp-0", Refused),
        ("/ok.txt/below", Refused),
        ("/absolute/below", Refused),
        ("/dir_out/canary.txt", Refused),
        ("/dir_out/none", Refused),
        ("/dir_out/canary_directory/inner.txt", Refused),
        ("/dir/up_out/inner.txt", Refused),
        ("/dotdot/outside/canary.txt", Refused),
        ("/loop/x", Refused),
        ("/absolute_dir/canary.txt", Refused),
        ("/trash/x", Refused),
        ("/absolute", Sealed),
        ("/relative", Sealed),
        ("/dir_out", Sealed),
        ("/dir_out/", Sealed),
        ("/dir_out/.", Sealed),
        ("/dir/up_out", Sealed),
        ("/dotdot", Sealed),
        ("/in_and_out", Sealed),
        ("/chain1", Sealed),
        ("/loop", Sealed),
        ("/ping", Sealed),
        ("/dangling", Sealed),
        ("/dangling_absolute", Sealed),
        ("/slash", Sealed),
        ("/absolute_dir", Sealed),
        ("/proc_root", Sealed),
        ("/proc_fd", Sealed),
        ("/device_link", Sealed),
        ("/trash", Sealed),
        ("/fifo", Sealed),
        ("/socket", Sealed),
        ("/%2e%2e/outside/canary.txt", Harmless),
        ("/..%2foutside%2fcanary.txt", Harmless),
        ("/%00", Harmless),
        ("/..\\outside\\canary.txt", Harmless),
        ("/\u{2025}/\u{ff0e}\u{ff0e}/x", Harmless),
        ("/etc/passwd", Harmless),
        ("/proc/self/environ", Harmless),
        ("/dev/zero", Harmless),
        ("/hard", Harmless),
        ("/", Harmless),
        ("/dir", Harmless),
    ]
    .into_iter()
    .map(|(path, fate)| (path.to_owned(), fate))
    .collect();
    // By way of another root's `/`, to where nothing is that a failure of this test could harm.
    paths.push((format!("/proc_root{host}"), Refused));
    paths.push((format!("/slash{host}"), Refused));
    paths.push((host, Harmless));
    if world.has("device") {
        paths.push(("/device".to_owned(), Sealed));
    }
    paths.push((format!("/{}", "x".repeat(256)), Refused));
    paths.push(("/x".repeat(2100), Refused));
    paths.push((format!("/{}", "é".repeat(200)), Refused));
    paths
}

/// Everything in the root but the names that only these tests add.
fn params(entry: &Entry, field: &str, path: &str, flags: bool, n: usize) -> Value {
    let (declared, mut params) = (entry.params(), Map::new());
    for (name, schema) in declared["properties"].as_object().unwrap() {
        let required = declared["required"].as_array().is_some_and(|all| all.contains(&json!(name)));
        let value = match name.as_str() {
            _ if name == field && schema["type"] == "array" => json!([path]),
            _ if name == field => json!(path),
            "from" => json!("/ok.txt"),
            "to" => json!(format!("/fresh-{n}")),
            "content" => json!("written"),
            "pattern" => json!("."),
            "edits" => json!([{"old": CANARY, "new": "written"}]),
            "trash_id" => json!("none"),
            "dry_run" => continue,
            _ if schema["type"] == "boolean" && flags => json!(true),
            _ if name == "encoding" && flags => json!("base64"),
            _ if required => panic!("{}: no value for {name}", entry.name),
            _ => continue,
        };
        params.insert(name.clone(), value);
    }
    if params.get("encoding") == Some(&json!("base64")) && params.contains_key("content") {
        params.insert("content".to_owned(), json!("AAAA"));
    }
    Value::Object(params)
}

/// The fields of a method that take a path. `restore` gets its own test, for it needs something in the trash.
fn path_fields(entry: &Entry) -> Vec<&str> {
    let fields = entry.positions.iter().map(String::as_str);
    fields.filter(|field| ["path", "paths", "from", "to"].contains(field)).collect()
}

fn try_everything() {
    let mut tried = 0;
    let names: Vec<String> = trapped().entries.into_keys().collect();
    for name in names {
        for flags in [false, true] {
            let world = trapped();
            let before = world.outside();
            let entry = &world.entries[&name];
            let method = name.trim_start_matches("mcp.fs.");
            for field in path_fields(entry) {
                for (n, (path, fate)) in paths(&world).into_iter().enumerate() {
                    // A method that empties the root for its row would leave nothing to try afterwards.
                    let params = params(entry, field, &path, flags, n);
                    judge(&world, method, &params, fate);
                    assert_eq!(world.outside(), before, "{method} {params} changed something outside");
                    tried += 1;
                    if !entry.effect.read_only && !world.has("ok.txt") {
                        world.file("ok.txt", "fine");
                    }
                }
            }
        }
    }
    assert!(tried > 1500, "only {tried}");
}

#[track_caller]
fn judge(world: &World, method: &str, params: &Value, fate: Fate) {
    let outcome = world.call(method, params);
    let text = match &outcome {
        Ok(result) => result.to_string(),
        Err(error) => format!("{} {error:?}", serde_json::to_string(error).unwrap()),
    };
    // The path is the caller's own words; a host path in it discloses nothing when it is repeated.
    let said = params.to_string();
    if let Some(secret) = world.discloses(&text).filter(|secret| !said.contains(secret.as_str())) {
        panic!("{method} {params} disclosed {secret}: {text}");
    }
    let refused = match (&outcome, method) {
        (Ok(result), "multi_read") => result["files"][0]["error"].is_object(),
        (outcome, _) => outcome.is_err(),
    };
    let about_names = ["stat", "delete", "move", "copy"].contains(&method);
    match fate {
        Fate::Sealed if about_names => {}
        Fate::Refused | Fate::Sealed => assert!(refused, "{method} {params} was accepted: {text}"),
        Fate::Harmless => {}
    }
    if let Err(error) = &outcome {
        assert_ne!(kind_of(error), "internal", "{method} {params}: {error:?}");
    }
}

#[test]
fn nothing_leads_out() {
    // A FIFO or a device that holds a method up would hold it up for ever.
    let (done, wait) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        try_everything();
        let _ = done.send(());
    });
    match wait.recv_timeout(Duration::from_mins(2)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("a method hangs"),
        _ => thread.join().unwrap(),
    }
}

#[test]
fn restore_leads_nowhere_else() {
    let world = trapped();
    let before = world.outside();
    let id = world.ok("trash", &json!({}))["items"][0]["trash_id"].clone();
    for (path, fate) in paths(&world) {
        if fate != Fate::Harmless && !path.is_empty() {
            let outcome = world.call("restore", &json!([id, path]));
            assert!(outcome.is_err(), "{path} {outcome:?}");
        }
    }
    assert_eq!(world.outside(), before);
    world.check("restore", json!([id]), Ok(json!({"path": "/deleted"})));
}

#[test]
fn what_is_said_about_a_way_out_is_the_same_whether_it_leads_anywhere() {
    let world = trapped();
    let said = |path: &str| {
        let error = world.call("read", &json!([path])).unwrap_err();
        (error.code, error.message.replace(path, "PATH"))
    };
    assert_eq!(said("/relative"), said("/dangling"));
    assert_eq!(said("/absolute"), said("/dangling_absolute"));
    assert_eq!(said("/dir_out/canary.txt"), said("/dir_out/none"));
}

#[test]
fn changing_a_hard_link_never_changes_the_other_name() {
    let world = trapped();
    let before = world.outside();
    world.ok("append", &json!(["/hard", " and more"]));
    assert_eq!(world.text("hard"), "shared by a hard link and more");
    for (method, params) in [
        ("write", json!(["/hard", "new"])),
        ("edit", json!(["/hard", [{"old": "shared", "new": "private"}]])),
        ("append", json!(["/hard", "more"])),
        ("delete", json!(["/hard"])),
    ] {
        let world = trapped();
        world.ok(method, &params);
    }
    assert_eq!(world.outside(), before);
}

#[test]
fn special_files_are_shown_and_never_opened() {
    let world = trapped();
    for path in ["/fifo", "/socket"] {
        world.check("stat", json!([path]), Ok(json!({"type": "other", "mime_type": null})));
        for (method, params) in [
            ("read", json!([path])),
            ("hash", json!([path])),
            ("write", json!([path, "x"])),
            ("append", json!([path, "x"])),
            ("edit", json!([path, [{"old": "x", "new": "y"}]])),
            ("copy", json!([path, "/copy"])),
            ("grep", json!([path, "x"])),
        ] {
            world.check(method, params, Err("special_file"));
        }
    }
    let all = json!({"from": "/", "to": "/x", "recursive": true});
    world.check("copy", all, Err("into_itself"));
    world.check("grep", json!(["/", "fine"]), Ok(json!({"unreadable": 0})));
    world.check("delete", json!(["/fifo"]), Ok(json!({"status": "success"})));
}
