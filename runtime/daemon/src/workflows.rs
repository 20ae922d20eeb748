//! What the service of workflows is told of the rest: which methods there are, and as whom workflows run by themselves.

use std::path::PathBuf;
use std::sync::Arc;

use agent::{About, Agent, Methods};
use cluster_config::{Environment, Settings};
use gateway::{About as AboutService, Destination, Gate, Gateway};
use protocol::dispatch::Call;
use store::Store;
use supervisor::{ChildSpec, Slot};

use crate::outside::Beyond;

/// The service, with the gateway as its only way out.
pub(crate) fn open(
    settings: &Settings,
    environment: Environment,
    store: Store,
    gateway: &Gateway,
) -> anyhow::Result<Agent> {
    let (gate, name) = (gateway.gate().clone(), settings.agent.owner.clone());
    Ok(Agent::open(agent::Config {
        store,
        settings: settings.agent.clone(),
        environment,
        state_dir: settings.state_dir.clone(),
        dispatch: Some(Arc::new(gateway.clone())),
        methods: Arc::new(Known(gateway.gate().clone())),
        outside: Some(Arc::new(Beyond::new(settings)?)),
        owner: Box::new(move || gate.owner(&name, rustix::process::getuid().as_raw()).map(Arc::new)),
    }))
}

/// The same for an instance of which only the methods are looked at.
pub(crate) fn shown(settings: &Settings, store: Store, gateway: &Gateway) -> anyhow::Result<Agent> {
    let mut settings = settings.clone();
    settings.agent.workflows_dir = PathBuf::new();
    open(&settings, Environment::default(), store, gateway)
}

/// A child that reads the folder of workflows whenever it changes, and offers each of them as a method. `slot` is where
/// those are answered.
pub(crate) fn offered(agent: &Agent, gateway: &Gateway, slot: &Slot<Call>) -> Option<ChildSpec> {
    let (routes, slot) = (gateway.gate().routes().clone(), slot.clone());
    agent.reader("workflows-watch", move |agent| {
        let entries = agent.entries();
        if entries.is_empty() {
            return routes.remove(agent::WORKFLOWS);
        }
        let about = AboutService {
            description: "The workflows, each as a method.".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        if let Err(error) = routes.add(agent::WORKFLOWS, about, entries, &Destination::There(slot.clone())) {
            tracing::warn!(%error, "the workflows are not offered as methods");
        }
    })
}

/// The methods of the catalogue.
struct Known(Gate);

impl Methods for Known {
    fn about(&self, name: &str) -> Option<About> {
        let table = self.0.routes().load();
        let route =
            table.get(name).or_else(|| table.routes().find(|route| route.entry.tool_name() == name))?;
        let entry = &route.entry;
        Some(About {
            method: entry.name.clone(),
            effect: entry.effect,
            takes_key: entry.positions.iter().any(|param| param == "idempotency_key"),
        })
    }
}
