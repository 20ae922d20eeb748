//! A disk that holds calls up until it is told to let go.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use protocol::dispatch::{Conclusion, Payload};
use protocol::{Caller, Cancel, Entry, Error, Id, Incoming, Outbox, Reply, Way};
use serde_json::{Value, json};
use supervisor::Meter;
use tokio::sync::mpsc;

use super::{LANES_MAX, LANES_PER_CONNECTION, Lanes};

const STUCK: Duration = Duration::from_secs(30);

/// A disk that answers when it is let go.
#[derive(Default)]
struct Disk {
    let_go: (Mutex<bool>, Condvar),
    waiting: AtomicUsize,
}

impl Disk {
    fn wait(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let (flag, told) = &self.let_go;
        drop(told.wait_while(flag.lock().unwrap(), |gone| !*gone).unwrap());
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    fn let_go(&self) {
        *self.let_go.0.lock().unwrap() = true;
        self.let_go.1.notify_all();
    }
}

/// A connection that tells who was answered.
struct Client(mpsc::Sender<u64>);

impl Outbox for Client {
    fn answer(&self, ticket: u64, outcome: Result<Payload, Error>) {
        outcome.expect("the disk always answers");
        let _ = self.0.try_send(ticket);
    }
    fn progress(&self, _: u64, _: String) {}
    fn conclude(&self, _: u64, _: Conclusion) {}
    fn notify(&self, _: u64, _: String) {}
    fn extend(&self, _: u64, _: Instant) {}
    fn cancel(&self, _: &Id) -> bool {
        false
    }
}

struct World {
    lanes: Arc<Lanes>,
    disk: Arc<Disk>,
    slow: Arc<Entry>,
    quick: Arc<Entry>,
    answered: mpsc::Receiver<u64>,
    tell: mpsc::Sender<u64>,
}

impl World {
    fn new() -> Self {
        let disk = Arc::new(Disk::default());
        let (tell, answered) = mpsc::channel(2000);
        let at = Arc::clone(&disk);
        let slow = entry("mcp.test.slow", move || at.wait());
        Self { lanes: Lanes::new(), disk, slow, quick: entry("mcp.test.quick", || {}), answered, tell }
    }

    fn connection(&self) -> Arc<Client> {
        Arc::new(Client(self.tell.clone()))
    }

    fn submit(&self, connection: &Arc<Client>, entry: &Arc<Entry>, ticket: u64) {
        let caller = Caller {
            name: "somebody".into(),
            tier: "ELITE".into(),
            allow: None,
            way: Way::Internal,
            token: None,
            service: None,
            run: None,
        };
        let request = Incoming {
            method: entry.name.as_str().into(),
            params: None,
            caller: Arc::new(caller),
            deadline: Instant::now() + STUCK,
            cancel: Cancel::new(),
            inputs: None,
            reply: Reply::new(Arc::clone(connection) as _, ticket),
        };
        Lanes::submit(&self.lanes, request.into_call(Arc::clone(entry), ticket), Meter::new().begin());
    }

    /// The next `count` that are answered, sorted.
    async fn answers(&mut self, count: usize) -> Vec<u64> {
        let mut all = Vec::new();
        while all.len() < count {
            let next = tokio::time::timeout(STUCK, self.answered.recv());
            all.push(next.await.expect("an answer comes").expect("the world lives"));
        }
        all.sort_unstable();
        all
    }

    /// Waits until so many calls wait for the disk.
    async fn held_up(&self, count: usize) {
        let all = async {
            while self.disk.waiting.load(Ordering::SeqCst) < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(STUCK, all).await.expect("they are begun");
    }

    async fn ends(&self) {
        self.lanes.drained(STUCK).await;
        let line = self.lanes.line();
        assert_eq!((line.lanes, line.waiting.len(), line.running.len()), (0, 0, 0));
    }
}

fn entry(name: &str, work: impl Fn() + Send + Sync + 'static) -> Arc<Entry> {
    let (any, work) = (json!({ "type": "object" }), Arc::new(work));
    let invoke = move |_, _: Value| -> protocol::dispatch::BoxFuture<'static, Result<Payload, Error>> {
        let work = Arc::clone(&work);
        Box::pin(async move {
            work();
            Ok(Payload::Owned("{}".to_owned()))
        })
    };
    Arc::new(Entry::remote(name.to_owned(), String::new(), &any, &any, invoke).expect("a schema"))
}

#[tokio::test]
async fn what_the_disk_holds_up_does_not_hold_up_others() {
    let mut world = World::new();
    // As many as there are cores, and more: every lane is held up, and each that is begun in its place.
    let slow = world.lanes.busy_max + 3;
    for ticket in 0..slow {
        world.submit(&world.connection(), &world.slow, ticket as u64);
    }
    world.submit(&world.connection(), &world.quick, 100);
    assert_eq!(world.answers(1).await, [100]);
    world.disk.let_go();
    assert_eq!(world.answers(slow).await.len(), slow);
    world.ends().await;
}

#[tokio::test]
async fn a_connection_has_its_share_and_all_have_theirs() {
    let mut world = World::new();
    let greedy = world.connection();
    for ticket in 0..20 {
        world.submit(&greedy, &world.slow, ticket);
    }
    world.held_up(LANES_PER_CONNECTION).await;
    // Others come by: one is answered after the greedy one had its share, and the greedy one's rest waits.
    world.submit(&world.connection(), &world.quick, 100);
    assert_eq!(world.answers(1).await, [100]);
    assert_eq!(world.disk.waiting.load(Ordering::SeqCst), LANES_PER_CONNECTION);

    let others = LANES_MAX;
    for ticket in 0..others {
        world.submit(&world.connection(), &world.slow, 200 + ticket as u64);
    }
    world.held_up(LANES_MAX).await;
    assert_eq!(world.lanes.line().lanes, LANES_MAX, "and no more than that");
    world.disk.let_go();
    assert_eq!(world.answers(20 + others).await.len(), 20 + others);
    world.ends().await;
}

#[tokio::test]
async fn quick_calls_take_no_more_lanes_than_cores() {
    let mut world = World::new();
    for ticket in 0..1000 {
        world.submit(&world.connection(), &world.quick, ticket);
        assert!(world.lanes.line().lanes <= world.lanes.busy_max);
    }
    assert_eq!(world.answers(1000).await, (0..1000).collect::<Vec<_>>());
    world.ends().await;
}
