//! `mcp.listCapabilities`: every service with its methods and their schemas.

use jiff::Timestamp;
use protocol::{Caller, Context, Effect, Error, Method, Payload, Run, Shape, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::gate::Gate;
use crate::views::Written;

/// Describes the methods that you may call, service by service, with the JSON Schemas of their params and
/// results. Called without params, or by position, it returns the bare array of services, as the original did;
/// called with `{}` it returns an object with `services`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListCapabilities {}

/// All services that have something for this caller.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Offer {
    /// By name.
    services: Vec<ServiceOffer>,
}

/// One service.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceOffer {
    /// Its name, the second part of its methods' names.
    service_name: String,
    /// What it does.
    description: String,
    /// Its version.
    version: String,
    /// Its methods: `method`, `tool`, `description`, `tier`, `annotations`, `params_schema`, `result_schema`.
    capabilities: Vec<Value>,
}

impl Method for ListCapabilities {
    const NAME: &'static str = "mcp.listCapabilities";
    const TIER: Tier = Tier::Free;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;
    const BILLED: bool = false;
    /// `tools/list` says the same, in pages: as one result it is more than a tool's may be.
    const TOOL: bool = false;

    type Reply = Written<Offer>;
    type Service = Gate;

    fn payload(reply: Self::Reply, _: Shape) -> Result<Payload, Error> {
        Ok(reply.into_payload())
    }

    async fn call(self, context: &Context, gate: &Gate) -> Result<Self::Reply, Error> {
        let now = Timestamp::now();
        let (caller, shape) = (&context.caller, context.shape);
        let services = || services(gate, caller, now);
        let (edition, views) = (gate.edition(now), &gate.0.views);
        let view = match shape {
            Shape::Original => views.get(edition, Self::NAME, shape, caller, services),
            Shape::Named => views.get(edition, Self::NAME, shape, caller, || Offer { services: services() }),
        };
        view.map(Into::into)
    }
}

fn services(gate: &Gate, caller: &Caller, now: Timestamp) -> Vec<ServiceOffer> {
    let policy = gate.0.policy.load();
    let table = gate.0.routes.load();
    let offer = |name: &String| {
        let permitted = table
            .catalog
            .iter()
            .filter(|entry| entry.service == *name && policy.permits(caller, name, &entry.name, now));
        let capabilities: Vec<_> = permitted.map(|entry| entry.capability()).collect();
        let about = table.about.get(name);
        (!capabilities.is_empty()).then(|| ServiceOffer {
            service_name: name.clone(),
            description: about.map_or_else(|| "N/A".into(), |about| about.description.clone()),
            version: about.map_or_else(|| "N/A".into(), |about| about.version.clone()),
            capabilities,
        })
    };
    table.catalog.services().iter().filter_map(offer).collect()
}
