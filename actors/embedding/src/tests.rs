//! The worker with a scripted model: who is next, who is refused, and what a model that fails takes with it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use supervisor::{SupervisorSpec, Tree};

use crate::{Embed, EmbedError, Embedder, Facts, Load, Priority, Role, State, child};

/// Longer than any of these tests.
const EVER: Duration = Duration::from_mins(1);

/// A model whose vectors are of the text's length, and which does what a text says.
struct Script {
    facts: Facts,
    begun: Sender<Vec<String>>,
    /// A pass that is to wait for the test waits for one of these.
    go: Arc<Mutex<Receiver<()>>>,
}

/// What the test holds of it.
struct World {
    embedder: Embedder,
    begun: Receiver<Vec<String>>,
    go: Sender<()>,
    loads: Arc<AtomicUsize>,
    tree: Tree,
}

impl Embed for Script {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn embed(&mut self, _: Role, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        self.begun.send(texts.to_vec()).expect("the test listens");
        for text in texts {
            match text.split(' ').next().unwrap_or_default() {
                "wait" => self.go.lock().unwrap().recv().expect("the test says go"),
                "panic" => panic!("scripted"),
                "fail" => return Err(EmbedError::Failed { why: "scripted".into() }),
                "crash" => return Err(EmbedError::crashed("scripted")),
                "few" => return Ok(Vec::new()),
                _ => {}
            }
        }
        Ok(texts.iter().map(|text| vec![text.len() as f32]).collect())
    }

    fn count(&mut self, texts: &[String]) -> Result<Vec<usize>, EmbedError> {
        Ok(texts.iter().map(String::len).collect())
    }
}

impl World {
    async fn new(idle: Duration) -> Self {
        let (begun, seen) = channel();
        let (go, told) = channel();
        let (told, loads) = (Arc::new(Mutex::new(told)), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&loads);
        let load = move || -> Result<Box<dyn Embed>, EmbedError> {
            counted.fetch_add(1, Ordering::Relaxed);
            let facts = Facts {
                model: "script".into(),
                dimensions: 1,
                fingerprint: [1; 16],
                tokens_max: 256,
                runtime: "none".into(),
                process: None,
            };
            Ok(Box::new(Script { facts, begun: begun.clone(), go: Arc::clone(&told) }))
        };
        let embedder = Embedder::new(load, idle);
        let tree = start(&embedder).await;
        Self { embedder, begun: seen, go, loads, tree }
    }

    fn ask(
        &self,
        priority: Priority,
        texts: &[&str],
    ) -> tokio::task::JoinHandle<Result<Vec<Vec<f32>>, EmbedError>> {
        self.ask_within(priority, texts, EVER)
    }

    #[expect(clippy::disallowed_methods, reason = "a test's task ends with the test")]
    fn ask_within(
        &self,
        priority: Priority,
        texts: &[&str],
        within: Duration,
    ) -> tokio::task::JoinHandle<Result<Vec<Vec<f32>>, EmbedError>> {
        let (embedder, texts) =
            (self.embedder.clone(), texts.iter().map(|text| (*text).to_owned()).collect());
        tokio::spawn(
            async move { embedder.embed(Role::Passage, texts, priority, Instant::now() + within).await },
        )
    }

