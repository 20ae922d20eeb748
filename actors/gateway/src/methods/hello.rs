//! `mcp.hello`: what every client asks first.

use jiff::Timestamp;
use protocol::{Context, Effect, Error, Method, Payload, Run, Shape, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gate::Gate;
use crate::views::Written;

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

    fn payload(reply: Self::Reply, _: Shape) -> Result<Payload, Error> {
        Ok(reply.into_payload())
    }

    async fn call(self, context: &Context, gate: &Gate) -> Result<Self::Reply, Error> {
        let now = Timestamp::now();
        let caller = &context.caller;
        let (edition, shape) = (gate.edition(now), context.shape);
        let views = &gate.0.views;
        let view = match shape {
            Shape::Original => views.get(edition, Self::NAME, shape, caller, || gate.methods_of(caller, now)),
            Shape::Named => views.get(edition, Self::NAME, shape, caller, || Greeting {
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
