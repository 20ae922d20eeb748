//! What a provider's refusal says, in words that may be shown: bounded, on one line, without keys.
//!
//! The sort is told by the codes that providers document, and where they give one code for everything, by what they
//! are known to write. It is a hint for what to do next, beside the HTTP status, which is the caller's to read.

use serde_json::Value;

/// What the body of a refused request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For people: at most 500 characters on one line. Whatever looks like a key is masked.
    pub message: String,
    /// The provider's own code, or type where it has no codes.
    pub code: Option<String>,
    /// What sort of refusal it is.
    pub kind: RefusalKind,
}

/// Sorts of refusals, as far as they change what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// The prompt, or it and the answer, are more than the model can hold: the same request fails anywhere.
    ContextTooLong,
    /// The key is wrong, or may not do this.
    Authentication,
    /// Too much in too short a time: it works later.
    RateLimited,
    /// The account is out of money: waiting does not help, another provider does.
    Unpaid,
    /// The provider has too much to do, or is still starting.
    Overloaded,
    /// No such model, or no such path.
    NotFound,
    /// Anything else.
    Other,
}

/// One line is for people to read.
const MESSAGE_CHARS_MAX: usize = 500;

/// How much of a message is looked at: masking shortens it, so more than is shown.
const LOOKED_AT_CHARS_MAX: usize = 4 * MESSAGE_CHARS_MAX;

/// Codes are words; anything longer is not one.
const CODE_CHARS_MAX: usize = 64;

/// How keys of known providers begin: OpenAI, Anthropic and most who copy them; Google's keys and tokens; Groq; xAI;
/// Hugging Face; Perplexity; NVIDIA; Replicate; GitHub.
const KEY_PREFIXES: &[&str] = &[
    "sk-",
    "sk_",
    "AIza",
    "ya29.",
    "AQ.",
    "gsk_",
    "xai-",
    "hf_",
    "pplx-",
    "nvapi-",
    "r8_",
    "ghp_",
    "github_pat_",
];

/// Codes, types and states, in lower case.
const CODES: &[(&str, RefusalKind)] = &[
    ("context_length_exceeded", RefusalKind::ContextTooLong),
    ("exceed_context_size_error", RefusalKind::ContextTooLong),
    ("insufficient_quota", RefusalKind::Unpaid),
    ("billing_error", RefusalKind::Unpaid),
    ("billing_not_active", RefusalKind::Unpaid),
    ("invalid_api_key", RefusalKind::Authentication),
    ("authentication_error", RefusalKind::Authentication),
    ("permission_error", RefusalKind::Authentication),
    ("unauthenticated", RefusalKind::Authentication),
    ("permission_denied", RefusalKind::Authentication),
    ("rate_limit_exceeded", RefusalKind::RateLimited),
    ("rate_limit_error", RefusalKind::RateLimited),
    ("resource_exhausted", RefusalKind::RateLimited),
    ("overloaded_error", RefusalKind::Overloaded),
    ("unavailable_error", RefusalKind::Overloaded),
    ("unavailable", RefusalKind::Overloaded),
    ("server_overloaded", RefusalKind::Overloaded),
    ("model_not_found", RefusalKind::NotFound),
    ("not_found_error", RefusalKind::NotFound),
    ("notfounderror", RefusalKind::NotFound),
    ("not_found", RefusalKind::NotFound),
];

/// What messages say, in lower case, where codes say nothing.
const PHRASES: &[(&str, RefusalKind)] = &[
    ("prompt is too long", RefusalKind::ContextTooLong),
    ("exceed context limit", RefusalKind::ContextTooLong),
    ("maximum context length", RefusalKind::ContextTooLong),
    ("exceeds the context length", RefusalKind::ContextTooLong),
    ("exceeds the available context size", RefusalKind::ContextTooLong),
    ("exceeds the maximum number of tokens", RefusalKind::ContextTooLong),
    ("api key not valid", RefusalKind::Authentication),
    ("invalid api key", RefusalKind::Authentication),
    ("credit balance is too low", RefusalKind::Unpaid),
    ("rate limit", RefusalKind::RateLimited),
    ("overloaded", RefusalKind::Overloaded),
    ("loading model", RefusalKind::Overloaded),
    ("server busy", RefusalKind::Overloaded),
];

