//! What the official conformance suite of the Model Context Protocol expects a server under test to offer: tools,
//! prompts and resources with fixed names and texts. Only `llmbasedos serve --conformance` has them.
//!
//! They are methods like all others, so that what the suite sees is the path that every call takes. A tool's name is
//! its method's (`mcp.test.simple_text` is `test_simple_text`), which is why their names have no service in them.

#[macro_use]
mod fixture;

mod asking;
mod content;
mod forms;
mod headers;
mod news;
mod prompts;
mod questions;
mod resources;
mod samples;
mod schema;
mod tasks;
mod triggers;

use std::sync::Arc;

use protocol::{Entry, Error, entry};

pub use prompts::{changing, prompts};
pub use resources::resources;

/// The one service that all these methods belong to, whatever their names say.
pub const SERVICE: &str = "conformance";

/// The service that comes and goes with `test_trigger_tool_change`.
pub const EXTRA_SERVICE: &str = "conformance-extra";

/// The handle that the methods work with: what they can change about the daemon.
#[derive(Clone)]
pub struct Fixtures {
    /// Adds a tool, or removes the one that it added.
    pub toggle_tool: Arc<dyn Fn() + Send + Sync>,
    /// Adds a prompt, or removes the one that it added.
    pub toggle_prompt: Arc<dyn Fn() + Send + Sync>,
}

/// Every method that is always there.
///
/// # Errors
/// When the schema that is given as JSON does not compile, which a test rules out.
pub fn methods(fixtures: &Fixtures) -> Result<Vec<Entry>, Error> {
    let mut entries = vec![
        entry::<content::SimpleText>(fixtures),
        entry::<content::ImageContent>(fixtures),
        entry::<content::AudioContent>(fixtures),
        entry::<content::EmbeddedResource>(fixtures),
        entry::<content::MultipleContentTypes>(fixtures),
        entry::<content::ErrorHandling>(fixtures),
        entry::<content::Greet>(fixtures),
        entry::<news::ToolWithLogging>(fixtures),
        entry::<news::LoggingTool>(fixtures),
        entry::<news::ToolWithProgress>(fixtures),
        entry::<news::Reconnection>(fixtures),
        entry::<forms::Sampling>(fixtures),
        entry::<forms::Elicitation>(fixtures),
        entry::<forms::ElicitationDefaults>(fixtures),
        entry::<forms::ElicitationEnums>(fixtures),
        entry::<forms::StreamingElicitation>(fixtures),
        entry::<forms::MissingCapability>(fixtures),
        entry::<questions::OneForm>(fixtures),
        entry::<questions::OneSampling>(fixtures),
        entry::<questions::Roots>(fixtures),
        entry::<questions::RequestState>(fixtures),
        entry::<questions::TamperedState>(fixtures),
        entry::<questions::MultipleInputs>(fixtures),
        entry::<questions::MultiRound>(fixtures),
        entry::<questions::AsCapable>(fixtures),
        entry::<tasks::SlowCompute>(fixtures),
        entry::<tasks::FailingJob>(fixtures),
        entry::<tasks::ProtocolErrorJob>(fixtures),
        entry::<tasks::ConfirmDelete>(fixtures),
        entry::<tasks::MultiInput>(fixtures),
        entry::<tasks::ToolWithTask>(fixtures),
        entry::<triggers::ToolChange>(fixtures),
        entry::<triggers::PromptChange>(fixtures),
        entry::<headers::CustomHeader>(fixtures),
    ];
    entries.push(schema::json_schema_tool().map_err(Error::internal)?);
    for entry in &mut entries {
        SERVICE.clone_into(&mut entry.service);
        // Two of the suite's names are longer than ours may be.
        entry.alias = entry.name.strip_prefix("mcp.").map(|name| name.replace('.', "_"));
    }
    Ok(entries)
}

/// The method that comes and goes.
pub fn extra(fixtures: &Fixtures) -> Vec<Entry> {
    let mut entry = entry::<triggers::Extra>(fixtures);
    EXTRA_SERVICE.clone_into(&mut entry.service);
    vec![entry]
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
