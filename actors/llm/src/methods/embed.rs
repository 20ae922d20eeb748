//! `mcp.llm.embed`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::Fields;
use crate::embed::embed;
use crate::service::Llm;

/// Turns texts into vectors, for comparing what they mean.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Embed {
    /// A text, a list of texts, or the tokens of one or of several.
    input: Input,
    /// `model` (an alias of mcp.llm.models whose kind is `embedding`, or `local`, the one that files are searched with,
    /// which is meant where there is none), `dimensions`, `encoding_format`.
    #[serde(default)]
    options: Fields,
}

/// What is to be turned into vectors.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Input {
    /// One text.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
    /// The tokens of one text.
    Tokens(Vec<u64>),
    /// The tokens of several texts.
    ManyTokens(Vec<Vec<u64>>),
}

/// OpenAI's list of embeddings: `data[].embedding`, in the order of the texts, and `usage`.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Embeddings(Fields);

impl Method for Embed {
    const NAME: &'static str = "mcp.llm.embed";
    const TIER: Tier = Tier::Pro;
    // It changes nothing and costs something: a host asks before it, and the trail has a row for each.
    const EFFECT: Effect = Effect { open_world: true, ..Effect::ADD };
    const RUN: Run = Run::Task;

    type Reply = Embeddings;
    type Service = Llm;

    async fn call(self, context: &Context, llm: &Llm) -> Result<Embeddings, Error> {
        let Fields(mut options) = self.options;
        let input = serde_json::to_value(self.input).map_err(Error::internal)?;
        let model = match options.remove("model") {
            None | Some(Value::Null) => None,
            Some(Value::String(model)) => Some(model),
            Some(_) => {
                return Err(Error::invalid_params("options.model must be text: an alias of mcp.llm.models"));
            }
        };
        match embed(llm, context, model.as_deref(), &input, &options).await? {
            Value::Object(answer) => Ok(Embeddings(Fields(answer))),
            _ => Err(Error::internal("embeddings that are no object")),
        }
    }
}
