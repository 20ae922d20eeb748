//! OpenAI's chat completions (<https://platform.openai.com/docs/api-reference/chat>), which llama.cpp, vLLM, LM Studio
//! and Ollama's `/v1` serve too. What the caller said goes out as it is, and what comes back goes through as it came:
//! it is only read for what was written and used.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{Chat, Outgoing, Piece, Usage, WireError, refusal, text};

const PROVIDER: &str = "the provider";

/// A chunk, as far as it matters here. Text stays raw until it is known to be text: some write null, some lists.
#[derive(Deserialize)]
struct Seen<'a> {
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    usage: Option<Used>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning_content: Option<&'a RawValue>,
    // vLLM's and OpenRouter's name for the same.
    #[serde(borrow, default)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<Call<'a>>>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow, default)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

/// OpenAI's `usage`; embeddings have no completion.
#[derive(Deserialize)]
struct Used {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
}

/// The body: what the caller said, and the wish to be told what was used.
pub(super) fn chat(chat: &Chat<'_>) -> Outgoing {
    let mut body = chat.options.clone();
    body.insert("model".to_owned(), chat.model.into());
    body.insert("messages".to_owned(), chat.messages.to_vec().into());
    if chat.stream {
        let mut wishes = match body.remove("stream_options") {
            Some(Value::Object(wishes)) => wishes,
            _ => Map::new(),
        };
        wishes.insert("include_usage".to_owned(), true.into());
        body.insert("stream_options".to_owned(), wishes.into());
    } else {
        // OpenAI refuses it where nothing is streamed.
        body.remove("stream_options");
    }
    body.insert("stream".to_owned(), chat.stream.into());
    Outgoing { path: "/chat/completions".to_owned(), body: body.into() }
}

/// Lets a completion through that is one.
pub(super) fn completion(body: &[u8]) -> Result<(Value, Option<Usage>), WireError> {
    list(body, "choices", "a chat completion")
}

/// One chunk, byte for byte.
pub(super) fn piece(data: &str) -> Result<Piece, WireError> {
    let data = data.trim();
    if data == "[DONE]" {
        return Ok(Piece { done: true, ..Piece::default() });
    }
    let seen: Seen<'_> = serde_json::from_str(data).map_err(|error| WireError::broken(PROVIDER, &error))?;
    if let Some(error) = seen.error.filter(|error| error.get() != "null") {
        return Err(WireError::Failed(refusal::read(error.get().as_bytes()).message));
    }
    let mut piece = Piece { usage: seen.usage.map(Usage::from), ..Piece::default() };
    let choices = seen.choices.unwrap_or_default();
    if choices.is_empty() && piece.usage.is_some() {
        piece.accounting = Some(data.to_owned());
        return Ok(piece);
    }
    for choice in choices {
        if let Some(delta) = choice.delta {
            for text in [delta.content, delta.reasoning_content.or(delta.reasoning), delta.refusal] {
                count(&mut piece.written, text);
            }
            for call in delta.tool_calls.unwrap_or_default() {
                count(&mut piece.written, call.function.and_then(|function| function.arguments));
            }
        }
        if piece.finish.is_none() {
            piece.finish = choice.finish_reason;
        }
    }
    piece.chunks.push(data.to_owned());
    Ok(piece)
}

/// Adds `raw` to what was written, if it is text.
fn count(written: &mut String, raw: Option<&RawValue>) {
    let Some(raw) = raw.map(RawValue::get).filter(|raw| raw.len() > 2) else {
        return;
    };
    // Most of what models write has no escapes, and then it stands there as it is.
    match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => written.push_str(plain),
        Some(_) => written.push_str(&serde_json::from_str::<String>(raw).unwrap_or_default()),
        None => {}
    }
}

/// The body, as the caller said it.
pub(super) fn embed(model: &str, input: &Value, options: &Map<String, Value>) -> Outgoing {
    let mut body = options.clone();
    body.insert("model".to_owned(), model.into());
    body.insert("input".to_owned(), input.clone());
    Outgoing { path: "/embeddings".to_owned(), body: body.into() }
}

/// Lets embeddings through that are some.
pub(super) fn embeddings(body: &[u8]) -> Result<(Value, Option<Usage>), WireError> {
    list(body, "data", "a list of embeddings")
}

/// An answer that must be an object with the array `field`.
fn list(body: &[u8], field: &str, what: &str) -> Result<(Value, Option<Usage>), WireError> {
    let answer: Value =
        serde_json::from_str(text(PROVIDER, body)?).map_err(|error| WireError::broken(PROVIDER, &error))?;
    if answer.get("error").is_some_and(|error| !error.is_null()) {
        return Err(WireError::Failed(refusal::read(body).message));
    }
    if !answer.get(field).is_some_and(Value::is_array) {
        return Err(WireError::Broken(format!(
            "{PROVIDER} sent an answer that is not {what}: it has no '{field}'"
        )));
    }
    let used = answer.get("usage").and_then(|usage| Used::deserialize(usage).ok());
    let usage = used.map(Usage::from);
    Ok((answer, usage))
}

/// OpenAI's list of embeddings, for those who answer otherwise.
pub(super) fn embedding_list(model: &str, vectors: Vec<Value>, prompt: Option<u64>) -> Value {
    let data: Vec<Value> = vectors
        .into_iter()
        .enumerate()
        .map(|(index, vector)| json!({"object": "embedding", "index": index, "embedding": vector}))
        .collect();
    let prompt = prompt.unwrap_or_default();
    json!({
        "object": "list",
        "data": data,
        "model": model,
        "usage": {"prompt_tokens": prompt, "total_tokens": prompt},
    })
}

impl From<Used> for Usage {
    fn from(used: Used) -> Self {
        Self {
            prompt: used.prompt_tokens.unwrap_or_default(),
            completion: used.completion_tokens.unwrap_or_default(),
        }
    }
}
