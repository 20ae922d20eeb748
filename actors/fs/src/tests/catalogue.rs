//! What holds for every method: its declaration.

use protocol::{Run, Tier};
use serde_json::{Value, json};

use super::World;

#[test]
fn every_method_is_declared_as_a_model_needs_it() {
    let world = World::new();
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/methods")).unwrap().count();
    let mut entries = crate::methods(&world.fs);
    entries.extend(crate::search_methods(&crate::search::tests::over(&world).0));
    assert_eq!(entries.len(), files - 1, "a file in methods/ is not in the table");
    for entry in &entries {
        assert!(entry.description.ends_with('.') && entry.description.len() > 60, "{}", entry.name);
        assert_eq!(entry.params()["additionalProperties"], false, "{}", entry.name);
        for (field, schema) in entry.params()["properties"].as_object().unwrap() {
            assert!(schema["description"].is_string(), "{}.{field} has no description", entry.name);
        }
        let waits = ["watch", "search", "similar", "embed", "indexStatus", "unindex", "reindex"];
        let waits = waits.iter().any(|name| entry.name == format!("mcp.fs.{name}"));
        assert_eq!(entry.run == Run::Task, waits, "{}", entry.name);
        let free = ["mcp.fs.list", "mcp.fs.stat"].contains(&entry.name.as_str());
        assert_eq!(entry.tier, if free { Tier::Free } else { Tier::Pro }, "{}", entry.name);
    }
}

#[test]
fn positions_are_the_originals() {
    let world = World::new();
    let check = |method: &str, first: &[&str]| {
        assert_eq!(world.entries[&format!("mcp.fs.{method}")].positions[..first.len()], *first);
    };
    check("list", &["path"]);
    check("read", &["path", "encoding"]);
    check("write", &["path", "content", "encoding", "append"]);
    check("delete", &["path", "recursive"]);
    check("move", &["from", "to", "overwrite"]);
}

#[test]
fn junk_is_refused_with_a_word() {
    let world = World::new();
    world.file("f", "x");
    let long = "x".repeat(1 << 20);
    for name in world.entries.keys() {
        let method = name.trim_start_matches("mcp.fs.");
        for params in [
            Value::Null,
            json!([]),
            json!({}),
            json!([null]),
            json!([1, 2, 3]),
            json!({"path": 1}),
            json!({"no such": true}),
            json!([[[[]]]]),
            json!([long, long, long]),
            json!({"path": long, "from": long, "to": long}),
            json!({"path": "/f", "offset": -1}),
            json!({"path": "/f", "limit": 1e300}),
        ] {
            if let Err(error) = world.call(method, &params) {
                assert_ne!(super::kind_of(&error), "internal", "{method}: {error:?}");
                assert!(error.message.len() < 5000, "{method}: {} bytes of error", error.message.len());
            }
        }
    }
}

#[test]
fn extreme_numbers_overflow_nothing() {
    let world = World::new();
    world.file("f", "x\ny\n");
    let most = u64::MAX;
    for params in [
        json!({"path": "/f", "offset": most}),
        json!({"path": "/f", "offset": most, "limit": most}),
        json!({"path": "/f", "limit": most}),
        json!({"path": "/f", "head": most}),
        json!({"path": "/f", "head": most, "offset": most}),
        json!({"path": "/f", "tail": most}),
        json!({"path": "/f", "offset": i64::MAX, "encoding": "base64"}),
    ] {
        world.ok("read", &params);
    }
    world.check("list", json!({"path": "/", "limit": most}), Ok(json!({"total": 1})));
    world.check(
        "find",
        json!({"path": "/", "pattern": "*", "limit": most}),
        Ok(json!({"next_cursor": null})),
    );
    world.check("emptyTrash", json!([u32::MAX]), Ok(json!({"removed": 0})));
}
