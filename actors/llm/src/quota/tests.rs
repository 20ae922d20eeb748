//! Counters on a real file, asked from many sides at once.

use super::*;

struct World {
    dir: tempfile::TempDir,
    store: Store,
    ledger: Ledger,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        Self { ledger: Ledger::new(store.clone()), store, dir }
    }

    /// The process dies and another one begins.
    fn again(&mut self) {
        self.store = Store::open(self.dir.path()).unwrap();
        self.ledger = Ledger::new(self.store.clone());
    }

    fn today(&self, caller: &str) -> [(u64, u64); 2] {
        self.ledger.today(caller).unwrap()
    }
}

fn demand(caller: &str, prompt: u64, completion: u64) -> Demand {
    Demand {
        caller: caller.into(),
        model: "m".into(),
        prompt,
        completion,
        flexible: false,
        price: Price { prompt: 2, completion: 10 },
    }
}

fn spent(prompt: u64, completion: u64) -> Spent {
    Spent { prompt, completion, estimated: 0 }
}

const PRICE: Price = Price { prompt: 2, completion: 10 };

fn data(refusal: &Refusal, name: &str) -> serde_json::Value {
    let error = &refusal.error;
    assert_eq!(error.code, Code::LlmQuotaExceeded, "{error:?}");
    error.data.as_ref().unwrap()[name].clone()
}

#[tokio::test]
async fn what_is_reserved_counts_until_it_is_settled() {
    let world = World::new();
    let limits = Limits { caller: 100, ..Limits::default() };
    let first = world.ledger.reserve(demand("a", 10, 50), limits).await.unwrap();
    assert_eq!(first.left, Some(Note::Tokens { limit: 100, remaining: 40, resets_in: first_wait(&first) }));
    let refused = world.ledger.reserve(demand("a", 10, 31), limits).await.unwrap_err();
    assert_eq!((data(&refused, "remaining"), data(&refused, "reserved")), (40.into(), 60.into()));
    assert!(data(&refused, "retry_after_ms").as_u64() <= Some(86_400_000));
    world.ledger.settle(first, "m".into(), spent(10, 5), PRICE).await.unwrap();
    assert_eq!(world.today("a")[0], (15, 2 * 10 + 10 * 5));
    let refused = world.ledger.reserve(demand("a", 10, 76), limits).await.unwrap_err();
    assert_eq!((data(&refused, "used"), data(&refused, "remaining")), (15.into(), 85.into()));
    world.ledger.reserve(demand("a", 10, 75), limits).await.unwrap();
    world.ledger.reserve(demand("b", 10, 75), limits).await.expect("another caller has its own");
}

fn first_wait(reservation: &Reservation) -> Duration {
    let Some(Note::Tokens { resets_in, .. }) = reservation.left else { panic!("{reservation:?}") };
    assert!(resets_in <= Duration::from_hours(24));
    resets_in
}

#[tokio::test]
async fn each_limit_is_its_own() {
    for (limits, which, remaining) in [
        (Limits { call: 59, ..Limits::default() }, "tokens_per_request", None),
        (Limits { caller: 59, ..Limits::default() }, "tokens_per_day", Some(59.0)),
        (Limits { instance: 59, ..Limits::default() }, "instance_tokens_per_day", Some(59.0)),
        (Limits { caller_cost: 519, ..Limits::default() }, "cost_per_day", Some(519e-9)),
        (Limits { instance_cost: 519, ..Limits::default() }, "instance_cost_per_day", Some(519e-9)),
    ] {
        let world = World::new();
        // 10 tokens to read at 2 and 50 to write at 10: 60 tokens, 520 of money.
        let refused = world.ledger.reserve(demand("a", 10, 50), limits).await.unwrap_err();
        assert_eq!(data(&refused, "which"), which);
        assert_eq!(data(&refused, "remaining").as_f64(), remaining, "{which}");
        assert_eq!(world.today("a"), [(0, 0), (0, 0)], "what is refused counts nothing");
    }
}

