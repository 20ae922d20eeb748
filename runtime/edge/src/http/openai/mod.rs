//! `/v1`: OpenAI's own dialect, for every program that speaks it (<https://platform.openai.com/docs/api-reference>).
//! Each request is one call of a native method, under the same token, tier and quota; only its shape is another.

mod answer;
mod call;
mod error;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Path, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use protocol::{Caller, Code, Error, Way};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use self::call::Call;
use self::error::refuse;
use super::Visitor;
use crate::Shared;

/// The fields of a body as they came, in their order.
type Fields<'a> = indexmap::IndexMap<String, &'a RawValue>;

/// `POST /v1/chat/completions`.
pub(super) async fn chat(
    State(shared): State<Arc<Shared>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (caller, body) = match admitted(&shared, &visitor, &headers, body).await {
        Ok(admitted) => admitted,
        Err(refusal) => return refusal,
    };
    let (params, stream) = match fields(&body).and_then(|fields| {
        let stream = fields.get("stream").is_some_and(|stream| stream.get() == "true");
        Ok((params(fields, "messages")?, stream))
    }) {
        Ok(read) => read,
        Err(error) => return refuse(&error),
    };
    let call = Call::begin(&shared, &caller, "mcp.llm.chat", params);
    if stream { call.stream().await } else { call.whole(|answer| answer).await }
}

/// `POST /v1/embeddings`.
pub(super) async fn embeddings(
    State(shared): State<Arc<Shared>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (caller, body) = match admitted(&shared, &visitor, &headers, body).await {
        Ok(admitted) => admitted,
        Err(refusal) => return refusal,
    };
    match fields(&body).and_then(|fields| params(fields, "input")) {
        Ok(params) => Call::begin(&shared, &caller, "mcp.llm.embed", params).whole(|answer| answer).await,
        Err(error) => refuse(&error),
    }
}

/// `GET /v1/models`.
pub(super) async fn models(
    State(shared): State<Arc<Shared>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Response {
    let caller = match identified(&shared, &visitor, &headers).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal,
    };
    let call = Call::begin(&shared, &caller, "mcp.llm.models", empty());
    call.whole(|answer| json!({ "object": "list", "data": listed(&answer) }).to_string()).await
}

/// `GET /v1/models/NAME`.
pub(super) async fn model(
    State(shared): State<Arc<Shared>>,
    Extension(visitor): Extension<Visitor>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let caller = match identified(&shared, &visitor, &headers).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal,
    };
    let answer = match Call::begin(&shared, &caller, "mcp.llm.models", empty()).outcome().await {
        Ok(answer) => answer,
        Err(error) => return refuse(&error),
    };
    let Some(model) = listed(&answer).into_iter().find(|model| model["id"] == name.as_str()) else {
        let shown: String = name.chars().take(64).collect();
        let text = format!("The model '{shown}' does not exist, or you may not use it.");
        return refuse(&Error::new(Code::LlmNoModel, text));
    };
    ([(CONTENT_TYPE, "application/json")], model.to_string()).into_response()
}

/// Models as OpenAI lists them.
fn listed(answer: &str) -> Vec<Value> {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let models = answer["models"].as_array().into_iter().flatten();
    models
        .map(|model| json!({ "id": model["alias"], "object": "model", "created": 0, "owned_by": model["provider"] }))
        .collect()
}

/// Who asks, and what.
async fn admitted(
    shared: &Shared,
    visitor: &Visitor,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Arc<Caller>, Bytes), Response> {
    let caller = identified(shared, visitor, headers).await?;
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(refuse(&Error::new(Code::InvalidRequest, "Content-Type must be application/json.")));
    }
    let limit = shared.limits.frame_bytes;
    match tokio::time::timeout(shared.limits.call, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok((caller, bytes)),
        Ok(Err(_)) => {
            let text = format!("Message longer than {limit} bytes (limits.frame_bytes), or cut off.");
            Err(refuse(&Error::new(Code::TooLarge, text)))
        }
        Err(_) => Err(refuse(&Error::new(Code::DeadlineExceeded, "The body did not arrive in time."))),
    }
}

async fn identified(
    shared: &Shared,
    visitor: &Visitor,
    headers: &HeaderMap,
) -> Result<Arc<Caller>, Response> {
    if let Err(turned_away) = shared.hosts.check(headers) {
        return Err(refuse(&Error::new(Code::PermissionDenied, turned_away.to_string())));
    }
    let who = visitor.credentials(headers, Way::Http);
    shared.dispatch.identify(who).await.map_err(|error| refuse(&error))
}

fn fields(body: &[u8]) -> Result<Fields<'_>, Error> {
    serde_json::from_slice(body).map_err(|error| {
        Error::new(Code::InvalidRequest, format!("The body must be a JSON object: {error}."))
    })
}

/// The params of a native method: `first`, and all other fields as options. What is in them is not read here.
fn params(mut fields: Fields<'_>, first: &str) -> Result<Box<RawValue>, Error> {
    let Some(given) = fields.shift_remove(first) else {
        return Err(Error::invalid_params(format!("'{first}' is missing")));
    };
    let mut text = format!("{{\"{first}\":{},\"options\":{{", given.get());
    for (at, (name, value)) in fields.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(text, "{comma}{}:{}", json!(name), value.get());
    }
    text.push_str("}}");
    RawValue::from_string(text).map_err(Error::internal)
}

fn empty() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).expect("it is JSON")
}
