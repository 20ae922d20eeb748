//! `mcp.llm.embed`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::embed::embed;
use crate::service::Llm;

/// Turns texts into vectors, for comparing what they mean.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Embed {
    /// A text, or a list of texts.
    input: Value,
    /// `model` (an alias of mcp.llm.models whose kind is `embedding`), `dimensions`, `encoding_format`.
    #[serde(default)]
    options: Map<String, Value>,
}

/// OpenAI's list of embeddings: `data[].embedding`, in the order of the texts, and `usage`.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Embeddings(Map<String, Value>);

impl Method for Embed {
    const NAME: &'static str = "mcp.llm.embed";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect { open_world: true, ..Effect::READ };
    const RUN: Run = Run::Task;

    type Reply = Embeddings;
    type Service = Llm;

    async fn call(self, context: &Context, llm: &Llm) -> Result<Embeddings, Error> {
        let mut options = self.options;
        let model = match options.remove("model") {
            None | Some(Value::Null) => None,
            Some(Value::String(model)) => Some(model),
            Some(_) => {
                return Err(Error::invalid_params("options.model must be text: an alias of mcp.llm.models"));
            }
        };
        match embed(llm, context, model.as_deref(), &self.input, &options).await? {
            Value::Object(answer) => Ok(Embeddings(answer)),
            _ => Err(Error::internal("embeddings that are no object")),
        }
    }
}
