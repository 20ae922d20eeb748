//! Asking a language model: `llm`, whose answer is shown as it comes.

use std::time::Duration;

use serde_json::{Value, json};

use super::options::Given;
use crate::failure::Failure;
use crate::render::Format;
use crate::session::{Flow, Session};

/// A model on a slow machine may think for minutes before its first word.
const PATIENCE: Duration = Duration::from_mins(5);

pub(super) async fn llm(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    let mut words = given.texts();
    let model = words.first().and_then(|word| word.strip_prefix('@')).map(ToOwned::to_owned);
    if model.is_some() {
        words.remove(0);
    }
    if words.is_empty() {
        return Err(Failure::Usage("llm: what is the question?".to_owned()));
    }
    let people = session.screen.format == Format::People;
    let params = json!({
        "messages": [{ "role": "user", "content": words.join(" ") }],
        "options": { "model": model, "stream": people },
    });
    let mut said = false;
    let result = session
        .call_with("mcp.llm.chat", &params, PATIENCE.max(session.patience), |screen, news| {
            match written(news) {
                Some(text) => {
                    said = true;
                    screen.piece(text)
                }
                None => Ok(()),
            }
        })
        .await;
    if said {
        session.screen.own("")?;
    }
    let result = result?;
    if !people {
        session.screen.value(&result)?;
    }
    Ok(Flow::Continue)
}

/// The text of one part of an answer.
fn written(news: &Value) -> Option<&str> {
    news["content"]["choices"][0]["delta"]["content"].as_str().filter(|text| !text.is_empty())
}
