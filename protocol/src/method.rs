//! A method is declared once: the params struct is the method, its doc comment is the published description.

use std::future::Future;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::catalog::Entry;
use crate::context::{Context, Shape};
use crate::dispatch::Payload;
use crate::error::Error;
use crate::tier::Tier;

/// What a call can do to the world; the four hints of the Model Context Protocol's tool annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the protocol has four independent hints")]
pub struct Effect {
    /// Changes nothing.
    pub read_only: bool,
    /// May destroy what was there; meaningful unless read-only.
    pub destructive: bool,
    /// Doing it twice is the same as doing it once.
    pub idempotent: bool,
    /// Reaches beyond this machine.
    pub open_world: bool,
}

impl Effect {
    /// Only looks.
    pub const READ: Self = Self { read_only: true, destructive: false, idempotent: true, open_world: false };
    /// Adds, never overwrites; twice adds twice.
    pub const ADD: Self = Self { read_only: false, destructive: false, idempotent: false, open_world: false };
    /// Brings about a state without destroying anything; twice is once.
    pub const ENSURE: Self =
        Self { read_only: false, destructive: false, idempotent: true, open_world: false };
    /// May overwrite or remove; twice is once.
    pub const REPLACE: Self =
        Self { read_only: false, destructive: true, idempotent: true, open_world: false };
    /// May overwrite or remove, and twice is not once.
    pub const DESTROY: Self =
        Self { read_only: false, destructive: true, idempotent: false, open_world: false };

    /// Whether a call that may or may not have happened can be made again.
    pub const fn repeatable(self) -> bool {
        self.read_only || self.idempotent
    }
}

/// Where the service's actor runs a method, so that a slow call never blocks the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// At once, in the handler: microseconds, never waits.
    Inline,
    /// On a thread that may block on the disk.
    Blocking,
    /// In a task of its own: may wait for the network, a timer, another actor.
    Task,
}

/// Whether a call may outlast its request: as a task, whose outcome is asked for later (the tasks extension of the
/// Model Context Protocol).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskSupport {
    /// It is answered, however long that takes.
    #[default]
    Forbidden,
    /// It becomes a task when it takes long and the client can handle one.
    Optional,
    /// It is always a task; a client that cannot handle one cannot call it.
    Required,
}

/// One method of a service. The implementing struct *is* the `params` object.
///
/// Derive `Deserialize` with `#[serde(deny_unknown_fields)]` and `JsonSchema`; field order is the order of
/// positional params; write a doc comment on the struct and on every field.
pub trait Method: DeserializeOwned + JsonSchema + Send + 'static {
    /// Full native name: `mcp.<service>.<name>`, or `mcp.<name>` for the gateway's own.
    const NAME: &'static str;
    /// The cheapest shipped tier that includes it.
    const TIER: Tier;
    /// What it can do to the world.
    const EFFECT: Effect;
    /// Where it runs.
    const RUN: Run;
    /// Whether a call counts against the caller's rate.
    const BILLED: bool = true;
    /// How long a call may take, where that is not the setting `limits.call_seconds`.
    const LIMIT: Option<Duration> = None;
    /// Whether a call may become a task.
    const TASK: TaskSupport = TaskSupport::Forbidden;
    /// Whether it is offered as a tool too. Not for what never ends by itself, or what the Model Context Protocol has
    /// a way of its own for.
    const TOOL: bool = true;
    /// Whether the reply is made of content blocks ([`crate::mcp::Rich`]) instead of data.
    const RICH: bool = false;
    /// The field of the reply that alone is the result of a call with positional params, where the original
    /// answered with a bare array.
    const ORIGINAL_FIELD: Option<&'static str> = None;

    /// The result object.
    type Reply: Serialize + JsonSchema + Send + 'static;
    /// A cheap, cloneable handle; never an actor reference, never a message enum.
    type Service: Clone + Send + Sync + 'static;

    /// About how long a reply is as JSON text; growing to its length piece by piece copies a long one again and again.
    fn text_bytes(_reply: &Self::Reply) -> usize {
        1024
    }

    /// The reply as JSON text. To be overridden only by a reply that exists as text already.
    ///
    /// # Errors
    /// When the reply cannot be written.
    fn payload(reply: Self::Reply, shape: Shape) -> Result<Payload, Error> {
        crate::catalog::payload(&reply, shape, Self::ORIGINAL_FIELD, Self::text_bytes(&reply))
    }

    /// Answers at once if that takes no waiting; `None` when it might. Tried first for methods that run on a
    /// thread that may block: what is in the kernel's caches is answered without waking one. `alone`: nobody is behind
    /// the call, so that it may take as long as waking a thread does.
    fn try_now(
        &self,
        _context: &Context,
        _service: &Self::Service,
        _alone: bool,
    ) -> Option<Result<Self::Reply, Error>> {
        None
    }

    /// Answers the call.
    fn call(
        self,
        context: &Context,
        service: &Self::Service,
    ) -> impl Future<Output = Result<Self::Reply, Error>> + Send;
}

/// Erases a method's types: what the catalogue, routing, schemas, manuals and completion are made of.
pub fn entry<M: Method>(service: &M::Service) -> Entry {
    Entry::declared::<M>(service.clone())
}
