//! What providers say when they fail: in a refusal, in a stream, and by saying nonsense.

use crate::wire::{Assembler, Protocol, RefusalKind, WireError};

#[track_caller]
fn check_refusal(body: &str, message: &str, code: Option<&str>, kind: RefusalKind) {
    let refusal = Protocol::OpenAi.refusal(body.as_bytes());
    assert_eq!((refusal.message.as_str(), refusal.code.as_deref(), refusal.kind), (message, code, kind));
}

#[test]
fn known_refusals_are_told_apart() {
    use RefusalKind::{Authentication, ContextTooLong, NotFound, Other, Overloaded, RateLimited, Unpaid};
    check_refusal(
        r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":4096}}"#,
        "the request exceeds the available context size",
        Some("exceed_context_size_error"),
        ContextTooLong,
    );
    check_refusal(
        r#"{"error":{"message":"Too long.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
        "Too long.",
        Some("context_length_exceeded"),
        ContextTooLong,
    );
    check_refusal(
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
        "prompt is too long: 210000 tokens > 200000 maximum",
        Some("invalid_request_error"),
        ContextTooLong,
    );
    check_refusal(
        r#"{"error":{"code":400,"message":"The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}"#,
        "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
        Some("INVALID_ARGUMENT"),
        ContextTooLong,
    );
    check_refusal(
        r#"{"object":"error","message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","code":400}"#,
        "This model's maximum context length is 4096 tokens.",
        Some("BadRequestError"),
        ContextTooLong,
    );
    check_refusal(
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        "Overloaded",
        Some("overloaded_error"),
        Overloaded,
    );
    check_refusal(
        r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
        "Loading model",
        Some("unavailable_error"),
        Overloaded,
    );
    check_refusal(
        r#"{"type":"error","error":{"type":"rate_limit_error","message":"Slower."}}"#,
        "Slower.",
        Some("rate_limit_error"),
        RateLimited,
    );
    check_refusal(
        r#"[{"error":{"code":429,"message":"Quota.","status":"RESOURCE_EXHAUSTED"}}]"#,
        "Quota.",
        Some("RESOURCE_EXHAUSTED"),
        RateLimited,
    );
    check_refusal(
        r#"{"error":{"message":"Pay.","type":"insufficient_quota","code":"insufficient_quota"}}"#,
        "Pay.",
        Some("insufficient_quota"),
        Unpaid,
    );
    check_refusal(
        r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}"#,
        "API key not valid. Please pass a valid API key.",
        Some("INVALID_ARGUMENT"),
        Authentication,
    );
    check_refusal(
        r#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#,
        "Invalid API Key",
        Some("authentication_error"),
        Authentication,
    );
    check_refusal(r#"{"error":"model 'x' not found"}"#, "model 'x' not found", None, NotFound);
    check_refusal(r#"{"detail":"Not Found"}"#, "Not Found", None, Other);
    check_refusal("<html>502\r\n\tBad Gateway</html>", "<html>502 Bad Gateway</html>", None, Other);
    check_refusal("", "the provider said nothing about why", None, Other);
    check_refusal("\u{0}\u{1b}[31m", "[31m", None, Other);
}

#[track_caller]
fn check_masked(said: &str, shown: &str) {
    check_refusal(&serde_json::json!({"error": said}).to_string(), shown, None, RefusalKind::Other);
}

#[test]
fn keys_are_masked() {
    check_masked("Incorrect key: sk-abcd1234. Sorry", "Incorrect key: *** Sorry");
    check_masked("Incorrect key: sk-proj-ab**********cd", "Incorrect key: ***");
    check_masked(
        "header 'Authorization: Bearer abcdef0123456789' is bad",
        "header 'Authorization: Bearer ***' is bad",
    );
    check_masked("https://example.org/v1?key=AIzaSyA-1_2", "https://example.org/v1?key=***");
    check_masked("path/sk-ant-api03-xyz", "***");
    check_masked("a bearer of news, risk-free", "a bearer of news, risk-free");
}

#[test]
fn a_code_may_not_carry_a_key_either() {
    let refusal = Protocol::OpenAi.refusal(br#"{"error":{"message":"no","code":"sk-abcdef"}}"#);
    assert_eq!(refusal.code.as_deref(), Some("***"));
}

#[test]
fn messages_are_bounded() {
    for body in ["é".repeat(100_000), format!(r#"{{"error":"{}"}}"#, "é".repeat(100_000))] {
        let message = Protocol::Gemini.refusal(body.as_bytes()).message;
        assert_eq!(message.chars().count(), 500);
        assert!(message.ends_with('…'));
    }
}

#[track_caller]
fn check_piece(protocol: Protocol, data: &str, expected: &WireError) {
    assert_eq!(&protocol.stream("m", 0, "id").piece(data).unwrap_err(), expected);
}

#[test]
fn an_error_in_a_stream_is_the_providers_failure() {
    let failed = WireError::Failed("It broke, with *** in hand.".to_owned());
    let error = r#"{"error":{"message":"It broke, with sk-12345678 in hand.","type":"server_error"}}"#;
    check_piece(Protocol::OpenAi, error, &failed);
    check_piece(Protocol::Gemini, error, &failed);
    check_piece(Protocol::Ollama, r#"{"error":"It broke, with sk-12345678 in hand."}"#, &failed);
    let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"It broke, with sk-12345678 in hand."}}"#;
    check_piece(Protocol::Anthropic, error, &failed);
    let mut assembler = Assembler::default();
    assert_eq!(assembler.take(r#"{"error":{"message":"It broke, with sk-12345678 in hand."}}"#), Err(failed));
}

#[test]
fn an_error_with_status_200_is_the_providers_failure() {
    for protocol in [Protocol::OpenAi, Protocol::Anthropic, Protocol::Gemini, Protocol::Ollama] {
        let error = protocol.completion(br#"{"error":{"message":"It broke."}}"#, "m", 0, "id").unwrap_err();
        assert_eq!(error, WireError::Failed("It broke.".to_owned()), "{protocol:?}");
        let error = protocol.completion(b"{\"choi", "m", 0, "id").unwrap_err();
        assert!(matches!(error, WireError::Broken(_)), "{protocol:?}: {error:?}");
        let error = protocol.completion(b"{}", "m", 0, "id").unwrap_err();
        assert!(matches!(error, WireError::Broken(_)), "{protocol:?}: {error:?}");
    }
}

#[test]
fn nonsense_is_named_and_not_quoted() {
    let said = |data| Protocol::OpenAi.stream("m", 0, "id").piece(data).unwrap_err().to_string();
    assert_eq!(
        said(r#"{"choices":[{"delta":{"content":"secret"#),
        "the provider sent what is not its protocol: JSON that ends too early at line 1 column 39"
    );
    assert_eq!(said("<html>"), "the provider sent what is not its protocol: broken JSON at line 1 column 1");
    assert_eq!(
        said(r#"{"choices":7}"#),
        "the provider sent what is not its protocol: a field of an unexpected type at line 1 column 12"
    );
}

#[test]
fn calls_that_gemini_could_not_finish_are_failures() {
    let data = r#"{"candidates":[{"content":{"parts":[]},"finishReason":"MALFORMED_FUNCTION_CALL"}]}"#;
    let expected =
        "the model stopped with MALFORMED_FUNCTION_CALL: ask again, or give it fewer or simpler tools";
    check_piece(Protocol::Gemini, data, &WireError::Failed(expected.to_owned()));
}

#[test]
fn an_answer_has_an_end() {
    let chunk = |index: u64| {
        format!(r#"{{"choices":[{{"index":{index},"delta":{{"tool_calls":[{{"index":{index}}}]}}}}]}}"#)
    };
    let mut assembler = Assembler::default();
    for index in 0..128 {
        assembler.take(&chunk(index)).unwrap();
    }
    let error = assembler.take(&chunk(u64::MAX)).unwrap_err();
    assert_eq!(error.to_string(), "the provider sent more answers than one answer can have");
    let long = format!(r#"{{"choices":[{{"delta":{{"content":"{}"}}}}]}}"#, "a".repeat(1024 * 1024));
    let mut assembler = Assembler::default();
    let error = (0..9).find_map(|_| assembler.take(&long).err()).unwrap();
    assert_eq!(error.to_string(), "the provider sent more text than one answer can have");
}