#[tokio::test]
async fn who_says_nothing_gets_what_is_left() {
    let world = World::new();
    let flexible = |prompt, completion| Demand { flexible: true, ..demand("a", prompt, completion) };
    let limits = Limits { call: 90, caller: 100, ..Limits::default() };
    let first = world.ledger.reserve(flexible(10, 4096), limits).await.unwrap();
    assert_eq!(first.completion, 80);
    let refused = world.ledger.reserve(flexible(10, 4096), limits).await.unwrap_err();
    assert_eq!(data(&refused, "remaining"), 10);
    let second = world.ledger.reserve(flexible(9, 4096), limits).await.unwrap();
    assert_eq!(second.completion, 1);
    let money = Limits { caller_cost: 125, ..Limits::default() };
    let other = Demand { caller: "b".into(), ..flexible(10, 4096) };
    assert_eq!(world.ledger.reserve(other, money).await.unwrap().completion, 10, "(125 - 20) / 10");
}

#[tokio::test]
async fn no_race_passes_a_limit() {
    const CALLS: u64 = 200;
    let world = World::new();
    let limits = Limits { instance: 50 * 30, ..Limits::default() };
    let calls = (0..CALLS).map(async |n| {
        let caller = format!("caller-{}", n % 7);
        let reservation = world.ledger.reserve(demand(&caller, 10, 20), limits).await.ok()?;
        world.ledger.settle(reservation, "m".into(), spent(10, 20), PRICE).await.unwrap();
        Some(())
    });
    let served = futures_util::future::join_all(calls).await.into_iter().flatten().count();
    assert_eq!(served, 50, "as many as fit, and not one more");
    assert_eq!(world.today("caller-0")[1], (50 * 30, 50 * (20 + 200)));
    let rows = world.ledger.rows(Date::MIN, None).unwrap();
    assert_eq!(rows.iter().map(|row| row.calls).sum::<u64>(), 50);
}

#[tokio::test]
async fn what_a_dead_process_had_reserved_stays_reserved() {
    let mut world = World::new();
    let limits = Limits { caller: 100, ..Limits::default() };
    let reservation = world.ledger.reserve(demand("a", 10, 50), limits).await.unwrap();
    std::mem::forget(reservation);
    world.again();
    assert_eq!(world.today("a")[0].0, 60);
    assert!(world.ledger.reserve(demand("a", 10, 31), limits).await.is_err());
    world.ledger.reserve(demand("a", 10, 30), limits).await.unwrap();
}

#[tokio::test]
async fn who_is_gone_before_the_reservation_is_there_leaves_none() {
    let world = World::new();
    let limits = Limits { caller: 100, ..Limits::default() };
    {
        let reserve = world.ledger.reserve(demand("a", 10, 50), limits);
        let mut reserve = Box::pin(reserve);
        // Polled once: it is queued, and nobody waits for it.
        assert!(futures_util::poll!(reserve.as_mut()).is_pending());
    }
    // The writer takes changes in their order: behind these two nothing of it is left.
    world.store.write(|_| Ok(())).await.unwrap();
    world.store.write(|_| Ok(())).await.unwrap();
    assert_eq!(world.today("a")[0].0, 0);
}

#[tokio::test]
async fn what_was_never_sent_is_not_used() {
    let world = World::new();
    let reservation = world.ledger.reserve(demand("a", 10, 50), Limits::default()).await.unwrap();
    assert_eq!(reservation.left, None, "without a limit nothing is left of it");
    world.ledger.settle(reservation, "m".into(), Spent::default(), PRICE).await.unwrap();
    assert_eq!((world.today("a")[0], world.ledger.rows(Date::MIN, None).unwrap()), ((0, 0), Vec::new()));
}

#[tokio::test]
async fn what_writes_nothing_is_limited_by_what_it_reads() {
    let world = World::new();
    let tokens = Limits { caller: 100, ..Limits::default() };
    let money = Limits { caller_cost: 200, ..Limits::default() };
    for limits in [tokens, money] {
        assert!(world.ledger.reserve(demand("a", 101, 0), limits).await.is_err(), "{limits:?}");
        assert!(world.ledger.reserve(demand("a", 101, 0), Limits::default()).await.is_ok());
        assert!(world.ledger.reserve(demand("a", 1, 0), limits).await.is_err(), "it is passed already");
        assert!(world.ledger.reserve(demand("b", 100, 0), limits).await.is_ok(), "as much as there is");
        assert!(world.ledger.reserve(demand("b", 1, 0), limits).await.is_err(), "{limits:?}");
        world.store.write(|db| db.execute("DELETE FROM llm_reserved", [])).await.unwrap();
    }
}
