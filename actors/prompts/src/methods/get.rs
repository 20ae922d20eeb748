//! `mcp.prompts.get`: the messages of one prompt, with its arguments in place.

use std::collections::BTreeMap;

use protocol::mcp::{PromptArgument, PromptInfo, Rich};
use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Prompts;

/// Returns the messages of a prompt, with the arguments put in: `description`, and `messages` of a `role` and
/// `content` each. See mcp.prompts.list for what there is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Get {
    /// Which prompt.
    #[schemars(length(max = 200))]
    name: String,
    /// Texts by the names of the prompt's arguments.
    #[serde(default)]
    arguments: BTreeMap<String, String>,
}

impl Method for Get {
    const NAME: &'static str = "mcp.prompts.get";
    const TIER: Tier = Tier::Free;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;
    const RICH: bool = true;

    type Reply = Rich;
    type Service = Prompts;

    async fn call(self, context: &Context, prompts: &Prompts) -> Result<Rich, Error> {
        let set = prompts.set();
        let prompt = set.get(&self.name).ok_or_else(|| {
            let shown: String = self.name.chars().take(100).collect();
            Error::invalid_params(format!("name: there is no prompt '{shown}'; mcp.prompts.list lists them"))
        })?;
        check(&prompt.info(), &self.arguments)?;
        prompt.get(context, &self.arguments)
    }
}

/// The arguments are the prompt's own, and none that it needs is missing.
fn check(prompt: &PromptInfo, arguments: &BTreeMap<String, String>) -> Result<(), Error> {
    let name = &prompt.name;
    let foreign = arguments.keys().find(|key| prompt.arguments.iter().all(|argument| argument.name != **key));
    if let Some(foreign) = foreign {
        let shown: String = foreign.chars().take(100).collect();
        let takes: Vec<_> = prompt.arguments.iter().map(|argument| argument.name.as_str()).collect();
        let takes = if takes.is_empty() { "none".to_owned() } else { takes.join(", ") };
        return Err(Error::invalid_params(format!(
            "arguments: the prompt '{name}' has no argument '{shown}'; it takes {takes}"
        )));
    }
    let missing = |argument: &&PromptArgument| argument.required && !arguments.contains_key(&argument.name);
    match prompt.arguments.iter().find(missing) {
        Some(missing) => {
            Err(Error::invalid_params(format!("arguments: the prompt '{name}' needs '{}'", missing.name)))
        }
        None => Ok(()),
    }
}
