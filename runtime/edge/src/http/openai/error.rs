//! Errors as OpenAI's clients know them: a status by which they choose their exception, and an object that says why.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use protocol::{Code, Error};
use serde_json::{Value, json};

/// The response that refuses a request.
pub(super) fn refuse(error: &Error) -> Response {
    let status = status(error);
    let mut response =
        (status, [(CONTENT_TYPE, "application/json")], object(error).to_string()).into_response();
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"llmbasedos\""));
    }
    if let Some(wait) = datum(error, "retry_after_ms").and_then(Value::as_u64) {
        headers.insert(RETRY_AFTER, wait.div_ceil(1000).into());
    }
    response
}

/// `{"error":{"message","type","param","code"}}`.
pub(super) fn object(error: &Error) -> Value {
    let code = match error.code {
        Code::Authentication => "invalid_api_key",
        Code::LlmNoModel => "model_not_found",
        Code::LlmModelNotAllowed => "model_not_allowed",
        Code::LlmQuotaExceeded => "insufficient_quota",
        Code::RateLimited => "rate_limit_exceeded",
        Code::LlmUpstream => match datum(error, "kind").and_then(Value::as_str) {
            Some("context_too_long") => "context_length_exceeded",
            Some(kind) => kind,
            None => error.code.label(),
        },
        code => code.label(),
    };
    let kind = match status(error).as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    };
    let mut object = json!({ "message": error.message, "type": kind, "param": null, "code": code });
    if let Some(data) = &error.data {
        object["data"] = Value::clone(data);
    }
    json!({ "error": object })
}

fn status(error: &Error) -> StatusCode {
    match error.code {
        Code::Authentication => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied | Code::LlmModelNotAllowed => StatusCode::FORBIDDEN,
        Code::LlmNoModel | Code::MethodNotFound => StatusCode::NOT_FOUND,
        Code::Parse | Code::InvalidRequest | Code::InvalidParams => StatusCode::BAD_REQUEST,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::LlmQuotaExceeded | Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Overloaded | Code::Unavailable | Code::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
        Code::LlmUpstream => of_upstream(error),
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What the provider's trouble is for the caller. That our key is wrong there is not the caller's to mend.
fn of_upstream(error: &Error) -> StatusCode {
    match datum(error, "kind").and_then(Value::as_str).unwrap_or_default() {
        "context_too_long" | "unsupported" => StatusCode::BAD_REQUEST,
        "rate_limited" => StatusCode::TOO_MANY_REQUESTS,
        "timeout" => StatusCode::GATEWAY_TIMEOUT,
        "circuit_open" | "queue_full" | "overloaded" => StatusCode::SERVICE_UNAVAILABLE,
        "refused" if matches!(datum(error, "status").and_then(Value::as_u64), Some(400 | 413 | 422)) => {
            StatusCode::BAD_REQUEST
        }
        _ => StatusCode::BAD_GATEWAY,
    }
}

fn datum<'a>(error: &'a Error, name: &str) -> Option<&'a Value> {
    error.data.as_ref()?.get(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_choose_their_exception_by_the_status() {
        let upstream = |kind: &str| Error::new(Code::LlmUpstream, "x").with_data(json!({ "kind": kind }));
        for (error, wanted, code) in [
            (Error::new(Code::Authentication, "x"), 401, "invalid_api_key"),
            (Error::new(Code::LlmModelNotAllowed, "x"), 403, "model_not_allowed"),
            (Error::new(Code::LlmNoModel, "x"), 404, "model_not_found"),
            (Error::invalid_params("x"), 400, "invalid_params"),
            (Error::new(Code::LlmQuotaExceeded, "x"), 429, "insufficient_quota"),
            (upstream("context_too_long"), 400, "context_length_exceeded"),
            (upstream("rate_limited"), 429, "rate_limited"),
            (upstream("timeout"), 504, "timeout"),
            (upstream("circuit_open"), 503, "circuit_open"),
            (upstream("authentication"), 502, "authentication"),
            (Error::internal("x"), 500, "internal"),
        ] {
            assert_eq!(status(&error).as_u16(), wanted, "{error:?}");
            assert_eq!(object(&error)["error"]["code"], code, "{error:?}");
        }
    }

    #[test]
    fn who_must_wait_is_told_how_long() {
        let error = Error::new(Code::LlmQuotaExceeded, "x").with_data(json!({ "retry_after_ms": 1500 }));
        assert_eq!(refuse(&error).headers()[RETRY_AFTER], "2");
    }
}