/// Reads a body: OpenAI's, Anthropic's and Google's `{"error": {...}}`, Google's in an array, Ollama's
/// `{"error": "..."}`, `{"detail": ...}`, an error object by itself, or plain text.
pub(super) fn read(body: &[u8]) -> Refusal {
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let whole = match &parsed {
        Some(Value::Array(list)) => list.first(),
        other => other.as_ref(),
    };
    let Some(whole) = whole else {
        let plain = String::from_utf8_lossy(&body[..body.len().min(4 * LOOKED_AT_CHARS_MAX)]);
        return refusal(&plain, &[]);
    };
    let error = whole.get("error").filter(|error| !error.is_null()).unwrap_or(whole);
    let codes: Vec<String> = ["code", "type", "status"]
        .iter()
        .filter_map(|name| error.get(name).and_then(Value::as_str))
        .map(|code| shown(code, CODE_CHARS_MAX))
        .filter(|code| !code.is_empty())
        .collect();
    let message = error
        .as_str()
        .or_else(|| error.get("message").and_then(Value::as_str))
        .or_else(|| whole.get("message").and_then(Value::as_str))
        .or_else(|| whole.get("detail").and_then(Value::as_str));
    match message {
        Some(message) => refusal(message, &codes),
        None => refusal(&error.to_string(), &codes),
    }
}

fn refusal(message: &str, codes: &[String]) -> Refusal {
    let message = shown(message, MESSAGE_CHARS_MAX);
    let kind = kind(&message.to_lowercase(), codes);
    let message = if message.is_empty() { "the provider said nothing about why".to_owned() } else { message };
    Refusal { message, code: codes.first().cloned(), kind }
}

/// Codes come first. Phrases are for Anthropic and Google, who give a prompt that is too long and a missing payment the
/// code of any bad request, and for those who have no codes.
fn kind(message: &str, codes: &[String]) -> RefusalKind {
    let by_code = codes.iter().find_map(|code| {
        let code = code.to_lowercase();
        CODES.iter().find(|(known, _)| *known == code).map(|&(_, kind)| kind)
    });
    let by_phrase = PHRASES.iter().find(|(phrase, _)| message.contains(phrase)).map(|&(_, kind)| kind);
    let missing = || {
        let gone = message.contains("model")
            && (message.contains("not found") || message.contains("does not exist"));
        gone.then_some(RefusalKind::NotFound)
    };
    by_code.or(by_phrase).or_else(missing).unwrap_or(RefusalKind::Other)
}

/// `text` on one line, without control characters and keys, at most `chars_max` long.
fn shown(text: &str, chars_max: usize) -> String {
    let line: String = text
        .chars()
        .take(LOOKED_AT_CHARS_MAX)
        .map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c })
        .collect();
    let line = mask(&line.split_whitespace().collect::<Vec<_>>().join(" "));
    match line.char_indices().nth(chars_max) {
        None => line,
        // The last of them becomes the sign that there was more.
        Some(_) => line.chars().take(chars_max - 1).chain(['…']).collect(),
    }
}

/// `text` with what looks like a key replaced by `***`.
fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    let mut previous = "";
    while let Some(start) = rest.find(is_of_word) {
        let (between, from_word) = rest.split_at(start);
        let end = from_word.find(|c| !is_of_word(c)).unwrap_or(from_word.len());
        let (word, after) = from_word.split_at(end);
        masked.push_str(between);
        let key = word.split('/').any(|part| KEY_PREFIXES.iter().any(|prefix| part.starts_with(prefix)))
            || (previous.eq_ignore_ascii_case("bearer") && word.len() >= 8);
        masked.push_str(if key { "***" } else { word });
        previous = word;
        rest = after;
    }
    masked.push_str(rest);
    masked
}

/// What keys are made of. `*` is, because providers quote keys with their middle starred out.
fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '*' | '~' | '+' | '/')
}
