//! The service's handle: what every method asks, and the parts behind it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cluster_config::Environment;
use protocol::{Caller, Dispatch, Error};
use serde_json::{Value, json};
use store::Store;
use supervisor::{ChildSpec, SupervisorSpec};

use crate::clerk::Clerk;
use crate::doors::{Methods, Outside};
use crate::journal::{Journal, Ticket};
use crate::library::{Known, Library};
use crate::live::Lives;
use crate::record::{NewRun, Owner, Run, State};
use crate::refusal;

/// Who triggers run as, looked up when one fires.
pub type OwnerNow = Box<dyn Fn() -> Option<Arc<Caller>> + Send + Sync>;

/// What the service is told.
pub struct Config {
    /// Where runs are kept.
    pub store: Store,
    /// The settings.
    pub settings: cluster_config::Agent,
    /// Where secrets may come from.
    pub environment: Environment,
    /// A folder for the lock of who runs workflows.
    pub state_dir: PathBuf,
    /// The gateway, through which every call of a run goes. Without it nothing can be called.
    pub dispatch: Option<Arc<dyn Dispatch>>,
    /// The methods that there are.
    pub methods: Arc<dyn Methods>,
    /// HTTP and containers; none in a build without them.
    pub outside: Option<Arc<dyn Outside>>,
    /// As whom workflows run that nobody called.
    pub owner: OwnerNow,
}

/// The handle that the methods work with.
#[derive(Clone)]
pub struct Agent(Arc<Shared>);

struct Shared {
    config: Config,
    journal: Journal,
    library: Library,
    lives: Lives,
    clerk: Clerk,
}

impl Agent {
    /// Reads the workflows; nothing is started. Blocks on the disk.
    pub fn open(config: Config) -> Self {
        let folder =
            Some(config.settings.workflows_dir.clone()).filter(|folder| !folder.as_os_str().is_empty());
        let lock = config.state_dir.join("agent.lock");
        Self(Arc::new(Shared {
            journal: Journal::new(config.store.clone()),
            library: Library::new(folder, config.settings.n8n_url.clone()),
            lives: Lives::default(),
            clerk: Clerk::new(lock, config.settings.runs),
            config,
        }))
    }

    /// A child that reads the folder whenever something in it changes, and says so; none without a folder.
    pub fn reader(&self, id: &str, changed: impl Fn(&Self) + Send + Sync + 'static) -> Option<ChildSpec> {
        let folder = self.library().folder()?.to_owned();
        let agent = self.clone();
        Some(service::reader(id, folder, move || {
            agent.library().reload();
            changed(&agent);
        }))
    }

    /// The supervisor of all runs, and of who begins them.
    pub fn runs(&self) -> SupervisorSpec {
        crate::clerk::supervisor(self)
    }

    /// How it is, in a line, for whoever looks at the tree.
    pub fn health(&self) -> Option<String> {
        let (runs, set) = (self.0.lives.count(), self.library().set());
        let wrong = set.values().filter(|known| known.is_err()).count();
        let wrong = if wrong == 0 { String::new() } else { format!(", {wrong} with mistakes") };
        (runs > 0 || !set.is_empty()).then(|| format!("{} workflows{wrong}, {runs} runs", set.len()))
    }

    pub(crate) fn settings(&self) -> &cluster_config::Agent {
        &self.0.config.settings
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.0.config.environment
    }

    /// Where `file:` of a secret begins.
    pub(crate) fn secrets_dir(&self) -> &Path {
        self.library().folder().unwrap_or(Path::new("."))
    }

    pub(crate) fn dispatch(&self) -> Result<&Arc<dyn Dispatch>, Error> {
        self.0.config.dispatch.as_ref().ok_or_else(|| Error::unavailable("gateway"))
    }

    pub(crate) fn methods(&self) -> &dyn Methods {
        &*self.0.config.methods
    }

    pub(crate) fn outside(&self) -> Option<&Arc<dyn Outside>> {
        self.0.config.outside.as_ref()
    }

    /// As whom workflows run that nobody called.
    pub(crate) fn owner(&self) -> Option<Arc<Caller>> {
        (self.0.config.owner)()
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.0.journal
    }

    pub(crate) fn library(&self) -> &Library {
        &self.0.library
    }

