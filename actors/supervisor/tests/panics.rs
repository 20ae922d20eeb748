//! Panics, in a process of their own: the panic hook is the process's.

use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use supervisor::{Backoff, ChildSpec, Slot, SupervisorSpec};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

enum Tell {
    Answer(RpcReplyPort<()>),
    Panic,
}

struct Fragile;

impl Actor for Fragile {
    type Msg = Tell;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Tell>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(&self, _: ActorRef<Tell>, message: Tell, (): &mut ()) -> Result<(), ActorProcessingErr> {
        match message {
            Tell::Answer(reply) => Ok(reply.send(())?),
            Tell::Panic => panic!("broken on line\nand line"),
        }
    }
}

/// Keeps the log's lines, as `LEVEL message=…` and the other fields.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

/// From the panic to the first answer of the next actor; the hook and the restart are
/// both on that way. The fastest quarter is taken, because the machine does other work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_one_line_in_the_log_and_less_than_a_millisecond() {
    const PANICS: usize = 100;
    let log = Log::default();
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    supervisor::install_panic_hook();

    let slot = Slot::vacant();
    let fragile = ChildSpec::worker("fragile", &slot, |_| (Fragile, ())).backoff(Backoff::NONE);
    let spec = SupervisorSpec::new("root").intensity(u32::MAX, Duration::from_secs(1));
    let _tree = supervisor::start(spec.child(fragile)).await.unwrap();
    let mut took = Vec::new();
    for _ in 0..PANICS {
        let begun = Instant::now();
        slot.cast(Tell::Panic).unwrap();
        while slot.call(Tell::Answer, Duration::from_secs(5)).await.is_err() {
            tokio::task::yield_now().await;
        }
        took.push(begun.elapsed());
    }
    took.sort();
    assert!(
        took[PANICS / 4] < Duration::from_millis(1),
        "{:?}, p50 {:?}",
        took[PANICS / 4],
        took[PANICS / 2]
    );

    let log = log.0.lock().unwrap();
    let panics: Vec<&String> = log.iter().filter(|line| line.starts_with("ERROR message=panicked")).collect();
    assert_eq!(panics.len(), PANICS);
    assert!(panics[0].contains(r#" text="broken on line\nand line""#), "{}", panics[0]);
    assert!(panics[0].contains(" place=\"actors/supervisor/tests/panics.rs:"), "{}", panics[0]);
    assert!(log.iter().all(|line| !line.contains('\n') && !line.contains("backtrace")));
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = event.metadata().level().to_string();
        event.record(&mut Message(&mut line));
        self.0.lock().expect("nothing panics under this lock").push(line);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Message<'a>(&'a mut String);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("a String takes it all");
    }
}
