//! How many tokens a text has, where no provider has said it: counted as OpenAI's current models do (o200k). Other
//! models' vocabularies differ by some tens of percent; what they used is settled from their own count.

use std::sync::atomic::{AtomicBool, Ordering};

use protocol::Error;
use serde_json::Value;

/// Above this the rest is taken to be like the beginning: a count takes a millisecond for each 16 KiB.
const COUNTED_MAX: usize = 256 * 1024;

/// Longer texts are not counted on a thread that answers others.
const AT_ONCE_MAX: usize = 8 * 1024;

/// What a message costs beside its text (OpenAI's cookbook, "How to count tokens").
const PER_MESSAGE: u64 = 4;

/// What a picture costs at most (OpenAI, high detail, 1024 pixels square).
const PER_IMAGE: u64 = 1105;

/// How many tokens a prompt may have by the provider's own count: its vocabulary is another, and it puts the messages
/// into a template of its own. What is too much comes back when the call is settled.
pub(crate) fn at_most(prompt: u64) -> u64 {
    prompt + prompt / 4 + 16
}

/// Tokens of a text.
pub(crate) fn count(text: &str) -> u64 {
    let mut end = text.len().min(COUNTED_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let counted = tiktoken_rs::o200k_base_singleton().encode_ordinary(&text[..end]).len() as u64;
    if end == text.len() { counted } else { counted.saturating_mul(text.len() as u64).div_ceil(end as u64) }
}

/// Tokens of a chat: its messages and the tools that go with them. What takes long is counted on a thread that may take
/// its time.
pub(crate) async fn of_chat(messages: &[Value], tools: Option<&Value>) -> Result<u64, Error> {
    let (text, images) = text_of(messages, tools);
    let beside = PER_MESSAGE * messages.len() as u64 + PER_IMAGE * images;
    Ok(count_anywhere(text).await? + beside)
}

/// Tokens of a text, however long it is.
pub(crate) async fn count_anywhere(text: String) -> Result<u64, Error> {
    // The first count reads the vocabulary, which takes a third of a second.
    static READY: AtomicBool = AtomicBool::new(false);
    if text.len() <= AT_ONCE_MAX && READY.load(Ordering::Relaxed) {
        return Ok(count(&text));
    }
    let counted = tokio::task::spawn_blocking(move || {
        let counted = count(&text);
        READY.store(true, Ordering::Relaxed);
        counted
    });
    counted.await.map_err(|error| Error::internal(format!("counting tokens: {error}")))
}

/// All text of a chat, and how many pictures are in it.
fn text_of(messages: &[Value], tools: Option<&Value>) -> (String, u64) {
    let (mut text, mut images) = (String::new(), 0);
    for message in messages {
        for member in ["content", "tool_calls", "name", "refusal"] {
            match &message[member] {
                Value::Null => {}
                Value::String(part) => text.push_str(part),
                Value::Array(parts) if member == "content" => {
                    for part in parts {
                        match part["text"].as_str() {
                            Some(part) => text.push_str(part),
                            None => images += 1,
                        }
                    }
                }
                other => text.push_str(&other.to_string()),
            }
            text.push('\n');
        }
    }
    if let Some(tools) = tools {
        text.push_str(&tools.to_string());
    }
    (text, images)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_counted_as_the_published_vocabulary_does() {
        // OpenAI's tokenizer page gives these for o200k.
        for (text, tokens) in [("", 0), ("hello world", 2), ("antidisestablishmentarianism", 6)] {
            assert_eq!(count(text), tokens, "{text}");
        }
    }

    #[test]
    fn what_is_too_long_is_taken_to_be_like_its_beginning() {
        let text = "word ".repeat(COUNTED_MAX);
        let counted = count(&text);
        let expected = COUNTED_MAX as u64;
        assert!(counted.abs_diff(expected) < expected / 100, "{counted}");
    }

    #[tokio::test]
    async fn a_chat_is_its_texts_its_pictures_and_its_tools() {
        let picture = json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } });
        let plain = [json!({ "role": "user", "content": "hello world" })];
        let seen =
            [json!({ "role": "user", "content": [{ "type": "text", "text": "hello world" }, picture] })];
        let (plain, seen) = (of_chat(&plain, None).await.unwrap(), of_chat(&seen, None).await.unwrap());
        assert_eq!(seen, plain + PER_IMAGE);
        let tools = json!([{ "type": "function", "function": { "name": "f" } }]);
        let asked = [json!({ "role": "user", "content": "hello world" })];
        assert!(of_chat(&asked, Some(&tools)).await.unwrap() > plain);
    }
}
