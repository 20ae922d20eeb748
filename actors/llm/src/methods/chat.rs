//! `mcp.llm.chat`.

use std::time::Duration;

use protocol::{Context, Effect, Error, Method, Run, Shape, TaskSupport, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::fields::{Fields, array};
use crate::chat::{Answered, Asked, chat};
use crate::service::Llm;

/// Asks a language model.
///
/// `messages` and `options` are those of OpenAI's chat completions, tools and pictures included, whoever the provider
/// is. With `options.stream` the answer comes in parts: each is `{"type":"llm_chunk","content":…}`, a
/// `chat.completion.chunk`, and the result at the end is `{"type":"llm_stream_end"}`; called by position, parts are
/// results of the same id, as in the original; by name they are `mcp.progress` notifications. Without it the result is
/// the `chat.completion`, which says in `usage.cost` what it came to, if models.yaml has prices for the model.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chat {
    /// The conversation: objects with `role` (`system`, `developer`, `user`, `assistant`, `tool`) and `content`.
    #[schemars(length(min = 1))]
    messages: Vec<Fields>,
    /// `model` (an alias of mcp.llm.models; the default without it), `stream`, and fields of the request such as
    /// `temperature`, `max_tokens`, `tools`.
    #[serde(default)]
    options: Fields,
}

/// A `chat.completion`, or the end of a stream.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Reply(Fields);

impl Method for Chat {
    const NAME: &'static str = "mcp.llm.chat";
    const TIER: Tier = Tier::Pro;
    // It changes nothing and costs something: a host asks before it, and the trail has a row for each.
    const EFFECT: Effect = Effect { open_world: true, ..Effect::ADD };
    const RUN: Run = Run::Task;
    // Models take their time; every alias has time limits of its own.
    const LIMIT: Option<Duration> = Some(Duration::from_hours(1));
    const TASK: TaskSupport = TaskSupport::Optional;

    type Reply = Reply;
    type Service = Llm;

    async fn call(self, context: &Context, llm: &Llm) -> Result<Reply, Error> {
        let Self { messages, options: Fields(mut options) } = self;
        let model = match options.remove("model") {
            None | Some(Value::Null) => None,
            Some(Value::String(model)) => Some(model),
            Some(_) => {
                return Err(Error::invalid_params("options.model must be text: an alias of mcp.llm.models"));
            }
        };
        let stream = match options.remove("stream") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(stream)) => stream,
            Some(_) => return Err(Error::invalid_params("options.stream must be true or false")),
        };
        let messages = array(messages);
        let answered = chat(llm, context, Asked { model, messages, options, stream }).await?;
        Ok(Reply(Fields(match answered {
            Answered::Whole(Value::Object(answer)) => answer,
            Answered::Whole(_) => return Err(Error::internal("a completion that is no object")),
            Answered::Parts { model, usage } => {
                let mut end = Map::from_iter([("type".to_owned(), json!("llm_stream_end"))]);
                if context.shape == Shape::Named {
                    end.insert("model".to_owned(), model.into());
                    end.insert("usage".to_owned(), usage);
                }
                end
            }
        })))
    }
}
