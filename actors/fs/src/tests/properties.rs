//! Random trees with random links, random calls: nothing outside changes, nothing outside is told.

use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::World;

/// Something in the tree before the calls.
#[derive(Clone, Debug)]
enum Thing {
    File(String),
    Directory(String),
    Link(String, String),
}

/// Few names, so that calls meet what is there.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(vec!["a", "b"]),
        1 => prop::sample::select(vec!["c", "canary.txt", "canary_directory", "outside", "x y", "ü"]),
    ]
    .prop_map(str::to_owned)
}

fn inside() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 1..4).prop_map(|names| names.join("/"))
}

/// Where a link points: often straight out, at times anywhere.
fn target() -> impl Strategy<Value = String> {
    let out = prop::sample::select(vec![
        "OUTSIDE",
        "OUTSIDE/canary.txt",
        "../outside",
        "../outside/canary.txt",
        "../../outside",
        "../../outside/canary_directory",
    ]);
    let part =
        prop::sample::select(vec!["..", ".", "a", "b", "outside", "canary.txt", "root", ".llmbasedos-trash"]);
    prop_oneof![
        out.prop_map(str::to_owned),
        prop::collection::vec(part, 1..6).prop_map(|parts| parts.join("/")),
    ]
}

fn thing() -> impl Strategy<Value = Thing> {
    prop_oneof![
        inside().prop_map(Thing::File),
        inside().prop_map(Thing::Directory),
        (inside(), target()).prop_map(|(path, target)| Thing::Link(path, target)),
        (inside(), target()).prop_map(|(path, target)| Thing::Link(path, target)),
    ]
}

fn client_path() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => inside().prop_map(|path| format!("/{path}")),
        1 => Just("/".to_owned()),
        1 => target(),
        1 => target().prop_map(|path| format!("/{path}")),
    ]
}

fn call() -> impl Strategy<Value = (&'static str, Value)> {
    let one = client_path;
    prop_oneof![
        one().prop_map(|path| ("list", json!([path]))),
        one().prop_map(|path| ("stat", json!([path, true]))),
        one().prop_map(|path| ("tree", json!({"path": path, "hidden": true}))),
        one().prop_map(|path| ("find", json!([path, "*"]))),
        one().prop_map(|path| ("grep", json!([path, "CAN[A]RY"]))),
        one().prop_map(|path| ("read", json!([path, "base64"]))),
        one().prop_map(|path| ("multi_read", json!([[path]]))),
        one().prop_map(|path| ("hash", json!([path, "blake3"]))),
        one().prop_map(|path| ("write", json!({"path": path, "content": "w", "create_parents": true}))),
        one().prop_map(|path| ("append", json!([path, "w"]))),
        one().prop_map(|path| ("edit", json!([path, [{"old": "A", "new": "w", "all": true}]]))),
        one().prop_map(|path| ("mkdir", json!([path, true]))),
        (one(), any::<bool>(), any::<bool>())
            .prop_map(|(path, all, gone)| ("delete", json!([path, all, gone]))),
        (one(), one(), any::<bool>()).prop_map(|(from, to, over)| ("move", json!([from, to, over]))),
        (one(), one(), any::<bool>()).prop_map(|(from, to, over)| ("copy", json!([from, to, over, true]))),
        Just(("trash", json!({}))),
        one().prop_map(|to| ("restore", json!(["NEWEST", to]))),
        Just(("emptyTrash", json!({}))),
    ]
}

fn lay(world: &World, thing: &Thing) {
    let (Thing::File(path) | Thing::Directory(path) | Thing::Link(path, _)) = thing;
    // What does not fit together (a file below a file) is left out, and what lies below a link as well: the test
    // must not reach outside itself.
    let mut above = world.host("");
    let mut names = path.split('/').peekable();
    while let (Some(name), Some(_)) = (names.next(), names.peek()) {
        above.push(name);
        let _ = fs::create_dir(&above);
        if !above.symlink_metadata().is_ok_and(|about| about.is_dir()) {
            return;
        }
    }
    let host = world.host(path);
    if world.has(path) {
        return;
    }
    let _ = match thing {
        Thing::File(_) => fs::write(host, "A file inside"),
        Thing::Directory(_) => fs::create_dir(host),
        Thing::Link(_, target) => {
            let outside = world.base.join("outside");
            let target = target.replace("OUTSIDE", &outside.to_string_lossy());
            std::os::unix::fs::symlink(target, host)
        }
    };
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_outside_changes_or_is_told(
        things in prop::collection::vec(thing(), 0..12),
        calls in prop::collection::vec(call(), 1..25),
    ) {
        let world = World::new();
        let before = world.outside();
        for thing in things {
            lay(&world, &thing);
        }
        prop_assert_eq!(&world.outside(), &before, "the test itself reached outside");
        for (method, mut params) in calls {
            if method == "restore" {
                params[0] = world.ok("trash", &json!({}))["items"][0]["trash_id"].clone();
                if params[0].is_null() {
                    continue;
                }
            }
            let said = match world.call(method, &params) {
                Ok(result) => result.to_string(),
                Err(error) => {
                    prop_assert_ne!(super::kind_of(&error), "internal", "{} {}: {:?}", method, params, error);
                    error.to_string()
                }
            };
            let told = world.discloses(&said);
            prop_assert!(told.is_none(), "{} {} told {:?}: {}", method, params, told, said);
            prop_assert_eq!(&world.outside(), &before, "{} {}", method, params);
            prop_assert!(world.host("").is_dir());
        }
    }
}
