//! The roots as the index reads them, and the methods over them; words alone, as no model is here.

use std::sync::Arc;
use std::time::Duration;

use index::{Files as _, Unreadable};
use protocol::{Caller, Context, Entry, Shape};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::*;
use crate::tests::World;

/// What the index finds at and below a path.
fn walked(world: &World, path: &str, deep: bool) -> Vec<String> {
    let mut found = Vec::new();
    let unread = world.fs.walk(path, deep, &|| false, &mut |file| found.push(file.path)).unwrap();
    assert_eq!(unread, Vec::<String>::new());
    found.sort();
    found
}

#[test]
fn the_index_reads_what_a_caller_could_be_shown_and_nothing_ignored() {
    let world = World::new();
    world.file("a.txt", "a").file("sub/b.txt", "b").file("sub/deep/c.txt", "c").file(".hidden", "h");
    world.file(".git/config", "g").file("build/out.txt", "o").file("sub/private.txt", "p");
    world.file(".gitignore", "build/\n").file("sub/.llmbasedosignore", "private.txt\n");
    world.link("link.txt", "a.txt").link("out", "../outside");
    assert_eq!(walked(&world, "/", true), ["/a.txt", "/sub/b.txt", "/sub/deep/c.txt"]);
    assert_eq!(walked(&world, "/sub", false), ["/sub/b.txt"]);
    assert_eq!(walked(&world, "/sub/b.txt", true), ["/sub/b.txt"]);
    for path in [
        "/sub/private.txt",
        "/build/out.txt",
        "/build",
        "/.hidden",
        "/link.txt",
        "/nowhere",
        "/out/canary.txt",
    ] {
        let refused = world.fs.walk(path, true, &|| false, &mut |file| panic!("{file:?}"));
        assert_eq!(refused, Err(Unreadable::Gone), "{path}");
    }
    assert!(matches!(world.fs.open("/link.txt"), Err(Unreadable::Gone)));
    let (file, found) = world.fs.open("/a.txt").unwrap();
    assert_eq!(world.fs.look(&file, "/a.txt").unwrap(), found);
}

/// A search over a world's files that runs.
struct Running {
    world: World,
    search: Search,
    entries: Vec<Entry>,
    _tree: supervisor::Tree,
}

/// A search over a world's files, without a model, that does not run yet.
pub(crate) fn over(world: &World) -> (Search, embedding::Embedder) {
    let store = store::Store::open(&world.base).unwrap();
    let missing = || Err(embedding::EmbedError::NotInstalled { file: "/models/model.onnx".into() });
    let embedder = embedding::Embedder::new(missing, Duration::from_secs(1));
    let parts = Parts {
        store,
        folder: world.base.join("index"),
        reader: Arc::new(reading::Local::default()),
        embedder: embedder.clone(),
        of_model: Box::new(move |_| Box::new(missing)),
    };
    (Search::new(&world.fs, &cluster_config::Search::default(), parts), embedder)
}

impl Running {
    async fn over(world: World) -> Self {
        let (search, embedder) = over(&world);
        let spec = supervisor::SupervisorSpec::new("root")
            .child(embedding::child("embedding", &embedder))
            .child(search.child("index"));
        let tree = supervisor::start(spec).await.unwrap();
        let entries = crate::search_methods(&search);
        Self { world, search, entries, _tree: tree }
    }

