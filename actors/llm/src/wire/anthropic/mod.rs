//! Anthropic's messages (<https://docs.anthropic.com/en/api/messages>).

mod answer;
mod request;

pub(super) use answer::{Stream, completion};
pub(super) use request::chat;

/// As errors call them: "is not supported by Anthropic models".
const PROVIDER: &str = "Anthropic";

/// The one version of the API there has been since 2023.
pub(super) const VERSION: &str = "2023-06-01";

/// The tool by which a model answers in JSON. There is no mode for "any JSON object": schemas that
/// `output_config.format` takes must name every property. So the model is made to call this tool, and its arguments
/// are the answer. Its name is told apart in the answer, which knows nothing of the request.
const JSON_TOOL: &str = "answer_in_json";
