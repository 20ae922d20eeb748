//! Begins runs: as many at a time as may be, of each workflow as many as it says, the rest in their order. Of several
//! processes on one state folder the one that holds the lock does.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use protocol::Error;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use supervisor::{ChildError, ChildSpec, Slot, SupervisorHandle, SupervisorSpec, Tasks};

use crate::journal::Ticket;
use crate::refusal;
use crate::runner;
use crate::service::Agent;

/// To open a lock and read a few rows.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How often it is asked that is being restarted, and how long is waited between.
const TRIES: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(50);

/// Runs that wait for their turn; more are a script gone wrong.
const WAITING_MAX: usize = 100_000;

/// Runs with an actor: those that may be under way, and those that are steps of others.
const ACTORS_MAX: usize = 200_000;

/// After how many runs it is looked which of the old ones can be forgotten.
const FORGETS_EVERY: u64 = 256;

/// The handle.
#[derive(Clone)]
pub(crate) struct Clerk {
    lock: PathBuf,
    runs: usize,
    slot: Slot<Message>,
}

pub(crate) enum Message {
    /// Makes sure that this process may run workflows.
    Ready(RpcReplyPort<Result<(), Error>>),
    /// A run that is in the journal.
    Begin(Ticket),
    /// It is over.
    Ended(String),
    /// Look for runs in the journal that nobody has told of.
    Look,
}

struct Actual;

struct State {
    agent: Agent,
    runs: SupervisorHandle,
    tasks: Tasks,
    held: Option<File>,
    waiting: VecDeque<Ticket>,
    under_way: HashMap<String, Ticket>,
    /// The ids of all of these.
    known: HashSet<String>,
    begun: u64,
}

/// The supervisor of all runs. An actor of a run that panics again and again is ended by its own count long before this
/// gives up; it is for what nobody thought of.
pub(crate) fn supervisor(agent: &Agent) -> SupervisorSpec {
    let spec = SupervisorSpec::new("agent-runs").intensity(1000, Duration::from_mins(1)).dynamic(ACTORS_MAX);
    let (runs, kept) = (spec.handle(), agent.clone());
    let clerk = ChildSpec::worker("agent-clerk", &agent.clerk().slot, move |context| {
        (Actual, (kept.clone(), runs.clone(), context.tasks()))
    });
    spec.child(clerk).child(crate::clock::child(agent)).child(crate::triggers::child(agent))
}

impl Clerk {
    pub(crate) fn new(lock: PathBuf, runs: usize) -> Self {
        Self { lock, runs, slot: Slot::vacant() }
    }

    /// Makes sure that this process is the one that runs workflows, and that there is room for one more run.
    pub(crate) async fn ready(&self) -> Result<(), Error> {
        // To ask twice does nothing twice, and one that is being restarted is back in a moment.
        for _ in 0..TRIES {
            if let Ok(answer) = self.slot.call(Message::Ready, ANSWER_WITHIN).await {
                return answer;
            }
            tokio::time::sleep(BETWEEN).await;
        }
        Err(Error::unavailable("agent-clerk"))
    }

    /// Has a run begin, which is in the journal. If nobody is there to take this, the next one finds it in the journal.
    pub(crate) fn begin(&self, ticket: Ticket) {
        let _ = self.slot.cast(Message::Begin(ticket));
    }

    /// Has the journal looked through: whoever makes a run can be ended before it tells of it.
    pub(crate) fn look(&self) {
        let _ = self.slot.cast(Message::Look);
    }

    /// A run is over.
    pub(crate) fn ended(&self, id: &str) {
        let _ = self.slot.cast(Message::Ended(id.to_owned()));
    }
}

impl Actor for Actual {
    type Msg = Message;
    type State = State;
    type Arguments = (Agent, SupervisorHandle, Tasks);

    async fn pre_start(
        &self,
        _: ActorRef<Message>,
        (agent, runs, tasks): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let mut state = State {
            agent,
            runs,
            tasks,
            held: None,
            waiting: VecDeque::new(),
            under_way: HashMap::new(),
            known: HashSet::new(),
            begun: 0,
        };
        // Another process may have it; then it is asked for again when there is a run.
        if let Err(error) = state.take_lock().await {
            tracing::info!(%error, "workflows are another process's");
        }
        Ok(state)
    }

    async fn handle(
        &self,
        _: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Ready(port) => {
                let _ = port.send(state.ready().await);
            }
            Message::Begin(ticket) => {
                state.queue(ticket);
                state.begin();
            }
            Message::Ended(id) => {
                if state.under_way.remove(&id).is_none() {
                    state.waiting.retain(|ticket| ticket.id != id);
                }
                state.known.remove(&id);
                state.begin();
            }
            Message::Look => {
                if let Err(error) = state.find().await {
                    tracing::warn!(%error, "the journal cannot be looked through for runs");
                }
            }
        }
        Ok(())
    }
}

