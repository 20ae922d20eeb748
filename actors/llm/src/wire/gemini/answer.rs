//! A `GenerateContentResponse`, or a stream of them, in OpenAI's shapes. The last one of a stream has a
//! `finishReason`; there is no other sign of the end.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::chunk::{Answer, Call, Head, Spent, Wrote};
use super::super::{Piece, Usage, WireError, refusal, text};
use super::PROVIDER;

/// Translates a stream.
#[derive(Debug)]
pub(in super::super) struct Stream {
    head: Head,
    spent: Option<Spent>,
    /// Tool calls so far.
    calls: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    candidates: Vec<Candidate>,
    #[serde(default)]
    prompt_feedback: Option<Feedback>,
    #[serde(default)]
    usage_metadata: Option<Used>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    #[serde(default)]
    content: Said,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    parts: Vec<Part>,
}

/// Of a part, what OpenAI's shape has room for; made pictures and run code are not.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    #[serde(default)]
    text: Option<String>,
    /// The text is thinking.
    #[serde(default)]
    thought: bool,
    #[serde(default)]
    function_call: Option<FunctionCall>,
    #[serde(default)]
    thought_signature: Option<String>,
}

#[derive(Deserialize)]
struct FunctionCall {
    /// Only newer models name their calls.
    #[serde(default)]
    id: Option<String>,
    name: String,
    #[serde(default)]
    args: Map<String, Value>,
}

/// Why a prompt was not answered at all.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    #[serde(default)]
    block_reason: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Used {
    #[serde(default)]
    prompt_token_count: u64,
    #[serde(default)]
    candidates_token_count: u64,
    #[serde(default)]
    thoughts_token_count: Option<u64>,
    #[serde(default)]
    cached_content_token_count: Option<u64>,
    /// What the results of Google's own tools added to the prompt.
    #[serde(default)]
    tool_use_prompt_token_count: u64,
}

/// A part, made ready for either shape.
enum Ready {
    Text(String),
    Reasoning(String),
    Call { id: String, name: String, arguments: String, signature: Option<String> },
}

pub(in super::super) fn completion(body: &[u8], head: Head) -> Result<(Value, Option<Usage>), WireError> {
    let response = parse(text(PROVIDER, body)?)?;
    let blocked = response.blocked();
    let Some(candidate) = response.candidates.into_iter().next().or(blocked.then(Candidate::default)) else {
        return Err(WireError::Broken(format!("{PROVIDER} sent an answer without candidates")));
    };
    let mut answer = Answer::default();
    let mut calls = 0;
    for part in candidate.content.parts {
        match part.ready(&head, calls) {
            None => {}
            Some(Ready::Text(text)) => answer.text.push_str(&text),
            Some(Ready::Reasoning(text)) => answer.reasoning.push_str(&text),
            Some(Ready::Call { id, name, arguments, signature }) => {
                answer.call(Call {
                    index: calls,
                    id: &id,
                    name: &name,
                    arguments: &arguments,
                    signature: signature.as_deref(),
                });
                calls += 1;
            }
        }
    }
    let reason = if blocked { "SAFETY" } else { candidate.finish_reason.as_deref().unwrap_or("STOP") };
    let finish = finish(reason, calls)?;
    let spent = response.usage_metadata.map(Spent::from);
    Ok((head.completion(answer, finish, spent), spent.map(|spent| spent.usage)))
}

fn parse(data: &str) -> Result<Response, WireError> {
    let mut response: Response =
        serde_json::from_str(data).map_err(|error| WireError::broken(PROVIDER, &error))?;
    match response.error.take() {
        Some(error) => Err(WireError::Failed(refusal::read(error.to_string().as_bytes()).message)),
        None => Ok(response),
    }
}

/// Why the model stopped, in OpenAI's words, which have none for calls that went wrong: those are failures.
fn finish(reason: &str, calls: u32) -> Result<&'static str, WireError> {
    match reason {
        "STOP" if calls > 0 => Ok("tool_calls"),
        "MAX_TOKENS" => Ok("length"),
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "LANGUAGE"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "MODEL_ARMOR" => Ok("content_filter"),
        "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MALFORMED_RESPONSE"
        | "MISSING_THOUGHT_SIGNATURE" => Err(WireError::Failed(format!(
            "the model stopped with {reason}: ask again, or give it fewer or simpler tools"
        ))),
        _ => Ok("stop"),
    }
}

// === impl Stream ===

impl Stream {
    pub(in super::super) fn new(head: Head) -> Self {
        Self { head, spent: None, calls: 0 }
    }

    pub(in super::super) fn piece(&mut self, data: &str) -> Result<Piece, WireError> {
        let response = parse(data)?;
        let mut piece = Piece::default();
        let blocked = response.blocked();
        if let Some(used) = response.usage_metadata {
            let spent = Spent::from(used);
            piece.usage = Some(spent.usage);
            self.spent = Some(spent);
        }
        let candidate = response.candidates.into_iter().next().unwrap_or_default();
        for part in candidate.content.parts {
            if let Some(ready) = part.ready(&self.head, self.calls) {
                self.write(&mut piece, &ready);
            }
        }
        let reason = if blocked { Some("SAFETY") } else { candidate.finish_reason.as_deref() };
        if let Some(reason) = reason {
            self.head.finish(&mut piece, finish(reason, self.calls)?);
            if let Some(spent) = self.spent {
                self.head.spent(&mut piece, spent);
            }
            piece.done = true;
        }
        Ok(piece)
    }

    fn write(&mut self, piece: &mut Piece, ready: &Ready) {
        let wrote = match ready {
            Ready::Text(text) => Wrote::Text(text),
            Ready::Reasoning(text) => Wrote::Reasoning(text),
            Ready::Call { id, name, arguments, signature } => {
                let index = self.calls;
                self.calls += 1;
                Wrote::Call(Call { index, id, name, arguments, signature: signature.as_deref() })
            }
        };
        self.head.write(piece, wrote);
    }
}

// === impl Response ===

impl Response {
    /// The prompt was refused: no candidate, and a reason.
    fn blocked(&self) -> bool {
        self.candidates.is_empty()
            && self.prompt_feedback.as_ref().is_some_and(|feedback| feedback.block_reason.is_some())
    }
}

// === impl Part ===

impl Part {
    /// `index` is the number of the call, if it is one.
    fn ready(self, head: &Head, index: u32) -> Option<Ready> {
        if let Some(call) = self.function_call {
            return Some(Ready::Call {
                id: call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| head.call_id(index)),
                name: call.name,
                arguments: Value::Object(call.args).to_string(),
                signature: self.thought_signature,
            });
        }
        let text = self.text.filter(|text| !text.is_empty())?;
        Some(if self.thought { Ready::Reasoning(text) } else { Ready::Text(text) })
    }
}

impl From<Used> for Spent {
    fn from(used: Used) -> Self {
        let thoughts = used.thoughts_token_count.unwrap_or_default();
        Self {
            usage: Usage {
                prompt: used.prompt_token_count.saturating_add(used.tool_use_prompt_token_count),
                // Thinking stands beside what was said, and costs the same.
                completion: used.candidates_token_count.saturating_add(thoughts),
            },
            cached: used.cached_content_token_count,
            reasoning: used.thoughts_token_count,
        }
    }
}
