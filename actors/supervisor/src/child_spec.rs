//! One child, as a declaration. Nothing runs here: a spec is read at every start and
//! restart of what it describes.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ractor::Actor;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::backoff::Backoff;
use crate::launch::{Berth, ChildContext, Launch, launch};
use crate::slot::{Slot, Vacate};
use crate::strategy::Restart;
use crate::supervisor::Supervisor;
use crate::supervisor_spec::{SpecError, SupervisorSpec, check_id};

/// One child: how to start it, and what to do when it ends.
pub struct ChildSpec {
    pub(crate) id: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) restart: Restart,
    pub(crate) start_within: Duration,
    pub(crate) shutdown: Duration,
    pub(crate) backoff: Backoff,
    pub(crate) significant: bool,
    pub(crate) numerous: bool,
    pub(crate) slot: Arc<dyn Vacate>,
    pub(crate) launch: Launch,
    /// How it is, in its own words.
    pub(crate) note: Option<Note>,
    /// What a supervisor supervises.
    pub(crate) below: Option<Arc<SupervisorSpec>>,
}

/// How a child is, in its own words; none while there is nothing to say.
type Note = Box<dyn Fn() -> Option<String> + Send + Sync>;

/// What a child does in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It works.
    Worker,
    /// It keeps others working.
    Supervisor,
}

/// What the second start of a child says that was made for one.
const MADE_ONCE: &str = "it can be made only once, and was";

/// OTP's default for workers.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// A `pre_start` opens files and sockets of this machine; one that needs longer is
/// stuck, and its supervisor with it.
const START_WITHIN: Duration = Duration::from_secs(30);

// === impl ChildSpec ===

impl ChildSpec {
    /// A worker that `make` makes anew for every start: permanent, 5 s to drain.
    pub fn worker<A, F>(id: impl Into<Arc<str>>, slot: &Slot<A::Msg>, make: F) -> Self
    where
        A: Actor,
        F: Fn(&ChildContext) -> (A, A::Arguments) + Send + Sync + 'static,
    {
        let filled = slot.clone();
        let launch = move |berth: Berth| launch(&filled, berth, |context| Ok(make(context)));
        Self::new(id, Kind::Worker, slot, Box::new(launch))
    }

    /// A worker that can be made only once, because it owns something that cannot be
    /// had twice, such as a connection. It is temporary: a second start would fail.
    pub fn once<A, F>(id: impl Into<Arc<str>>, slot: &Slot<A::Msg>, make: F) -> Self
    where
        A: Actor,
        F: FnOnce(&ChildContext) -> (A, A::Arguments) + Send + 'static,
    {
        let filled = slot.clone();
        let make = Mutex::new(Some(make));
        let launch = move |berth: Berth| {
            let make = make.lock().unwrap_or_else(PoisonError::into_inner).take();
            launch(&filled, berth, |context| make.map(|make| make(context)).ok_or_else(|| MADE_ONCE.into()))
        };
        Self { restart: Restart::Temporary, ..Self::new(id, Kind::Worker, slot, Box::new(launch)) }
    }

    /// A supervisor and all below it: permanent, and given whatever time its
    /// children are given to end.
    pub fn supervisor(spec: SupervisorSpec) -> Self {
        let spec = Arc::new(spec);
        let filled = spec.slot.clone();
        let launch = move |berth: Berth| {
            let arguments = (Arc::clone(&berth.seat), berth.context.tree.clone());
            launch(&filled, berth, |_| Ok((Supervisor, arguments)))
        };
        Self {
            shutdown: Duration::MAX,
            start_within: Duration::MAX,
            below: Some(Arc::clone(&spec)),
            ..Self::new(Arc::clone(&spec.id), Kind::Supervisor, &spec.slot, Box::new(launch))
        }
    }

    fn new<M: ractor::Message>(id: impl Into<Arc<str>>, kind: Kind, slot: &Slot<M>, launch: Launch) -> Self {
        Self {
            id: id.into(),
            kind,
            restart: Restart::default(),
            start_within: START_WITHIN,
            shutdown: SHUTDOWN,
            backoff: Backoff::default(),
            significant: false,
            numerous: false,
            slot: Arc::new(slot.clone()),
            launch,
            note: None,
            below: None,
        }
    }

    /// When to start it again.
    #[must_use]
    pub fn restart(self, restart: Restart) -> Self {
        Self { restart, ..self }
    }

    /// How long it may drain before it is killed: handle what is in its mailbox, then its
    /// `post_stop`, which is where to join its [`Tasks`](crate::Tasks).
    #[must_use]
    pub fn shutdown(self, shutdown: Duration) -> Self {
        Self { shutdown, ..self }
    }

    /// How long its `pre_start` may take before that counts as a failure. Its supervisor
    /// waits for it meanwhile: what connects to other machines should do so later.
    #[must_use]
    pub fn start_within(self, start_within: Duration) -> Self {
        Self { start_within, ..self }
    }

    /// What a snapshot says of it beside its counters; asked for at every snapshot, so it must not wait.
    #[must_use]
    pub fn note(self, note: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        Self { note: Some(Box::new(note)), ..self }
    }

    /// How long to wait between restarts.
    #[must_use]
    pub fn backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// Its end may end its supervisor: see [`AutoShutdown`](crate::AutoShutdown).
    #[must_use]
    pub fn significant(self) -> Self {
        Self { significant: true, ..self }
    }

    /// It is one of thousands: no histogram, and no event for its start and normal
    /// end, which would push everything else out of the last events.
    #[must_use]
    pub fn numerous(self) -> Self {
        Self { numerous: true, ..self }
    }

    pub(crate) fn check(&self) -> Result<(), SpecError> {
        check_id(&self.id)?;
        self.below.as_ref().map_or(Ok(()), |below| below.check())
    }
}

impl fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildSpec").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}
