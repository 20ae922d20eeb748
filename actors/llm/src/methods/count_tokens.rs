//! `mcp.llm.countTokens`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::{Fields, array};
use crate::service::Llm;
use crate::tokens;

/// Counts the tokens of a text or of a conversation, as what a call reserves is counted: with OpenAI's o200k
/// vocabulary. Other models' counts differ by some tens of percent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountTokens {
    /// A text. Either this or `messages`.
    #[serde(default)]
    text: Option<String>,
    /// A conversation, as `mcp.llm.chat` takes it.
    #[serde(default)]
    messages: Option<Vec<Fields>>,
    /// Tools that go with the conversation.
    #[serde(default)]
    tools: Option<Vec<Fields>>,
}

/// How many there are.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Counted {
    /// Tokens in all.
    tokens: u64,
}

impl Method for CountTokens {
    const NAME: &'static str = "mcp.llm.countTokens";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Task;

    type Reply = Counted;
    type Service = Llm;

    async fn call(self, _: &Context, _: &Llm) -> Result<Counted, Error> {
        let tokens = match (self.text, self.messages) {
            (Some(text), None) if self.tools.is_none() => tokens::count_anywhere(text).await?,
            (None, Some(messages)) => {
                let messages: Vec<_> = messages.into_iter().map(|message| Value::Object(message.0)).collect();
                tokens::of_chat(&messages, self.tools.map(array).as_ref()).await?
            }
            _ => return Err(Error::invalid_params("give `text`, or `messages` with or without `tools`")),
        };
        Ok(Counted { tokens })
    }
}
