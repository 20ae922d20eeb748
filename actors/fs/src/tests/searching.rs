//! find, grep.

use serde_json::{Value, json};

use super::World;

fn some() -> World {
    let world = World::new();
    world
        .file("a.md", "alpha\nbeta\n")
        .file("src/main.rs", "fn main() {}\n")
        .file("src/lib/x.rs", "pub fn x() {}\n");
    world.file(".hidden/y.rs", "fn y() {}\n").file("src.txt", "fn in text\n").link("loop", ".");
    world
}

#[track_caller]
fn paths(world: &World, method: &str, mut params: Value) -> Vec<String> {
    if params["path"].is_null() {
        params["path"] = json!("/");
    }
    let answer = world.ok(method, &params);
    let found = answer.get("entries").or(answer.get("matches")).unwrap().as_array().unwrap();
    found.iter().map(|found| found["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn find() {
    let world = some();
    let check = |params: Value, expected: &[&str]| assert_eq!(paths(&world, "find", params), expected);
    check(json!({"pattern": "*.rs"}), &["/src/lib/x.rs", "/src/main.rs"]);
    check(json!({"pattern": "*.rs", "hidden": true}), &["/.hidden/y.rs", "/src/lib/x.rs", "/src/main.rs"]);
    check(json!({"pattern": "src/*.rs"}), &["/src/main.rs"]);
    check(json!({"pattern": "**/*.rs", "path": "/src"}), &["/src/lib/x.rs", "/src/main.rs"]);
    check(json!({"pattern": "*", "type": "directory"}), &["/src", "/src/lib"]);
    check(json!({"pattern": "*", "type": "symlink"}), &["/loop"]);
    check(json!({"pattern": "A.MD"}), &[]);
    check(json!({"pattern": "A.MD", "ignore_case": true}), &["/a.md"]);
    check(json!({"pattern": "{a,src}*", "type": "file"}), &["/a.md", "/src.txt"]);
    world.check("find", json!(["/", "["]), Err("invalid_params"));
    world.check("find", json!(["/none", "*"]), Err("not_found"));
    world.check("find", json!(["/a.md", "*"]), Err("not_a_directory"));
}

#[test]
fn find_pages_in_the_order_of_paths() {
    let world = World::new();
    for dir in ["a", "a-b", "a b", "b"] {
        for name in ["x", "y/z", "y.z"] {
            world.file(&format!("{dir}/{name}"), "");
        }
    }
    let all = paths(&world, "find", json!({"pattern": "*"}));
    assert_eq!(all.len(), 4 * 5);
    for limit in 1..7 {
        let mut seen = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let page =
                world.ok("find", &json!({"path": "/", "pattern": "*", "limit": limit, "cursor": cursor}));
            let entries = page["entries"].as_array().unwrap();
            seen.extend(entries.iter().map(|entry| entry["path"].as_str().unwrap().to_owned()));
            cursor = page["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(seen, all, "limit {limit}");
    }
}

#[test]
fn a_scan_is_bounded_and_goes_on() {
    let world = World::with(|settings, _| settings.scan_files_max = 7);
    for n in 0..5 {
        for m in 0..4 {
            world.file(&format!("d{n}/f{m}"), "needle");
        }
    }
    for (method, params) in
        [("find", json!({"path": "/", "pattern": "f*"})), ("grep", json!({"path": "/", "pattern": "needle"}))]
    {
        let (mut found, mut calls, mut cursor) = (0, 0, Value::Null);
        loop {
            let mut params = params.clone();
            params["cursor"] = cursor;
            let page = world.ok(method, &params);
            found += page.get("entries").or(page.get("matches")).unwrap().as_array().unwrap().len();
            calls += 1;
            cursor = page["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
            assert!(calls < 50, "{method} does not end");
        }
        assert_eq!(found, 20, "{method}");
        assert!(calls > 3, "{method} took {calls}");
    }
}

#[test]
fn grep() {
    let world = some();
    world.file("bin", b"fn \0 binary").file("late", [vec![b'a'; 200_000], b"\nfn \n\0".to_vec()].concat());
    let check = |params: Value, expected: &[&str]| assert_eq!(paths(&world, "grep", params), expected);
    check(json!({"pattern": "^(pub )?fn \\w+\\("}), &["/src/lib/x.rs", "/src/main.rs"]);
    check(
        json!({"pattern": "fn", "hidden": true}),
        &["/.hidden/y.rs", "/src/lib/x.rs", "/src/main.rs", "/src.txt"],
    );
    check(json!({"pattern": "fn", "glob": "*.rs"}), &["/src/lib/x.rs", "/src/main.rs"]);
    check(json!({"pattern": "fn", "glob": "src/*"}), &["/src/main.rs"]);
    check(json!({"pattern": "x() {", "literal": true}), &["/src/lib/x.rs"]);
    check(json!({"pattern": "ALPHA"}), &[]);
    check(json!({"pattern": "ALPHA", "ignore_case": true}), &["/a.md"]);
    check(json!({"pattern": "beta", "path": "/a.md"}), &["/a.md"]);
    world.check(
        "grep",
        json!({"path": "/a.md", "pattern": "beta"}),
        Ok(json!({"matches": [{"line": 2, "text": "beta"}]})),
    );
    world.check("grep", json!(["/", "("]), Err("invalid_params"));
    world.check("grep", json!(["/none", "x"]), Err("not_found"));
    world.check("grep", json!(["/", "(a{1000}){1000}"]), Err("invalid_params"));
}

#[test]
fn grep_shows_context() {
    let world = World::new();
    world.file("f", "1\n2\nhit\n4\n5\n6\n7\nhit\nhit\n10\n");
    world.check(
        "grep",
        json!({"path": "/f", "pattern": "hit", "context": 1}),
        Ok(json!({"matches": [
            {"line": 3, "before": ["2"], "after": ["4"]},
            {"line": 8, "before": ["7"]},
            {"line": 9, "after": ["10"]},
        ]})),
    );
    world.file("f", format!("{}\n", "x".repeat(5000)));
    let text = world.ok("grep", &json!({"path": "/f", "pattern": "x"}))["matches"][0]["text"].clone();
    assert_eq!(text.as_str().unwrap().chars().count(), 501);
}

#[test]
fn grep_pages_inside_a_file() {
    let world = World::new();
    for file in ["a", "b"] {
        world.file(file, "hit\nmiss\nhit\nhit\n");
    }
    for context in [0, 1] {
        let (mut seen, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let params =
                json!({"path": "/", "pattern": "hit", "limit": 2, "cursor": cursor, "context": context});
            let page = world.ok("grep", &params);
            for found in page["matches"].as_array().unwrap() {
                seen.push(format!("{}:{}", found["path"].as_str().unwrap(), found["line"]));
            }
            cursor = page["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(seen, ["/a:1", "/a:3", "/a:4", "/b:1", "/b:3", "/b:4"], "context {context}");
    }
}

#[test]
fn gitignore_is_honoured() {
    let world = World::new();
    world.file(".gitignore", "*.log\n/build/\n!keep.log\n").file("x.log", "hit").file("keep.log", "hit");
    world.file("build/out", "hit").file("src/build/in", "hit").file("src/.gitignore", "*.tmp\n!x.log\n");
    world
        .file("src/x.log", "hit")
        .file("src/y.tmp", "hit")
        .file(".git/config", "hit")
        .file("src/deep/z.tmp", "hit");
    let check = |params: Value, expected: &[&str]| assert_eq!(paths(&world, "grep", params), expected);
    check(json!({"pattern": "hit"}), &["/keep.log", "/src/build/in", "/src/x.log"]);
    check(json!({"pattern": "hit", "path": "/src"}), &["/src/build/in", "/src/x.log"]);
    check(json!({"pattern": "hit", "path": "/src/deep"}), &[]);
    assert_eq!(paths(&world, "grep", json!({"pattern": "hit", "gitignore": false})).len(), 7);
    assert_eq!(
        paths(&world, "find", json!({"pattern": "*.log", "gitignore": true})),
        ["/keep.log", "/src/x.log"]
    );
}
