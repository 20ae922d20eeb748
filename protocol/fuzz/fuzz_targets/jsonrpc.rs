//! No bytes make the parser panic; what it takes for a request is one, and is the same after being written again;
//! what is answered is JSON under the id that was asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::jsonrpc::{self, Id, Message, Rejected, Request};
use protocol::{Code, Error};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};

const BATCH_MAX: usize = 5;

#[derive(Deserialize)]
struct Answer<'a> {
    id: Id,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<IgnoredAny>,
}

fuzz_target!(|frame: &[u8]| {
    match jsonrpc::parse(frame, BATCH_MAX) {
        Message::Single(outcome) => check(&outcome, std::str::from_utf8(frame).unwrap_or_default()),
        Message::Batch(outcomes) => {
            let text = std::str::from_utf8(frame).expect("a batch is JSON");
            let members: Vec<&RawValue> = serde_json::from_str(text).expect("a batch is an array");
            assert!(!outcomes.is_empty() && outcomes.len() <= BATCH_MAX && outcomes.len() == members.len());
            outcomes.iter().zip(members).for_each(|(outcome, member)| check(outcome, member.get()));
        }
    }
});

fn check(outcome: &Result<Request, Rejected>, text: &str) {
    match outcome {
        Ok(request) => {
            again(request);
            answers(request.id.as_ref().unwrap_or(&Id::Null), request.params.as_deref(), &Error::cancelled());
        }
        Err(rejected) => {
            let code = rejected.error.code;
            assert!(matches!(code, Code::Parse | Code::InvalidRequest | Code::InvalidParams), "{code:?}");
            answers(&rejected.id, None, &rejected.error);
        }
    }
    // JSON that a `Value` cannot hold (too deep, numbers too large) is judged by nobody else here.
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        match outcome {
            Ok(_) => assert!(is_request(&value, true), "{text}"),
            Err(rejected) if rejected.error.message.contains("duplicate field") => {}
            Err(_) => assert!(!is_request(&value, false), "{text}"),
        }
    }
}

/// Whether it is a request, by the specification; `lenient` about the ways to write an integer.
fn is_request(value: &Value, lenient: bool) -> bool {
    let Some(object) = value.as_object() else { return false };
    let id = match object.get("id") {
        None | Some(Value::Null | Value::String(_)) => true,
        Some(Value::Number(number)) => lenient || number.is_i64() || number.is_u64(),
        _ => false,
    };
    let params = matches!(object.get("params"), None | Some(Value::Array(_) | Value::Object(_)));
    let method = object.get("method").and_then(Value::as_str).is_some_and(|method| !method.is_empty());
    id && params && method && object.get("jsonrpc") == Some(&json!("2.0"))
}

/// Written again and read again it is the same.
fn again(request: &Request) {
    let method = json!(request.method);
    let mut text = format!(r#"{{"jsonrpc":"2.0","method":{method}"#);
    if let Some(id) = &request.id {
        text += &format!(r#","id":{}"#, serde_json::to_string(id).expect("an id can be written"));
    }
    if let Some(params) = &request.params {
        text += &format!(r#","params":{params}"#);
    }
    text.push('}');
    let Message::Single(Ok(read)) = jsonrpc::parse(text.as_bytes(), BATCH_MAX) else {
        panic!("{text} is not read");
    };
    assert_eq!((&read.id, &read.method), (&request.id, &request.method));
    assert_eq!(read.params.as_deref().map(RawValue::get), request.params.as_deref().map(RawValue::get));
}

/// Every answer is JSON, under the id, with what was to be said.
fn answers(id: &Id, result: Option<&RawValue>, error: &Error) {
    let result = result.map_or("null", RawValue::get);
    let mut out = String::new();
    jsonrpc::write_result(&mut out, id, result);
    let answer: Answer<'_> = serde_json::from_str(&out).expect("a result is JSON");
    assert_eq!(&answer.id, id);
    assert!(answer.error.is_none() && answer.result.map_or("null", RawValue::get) == result);
    out.clear();
    jsonrpc::write_error(&mut out, id, error);
    let answer: Answer<'_> = serde_json::from_str(&out).expect("an error is JSON");
    assert!(&answer.id == id && answer.error.is_some() && answer.result.is_none());
    out.clear();
    jsonrpc::write_progress(&mut out, id, result);
    serde_json::from_str::<IgnoredAny>(&out).expect("news is JSON");
}