impl State {
    async fn ready(&mut self) -> Result<(), Error> {
        self.take_lock().await?;
        if self.waiting.len() >= WAITING_MAX {
            return Err(refusal::run(
                "too_many",
                format!("{WAITING_MAX} runs wait already: wait for some, or stop them."),
            ));
        }
        Ok(())
    }

    /// The lock, and once one has it what is to go on.
    async fn take_lock(&mut self) -> Result<(), Error> {
        if self.held.is_some() {
            return Ok(());
        }
        let broken = |error: std::io::Error| {
            refusal::run("no_lock", "The lock of the workflows in state_dir cannot be used.")
                .with_detail(error)
        };
        let Some(file) = service::sole(&self.agent.clerk().lock).map_err(broken)? else {
            return Err(refusal::run(
                "elsewhere",
                "Another process of this instance runs the workflows: call that one, or end it.",
            ));
        };
        self.held = Some(file);
        if let Err(error) = self.find().await {
            self.held = None;
            return Err(error);
        }
        self.forget();
        self.release();
        Ok(())
    }

    /// Takes up what the journal has and nobody has told of.
    async fn find(&mut self) -> Result<(), Error> {
        if self.held.is_none() {
            return Ok(());
        }
        let active = self.agent.journal().active().await?;
        let (begun, pending): (Vec<_>, Vec<_>) =
            active.into_iter().filter(|ticket| !self.known.contains(&ticket.id)).partition(|one| one.begun);
        let found = begun.len() + pending.len();
        if found > 0 {
            tracing::info!(runs = found, "runs go on from the journal");
        }
        // Those that were begun first: they have their turn already.
        begun.into_iter().chain(pending).for_each(|ticket| self.queue(ticket));
        self.begin();
        Ok(())
    }

    fn queue(&mut self, ticket: Ticket) {
        if self.known.insert(ticket.id.clone()) {
            self.waiting.push_back(ticket);
        }
    }

    /// Begins all that may be begun now.
    fn begin(&mut self) {
        if self.held.is_none() {
            return;
        }
        // Steps of others are not counted: those would wait for them for ever.
        let mut room = self
            .agent
            .clerk()
            .runs
            .saturating_sub(self.under_way.values().filter(|one| !one.is_part).count());
        let mut full = HashSet::new();
        let mut left = VecDeque::new();
        while let Some(ticket) = self.waiting.pop_front() {
            let may = ticket.begun
                || ticket.is_part
                || (room > 0 && !full.contains(&ticket.workflow) && self.has_room(&ticket));
            if may {
                room = room.saturating_sub(usize::from(!ticket.is_part));
                self.start(&ticket);
                self.under_way.insert(ticket.id.clone(), ticket);
            } else {
                full.insert(ticket.workflow.clone());
                left.push_back(ticket);
                if room == 0 && !self.waiting.iter().any(|one| one.is_part || one.begun) {
                    break;
                }
            }
        }
        left.append(&mut self.waiting);
        self.waiting = left;
    }

    /// Whether one more run of its workflow may be under way.
    fn has_room(&self, ticket: &Ticket) -> bool {
        ticket.concurrency.is_none_or(|most| {
            let same = self.under_way.values().filter(|one| one.workflow == ticket.workflow && !one.is_part);
            same.count() < most as usize
        })
    }

    fn start(&mut self, ticket: &Ticket) {
        self.begun += 1;
        if self.begun.is_multiple_of(FORGETS_EVERY) {
            self.forget();
        }
        let (runs, child) = (self.runs.clone(), runner::child(&self.agent, &ticket.id));
        let (clerk, id) = (self.agent.clerk().clone(), ticket.id.clone());
        self.tasks.spawn(async move {
            match runs.start_child(child).await {
                Ok(()) | Err(ChildError::AlreadyThere(_)) => {}
                Err(error) => {
                    tracing::error!(run = id, %error, "a run's actor cannot be started");
                    clerk.ended(&id);
                }
            }
        });
    }

    /// Has containers go that runs left behind that are over: llmbasedos ended between their outcome and their end.
    fn release(&self) {
        let Some(outside) = self.agent.outside().cloned() else { return };
        let agent = self.agent.clone();
        self.tasks.spawn(async move {
            for key in outside.held().await {
                let id = key.split(':').next().unwrap_or_default();
                let active =
                    agent.journal().run(id).await.map(|run| run.is_some_and(|run| run.state.is_active()));
                // What cannot be looked up stays for the next time.
                if matches!(active, Ok(false)) {
                    outside.release(key).await;
                }
            }
        });
    }

    /// Forgets what ended long ago, beside everything else.
    fn forget(&self) {
        let agent = self.agent.clone();
        self.tasks.spawn(async move {
            let settings = agent.settings();
            if let Err(error) = agent.journal().forget(settings.history_days, settings.history_runs).await {
                tracing::warn!(%error, detail = error.detail.as_deref(), "old runs cannot be forgotten");
            }
        });
    }
}