    pub(crate) fn lives(&self) -> &Lives {
        &self.0.lives
    }

    pub(crate) fn clerk(&self) -> &Clerk {
        &self.0.clerk
    }

    /// Makes a run of a workflow and has it begin.
    pub(crate) async fn start(&self, caller: &Caller, id: &str, inputs: Value) -> Result<NewRun, Error> {
        if caller.run.is_some() {
            return Err(refusal::run(
                "in_a_run",
                "A run cannot begin others by a call: the step `workflow` does that, and waits for them.",
            ));
        }
        self.clerk().ready().await?;
        let known = self.library().get(id)?;
        let cause = json!({ "by": "call", "caller": caller.name });
        let new = Self::new_run(&known, Owner::of(caller), inputs, cause, &new_id()?, None)?;
        self.journal().make(new.clone()).await?;
        self.clerk().begin(ticket(&new));
        Ok(new)
    }

    /// What a run of `known` is made of. `parent` is the run that it is a step of, and how deep that is.
    pub(crate) fn new_run(
        known: &Known,
        owner: Owner,
        inputs: Value,
        cause: Value,
        id: &str,
        parent: Option<(&str, u32)>,
    ) -> Result<NewRun, Error> {
        let workflow = &known.workflow;
        let inputs = workflow::inputs::accept(&known.inputs, inputs).map_err(|wrong| {
            refusal::inputs(format!("The inputs do not fit the workflow '{}': {wrong}.", workflow.id))
        })?;
        Ok(NewRun {
            id: id.to_owned(),
            workflow: workflow.id.clone(),
            definition: Arc::clone(&known.definition),
            owner,
            inputs,
            cause,
            parent: parent.map(|(id, _)| id.to_owned()),
            depth: parent.map_or(0, |(_, depth)| depth + 1),
            concurrency: workflow.concurrency,
        })
    }

    /// Has a run stop, and those that are steps of it; how it was before that.
    pub(crate) async fn stop(&self, id: &str) -> Result<Option<State>, Error> {
        let mut next = vec![id.to_owned()];
        let mut before = None;
        while let Some(one) = next.pop() {
            next.extend(self.journal().parts(&one).await?);
            let state = self.journal().cancel(&one).await?;
            if one == id {
                before = state;
            }
            if state == Some(State::Pending) {
                self.clerk().ended(&one);
                self.lives().end(&one);
            } else if let Some(live) = self.lives().get(&one) {
                live.stop.cancel(protocol::Cause::Cancelled);
            }
        }
        Ok(before)
    }

    /// A run that the caller may know of: its own, or, for callers whom nothing narrows, those of callers of its tier.
    pub(crate) async fn run(&self, caller: &Caller, id: &str) -> Result<Run, Error> {
        let found = self.journal().run(id).await?.filter(|run| sees(caller, run));
        found.ok_or_else(|| refusal::no_such_run(id))
    }
}

/// Whether the caller may know of a run.
fn sees(caller: &Caller, run: &Run) -> bool {
    run.owner.name() == caller.name || tier_seen(caller).is_some_and(|tier| tier == run.owner.tier())
}

/// The tier of which the caller sees all runs.
pub(crate) fn tier_seen(caller: &Caller) -> Option<&str> {
    caller.allow.is_none().then_some(caller.tier.as_str())
}

/// What the clerk knows of a run that was just made.
pub(crate) fn ticket(new: &NewRun) -> Ticket {
    Ticket {
        id: new.id.clone(),
        workflow: new.workflow.clone(),
        concurrency: new.concurrency,
        is_part: new.parent.is_some(),
        begun: false,
    }
}

/// An id as the original's: `exec_` and twelve digits of base 16.
pub(crate) fn new_id() -> Result<String, Error> {
    let mut some = [0_u8; 6];
    getrandom::fill(&mut some).map_err(Error::internal)?;
    Ok(some.iter().fold("exec_".to_owned(), |text, byte| text + &format!("{byte:02x}")))
}

/// The id of the run that is always the same for the same reason.
pub(crate) fn id_of(reason: &str) -> String {
    let hash = blake3::hash(reason.as_bytes());
    hash.as_bytes()[..6].iter().fold("exec_".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}