    async fn call(&self, tier: &str, method: &str, params: Value) -> Result<Value, protocol::Error> {
        let context = self.world.context(if params.is_array() { Shape::Original } else { Shape::Named });
        let caller = Caller { tier: tier.to_owned(), ..Caller::clone(&context.caller) };
        let context = Context { caller: Arc::new(caller), ..context };
        let entry = self.entries.iter().find(|entry| entry.name == format!("mcp.fs.{method}")).unwrap();
        let params = RawValue::from_string(params.to_string()).unwrap();
        let called = entry.invoke(context, Some(params));
        let payload = tokio::time::timeout(Duration::from_secs(30), called).await.expect("it answers")?;
        Ok(serde_json::from_str(payload.as_str()).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_found_by_their_words_while_there_is_no_model() {
    let world = World::new();
    world
        .file("notes/garden.md", "# Garden\n\nRoses need water.\n")
        .file("notes/train.txt", "The train to Berlin.");
    let running = Running::over(world).await;
    let empty = running.call("PRO", "search", json!({ "query": "roses" })).await.unwrap();
    assert!(empty["note"].as_str().is_some_and(|note| note.contains("mcp.fs.embed")), "{empty}");
    let strange = running.call("PRO", "similar", json!({ "path": "/notes/train.txt" })).await.unwrap_err();
    assert_eq!(strange.code, protocol::Code::FsSearch);
    let done = running.call("PRO", "embed", json!(["/notes", true])).await.unwrap();
    assert_eq!((&done["path_processed"], &done["files_embedded_this_run"]), (&json!("/notes"), &json!(2)));
    assert!(done["status"].as_str().is_some_and(|status| status.contains("make model")), "{done}");

    let found =
        running.call("PRO", "search", json!({ "query": "water for roses", "explain": true })).await.unwrap();
    let first = &found["results"][0];
    assert_eq!(
        (&first["path"], &first["trail"]),
        (&json!("/notes/garden.md"), &json!(["Garden"])),
        "{found}"
    );
    assert_eq!((&first["lines"], &first["uri"]), (&json!([1, 3]), &json!("file:///notes/garden.md")));
    assert_eq!(first["explain"]["keyword_rank"], 1);
    assert!(found["without_meaning"].is_string());
    // By position, as the original.
    let found = running.call("PRO", "search", json!(["train", 1, "/notes"])).await.unwrap();
    assert_eq!(found[0]["path"], "/notes/train.txt");
    assert!(found[0]["preview"].is_string() && found[0]["score"].is_f64());

    let missing = running.call("PRO", "embed", json!({ "path": "/nowhere" })).await.unwrap_err();
    assert_eq!(missing.code, protocol::Code::FsPath);
    let status = running.call("PRO", "indexStatus", json!({})).await.unwrap();
    assert_eq!((&status["files"], &status["watched"]), (&json!(2), &json!(["/notes"])));
    let gone = running.call("PRO", "unindex", json!({ "path": "/notes" })).await.unwrap();
    assert_eq!(gone, json!({ "files": 2, "unwatched": 1 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_is_found_without_being_asked_for() {
    let world = World::new();
    world.directory("notes");
    let running = Running::over(world).await;
    running.call("PRO", "embed", json!({ "path": "/", "recursive": true })).await.unwrap();
    let finds = async |query: &str| {
        let asked = running.call("PRO", "search", json!({ "query": query })).await;
        asked.ok().and_then(|found| found["results"][0]["path"].as_str().map(str::to_owned))
    };
    let becomes = async |query: &str, expected: Option<&str>| {
        let until = std::time::Instant::now() + Duration::from_secs(20);
        while finds(query).await.as_deref() != expected {
            assert!(
                std::time::Instant::now() < until,
                "{query} never was in {expected:?}: {:?} {:?}",
                running.search.index.status(&["/"]),
                walked(&running.world, "/", true)
            );
            running.search.index.news().await;
        }
    };
    running.world.file("notes/new.txt", "an unusual word: quokka");
    becomes("quokka", Some("/notes/new.txt")).await;
    std::fs::rename(running.world.host("notes/new.txt"), running.world.host("notes/other.txt")).unwrap();
    becomes("quokka", Some("/notes/other.txt")).await;
    running.world.file("later/deep/file.txt", "another one: axolotl");
    becomes("axolotl", Some("/later/deep/file.txt")).await;
    std::fs::remove_file(running.world.host("notes/other.txt")).unwrap();
    becomes("quokka", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_never_sees_a_hit_outside_the_roots_that_it_may_read() {
    let world = World::with(|settings, base| {
        for name in ["shared", "secret"] {
            std::fs::create_dir_all(base.join(name)).unwrap();
            std::fs::write(base.join(name).join("a.txt"), format!("a {name} pelican")).unwrap();
        }
        settings.roots.push(crate::tests::root("/shared", base.join("shared")));
        let mut secret = crate::tests::root("/secret", base.join("secret"));
        secret.tiers = vec!["ELITE".to_owned()];
        settings.roots.push(secret);
    });
    let running = Running::over(world).await;
    running.call("ELITE", "embed", json!({ "path": "/", "recursive": true })).await.unwrap();
    let paths = async |tier: &str| {
        let found = running.call(tier, "search", json!({ "query": "pelican", "top_k": 50 })).await.unwrap();
        let mut paths: Vec<_> = found["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| hit["path"].as_str().unwrap().to_owned())
            .collect();
        paths.sort();
        paths
    };
    assert_eq!(paths("ELITE").await, ["/secret/a.txt", "/shared/a.txt"]);
    assert_eq!(paths("PRO").await, ["/shared/a.txt"]);
    for method in ["embed", "unindex", "reindex"] {
        let refused = running.call("PRO", method, json!({ "path": "/" })).await.unwrap_err();
        assert_eq!(
            refused.code,
            protocol::Code::FsPermission,
            "{method}: it would be the secret's index too"
        );
    }
    let scoped = running.call("PRO", "search", json!({ "query": "pelican", "scope": "/secret" })).await;
    assert_eq!(scoped.unwrap_err().code, protocol::Code::FsPath, "as if it were not there");
}