    /// The texts of the next pass that the model begins.
    async fn begun(&mut self) -> Vec<String> {
        loop {
            if let Ok(texts) = self.begun.try_recv() {
                return texts;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn until_waiting(&self, count: usize) {
        while self.embedder.status().waiting != count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn start(embedder: &Embedder) -> Tree {
    let spec = SupervisorSpec::new("root").child(child("embedding", embedder));
    supervisor::start(spec).await.expect("it starts")
}

#[tokio::test]
async fn vectors_come_in_the_order_of_their_texts() {
    let world = World::new(EVER).await;
    let vectors = world.ask(Priority::Bulk, &["three", "a", "", "fifteen letters"]).await.unwrap().unwrap();
    assert_eq!(vectors, [[5.0], [1.0], [0.0], [15.0]]);
    assert_eq!(world.ask(Priority::Bulk, &[]).await.unwrap().unwrap(), Vec::<Vec<f32>>::new());
}

#[tokio::test]
async fn texts_of_a_pass_are_of_a_length_and_few() {
    let mut world = World::new(EVER).await;
    let long = "x".repeat(900);
    let texts = ["aaaa", &long, "bb", "cccc", &long];
    world.ask(Priority::Bulk, &texts).await.unwrap().unwrap();
    assert_eq!(world.begun().await, ["bb", "aaaa", "cccc"]);
    assert_eq!(world.begun().await, [long.as_str()]);
    assert_eq!(world.begun().await, [long.as_str()]);
}

#[tokio::test]
async fn a_query_goes_between_two_passes_of_what_is_less_urgent() {
    let mut world = World::new(EVER).await;
    let (first, second) = (format!("wait {}", "x".repeat(900)), "y".repeat(990));
    let bulk = world.ask(Priority::Bulk, &[&first, &second]);
    world.begun().await;
    let fresh = world.ask(Priority::Fresh, &["fresh"]);
    world.until_waiting(1).await;
    let query = world.ask(Priority::Query, &["query"]);
    world.until_waiting(2).await;
    world.go.send(()).unwrap();
    let mut order = Vec::new();
    for _ in 0..3 {
        order.extend(world.begun().await);
    }
    assert_eq!(order, ["query", "fresh", &second]);
    for asked in [bulk, fresh, query] {
        asked.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn as_many_wait_as_may_and_a_query_still_gets_in() {
    let mut world = World::new(EVER).await;
    let held = world.ask(Priority::Bulk, &["wait"]);
    world.begun().await;
    let waiting: Vec<_> = (0..64).map(|_| world.ask(Priority::Bulk, &["bulk"])).collect();
    world.until_waiting(64).await;
    let refused = world.ask(Priority::Bulk, &["one more"]).await.unwrap();
    assert_eq!(refused, Err(EmbedError::Busy { waiting: 64 }));
    let query = world.ask(Priority::Query, &["query"]);
    world.until_waiting(65).await;
    // Whoever leaves makes room.
    waiting[0].abort();
    tokio::task::yield_now().await;
    let instead = world.ask(Priority::Bulk, &["instead"]);
    world.until_waiting(65).await;
    world.go.send(()).unwrap();
    for asked in [held, query, instead].into_iter().chain(waiting.into_iter().skip(1)) {
        asked.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn too_many_texts_are_refused() {
    let world = World::new(EVER).await;
    let texts = vec!["a"; crate::TEXTS_MAX + 1];
    let refused = world.ask(Priority::Bulk, &texts).await.unwrap();
    assert_eq!(refused, Err(EmbedError::TooMany { texts: 1_025, max: 1_024 }));
}

#[tokio::test]
async fn a_deadline_is_kept_while_the_model_hangs_and_what_was_not_begun_is_not_done() {
    let mut world = World::new(EVER).await;
    let held = world.ask(Priority::Bulk, &["wait"]);
    world.begun().await;
    let late = world.ask_within(Priority::Query, &["late"], Duration::from_millis(20));
    assert_eq!(late.await.unwrap(), Err(EmbedError::Deadline));
    let left = world.ask(Priority::Query, &["left"]);
    world.until_waiting(2).await;
    left.abort();
    let _ = left.await;
    world.go.send(()).unwrap();
    held.await.unwrap().unwrap();
    world.ask(Priority::Bulk, &["after"]).await.unwrap().unwrap();
    assert_eq!(world.begun().await, ["after"]);
}

#[tokio::test]
async fn a_panic_is_one_requests_error_and_the_model_is_loaded_anew() {
    let world = World::new(EVER).await;
    for (text, why) in [("panic", "scripted"), ("crash", "scripted"), ("few", "0 vectors of 1 texts")] {
        let other = world.ask(Priority::Bulk, &["another's"]);
        let outcome = world.ask(Priority::Query, &[text]).await.unwrap();
        assert_eq!(outcome, Err(EmbedError::crashed(why)));
        other.await.unwrap().unwrap();
        world.ask(Priority::Query, &["after"]).await.unwrap().unwrap();
    }
    let status = world.embedder.status();
    assert_eq!((status.crashes, status.loads), (3, 4));
    // Nothing of it reached the supervisor: three restarts would end the daemon.
    assert_eq!(world.tree.snapshot().children[0].restarts, 0);
}

#[tokio::test]
async fn a_text_that_fails_costs_nobody_the_model() {
    let world = World::new(EVER).await;
    let outcome = world.ask(Priority::Bulk, &["fail"]).await.unwrap();
    assert_eq!(outcome, Err(EmbedError::Failed { why: "scripted".into() }));
    world.ask(Priority::Bulk, &["after"]).await.unwrap().unwrap();
    assert_eq!(world.loads.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_model_is_loaded_when_wanted_and_unloaded_when_not() {
    let world = World::new(Duration::from_millis(30)).await;
    assert_eq!(world.embedder.status().state, State::Idle);
    assert_eq!(world.loads.load(Ordering::Relaxed), 0);
    for round in 1..3 {
        world.ask(Priority::Bulk, &["a"]).await.unwrap().unwrap();
        assert_eq!(world.loads.load(Ordering::Relaxed), round);
        while world.embedder.status().state != State::Idle {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test]
async fn what_waits_outlives_the_actor() {
    let mut world = World::new(EVER).await;
    let held = world.ask(Priority::Bulk, &["wait"]);
    world.begun().await;
    let waiting = world.ask(Priority::Bulk, &["waits"]);
    world.until_waiting(1).await;
    world.tree.kill("root/embedding").expect("it is there");
    // By the next thread, as the first is still in its pass.
    assert_eq!(waiting.await.unwrap(), Ok(vec![vec![5.0]]));
    world.go.send(()).unwrap();
    held.await.unwrap().unwrap();
    assert_eq!(world.tree.snapshot().children[0].restarts, 1);
}

/// A model that is not there.
struct Nowhere;

impl Load for Nowhere {
    fn load(&self) -> Result<Box<dyn Embed>, EmbedError> {
        self.look()?;
        unreachable!("it is not there")
    }

    fn look(&self) -> Result<(), EmbedError> {
        Err(EmbedError::NotInstalled { file: "model.onnx".into() })
    }
}

#[tokio::test]
async fn what_is_missing_is_said_before_and_after_it_is_asked_for() {
    let embedder = Embedder::new(Nowhere, EVER);
    let missing = Nowhere.look().unwrap_err();
    assert_eq!(embedder.status().state, State::Failed(missing.clone()));
    let _tree = start(&embedder).await;
    let deadline = Instant::now() + EVER;
    for _ in 0..3 {
        let outcome = embedder.embed(Role::Query, vec!["a".into()], Priority::Query, deadline).await;
        assert_eq!(outcome, Err(missing.clone()));
    }
    assert!(missing.to_string().contains("`make model`"));
}

#[tokio::test]
async fn tokens_are_counted() {
    let world = World::new(EVER).await;
    let deadline = Instant::now() + EVER;
    let counts = world.embedder.count(vec!["four".into(), String::new()], Priority::Fresh, deadline).await;
    assert_eq!(counts, Ok(vec![4, 0]));
}
