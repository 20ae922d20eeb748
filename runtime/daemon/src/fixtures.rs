//! `serve --conformance`: what the conformance suite of the Model Context Protocol expects of a server, offered beside
//! everything else. Without the flag nothing of it exists.

use std::sync::{Arc, Mutex, PoisonError};

use conformance::{EXTRA_SERVICE, Fixtures, SERVICE};
use gateway::{About, Destination, Gateway};
use prompts::Prompts;
use protocol::mcp::FixedResources;
use supervisor::{ChildSpec, Slot};

const ABOUT: &str = "Fixtures of the conformance suite of the Model Context Protocol; not for daily use.";

/// Adds the fixtures' methods and prompts; the actor that answers them, and their resources.
pub(crate) fn offer(
    gateway: &Gateway,
    prompts: &Prompts,
) -> anyhow::Result<(ChildSpec, Arc<dyn FixedResources>)> {
    let slot = Slot::vacant();
    let fixtures = Fixtures { toggle_tool: Arc::new(|| {}), toggle_prompt: toggle_prompt(prompts.clone()) };
    let extra = conformance::extra(&fixtures);
    let (routes, to) = (gateway.gate().routes().clone(), Destination::There(slot.clone()));
    let toggle_tool = toggle(move |on| {
        if on {
            let about =
                About { description: ABOUT.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
            if let Err(error) = routes.add(EXTRA_SERVICE, about, extra.clone(), &to) {
                tracing::error!(%error, "the tool that comes and goes cannot come");
            }
        } else {
            routes.remove(EXTRA_SERVICE);
        }
    });
    let methods = conformance::methods(&Fixtures { toggle_tool, ..fixtures })?;
    gateway.add(SERVICE, ABOUT, methods, &slot)?;
    for prompt in conformance::prompts() {
        prompts.add(prompt);
    }
    Ok((service::child(SERVICE, &slot), conformance::resources()))
}

fn toggle_prompt(prompts: Prompts) -> Arc<dyn Fn() + Send + Sync> {
    toggle(move |on| {
        let prompt = conformance::changing();
        if on {
            prompts.add(prompt);
        } else {
            prompts.remove(&prompt.info().name);
        }
    })
}

/// Sets something on, and off the next time. Two at once are one after the other.
fn toggle(set: impl Fn(bool) + Send + Sync + 'static) -> Arc<dyn Fn() + Send + Sync> {
    let on = Mutex::new(false);
    Arc::new(move || {
        let mut on = on.lock().unwrap_or_else(PoisonError::into_inner);
        *on = !*on;
        set(*on);
    })
}
