//! Changes are told as they happen, and only those inside.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::{Conclusion, Error, Id, Outbox, Payload, Shape};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::escapes::{Fate, paths, trapped};
use super::{World, kind_of};

/// Longer than anything takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that passes news on.
struct News(mpsc::Sender<Value>);

impl Outbox for News {
    fn answer(&self, _: u64, _: Result<Payload, Error>) {}
    fn progress(&self, _: u64, value: String) {
        self.0.try_send(serde_json::from_str(&value).unwrap()).unwrap();
    }
    fn conclude(&self, _: u64, _: Conclusion) {}
    fn notify(&self, _: u64, _: String) {}
    fn extend(&self, _: u64, _: Instant) {}
    fn cancel(&self, _: &Id) -> bool {
        false
    }
}

/// Runs `mcp.fs.watch` on paths while `script` runs; its error, if it ends at once.
fn watch<T>(
    world: &World,
    watched: &Value,
    script: impl AsyncFnOnce(&mut mpsc::Receiver<Value>) -> T,
) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (tell, mut news) = mpsc::channel(1000);
        let mut context = world.context(Shape::Named);
        context.connection = Some((Arc::new(News(tell)), 1));
        let entry = crate::methods(&world.fs).into_iter().find(|entry| entry.name == "mcp.fs.watch").unwrap();
        let params = RawValue::from_string(json!({ "paths": watched }).to_string()).unwrap();
        let watching = entry.invoke(context, Some(params));
        tokio::select! {
            ended = watching => Err(ended.expect_err("it does not end by itself")),
            done = async {
                let begun = next(&mut news).await;
                assert!(begun["watching"].is_array(), "{begun}");
                script(&mut news).await
            } => Ok(done),
        }
    })
}

async fn next(news: &mut mpsc::Receiver<Value>) -> Value {
    tokio::time::timeout(PATIENCE, news.recv()).await.expect("something is told").expect("it goes on")
}

#[test]
fn what_happens_to_a_file_is_told_and_nothing_else() {
    let world = World::new();
    world.file("watched", "1").file("other", "1").file("folder/in", "1");
    let outcome = watch(&world, &json!(["/watched", "/later", "/folder"]), async |news| {
        fs::write(world.host("watched"), "2").unwrap();
        assert_eq!(next(news).await, json!({ "path": "/watched", "change": "modified" }));
        fs::write(world.host("other"), "2").unwrap();
        fs::write(world.host("later"), "2").unwrap();
        let told = next(news).await;
        assert_eq!(told["path"], "/later", "{told}");
        fs::remove_file(world.host("later")).unwrap();
        assert_eq!(next(news).await, json!({ "path": "/later", "change": "removed" }));
        fs::write(world.host("folder/new"), "2").unwrap();
        assert_eq!(next(news).await, json!({ "path": "/folder", "change": "modified" }));
    });
    outcome.unwrap();
}

#[test]
fn a_write_of_the_service_is_one_change() {
    let world = World::new();
    world.file("a", "1");
    let outcome = watch(&world, &json!(["/", "/a"]), async |news| {
        world.ok("write", &json!(["/a", "2"]));
        let (first, second) = (next(news).await, next(news).await);
        assert_eq!((&first["path"], &second["path"]), (&json!("/"), &json!("/a")));
    });
    outcome.unwrap();
}

#[test]
fn nothing_outside_can_be_watched() {
    let world = trapped();
    for (path, fate) in paths(&world) {
        let outcome = watch(&world, &json!([path]), async |news| {
            // Whatever may be watched is inside: a change outside is not told.
            let outside = world.base.join("outside");
            fs::write(outside.join("canary.txt"), "changed").unwrap();
            fs::write(outside.join("canary_directory/inner.txt"), "changed").unwrap();
            fs::write(outside.join("none"), "made").unwrap();
            fs::remove_file(outside.join("none")).unwrap();
            tokio::time::timeout(Duration::from_millis(150), news.recv()).await.ok()
        });
        match outcome {
            Ok(told) => {
                assert_ne!(fate, Fate::Refused, "{path:?} can be watched");
                assert_eq!(told, None, "{path:?}");
            }
            Err(error) => assert_ne!(kind_of(&error), "internal", "{path:?}: {error:?}"),
        }
    }
}

#[test]
fn what_cannot_be_watched_keeps_nothing_else_from_being() {
    let world = World::new();
    world.file("a", "1");
    let outcome = watch(&world, &json!(["/none/b", "/a", "/../c"]), async |news| {
        fs::write(world.host("a"), "2").unwrap();
        assert_eq!(next(news).await["path"], "/a");
    });
    outcome.unwrap();
    assert_eq!(kind_of(&watch(&world, &json!(["/none/b"]), async |_| ()).unwrap_err()), "not_found");
}

#[test]
fn a_call_that_ends_gives_its_place_back() {
    // More than there are places.
    let world = World::new();
    world.file("a", "1");
    for _ in 0..80 {
        watch(&world, &json!(["/a"]), async |_| tokio::task::yield_now().await).unwrap();
    }
}
