//! `mcp.hello`: what every client asks first.

use jiff::Timestamp;
use protocol::{Context, Effect, Error, Method, Run, Shape, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gate::Gate;
use crate::views::{Key, Written};

/// Lists the methods that you may call, and says who answers. Called without params, or by position, it returns
/// the bare array of method names, as the original did; called with `{}` it returns the object.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hello {}

/// Who answers, and what it offers to this caller.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Greeting {
    /// The program: `llmbasedos`.
    server: &'static str,
    /// Its version.
    version: &'static str,
    /// The name under which you are known.
    caller: String,
    /// The tier that your calls count against.
    tier: String,
    /// Methods that you may call, sorted.
    methods: Vec<String>,
}

impl Method for Hello {
    const NAME: &'static str = "mcp.hello";
    const TIER: Tier = Tier::Free;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;
    const BILLED: bool = false;

    type Reply = Written<Greeting>;
    type Service = Gate;

    async fn call(self, context: &Context, gate: &Gate) -> Result<Self::Reply, Error> {
        let now = Timestamp::now();
        let caller = &context.caller;
        let edition = gate.edition(now);
        let key = Key::new(Self::NAME, context.shape, caller);
        let view = match context.shape {
            Shape::Original => gate.0.views.get(edition, key, || gate.methods_of(caller, now)),
            Shape::Named => gate.0.views.get(edition, key.of_caller(caller), || Greeting {
                server: "llmbasedos",
                version: env!("CARGO_PKG_VERSION"),
                caller: caller.name.clone(),
                tier: caller.tier.clone(),
                methods: gate.methods_of(caller, now),
            }),
        };
        view.map(Into::into)
    }
}
