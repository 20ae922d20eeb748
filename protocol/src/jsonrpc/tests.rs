//! What is read, and what is written, byte by byte.

use super::*;

/// Parses one frame and shows the outcome in a line: `id method params`, or `id !code`.
fn shown(frame: &[u8]) -> String {
    let one = |outcome: &Result<Request, Rejected>| match outcome {
        Ok(request) => format!(
            "{} {} {}",
            request.id.as_ref().map_or("-".into(), ToString::to_string),
            request.method,
            request.params.as_ref().map_or("-", |p| p.get()),
        ),
        Err(rejected) => format!("{} !{}", rejected.id, rejected.error.code.number()),
    };
    match parse(frame, 3) {
        Message::Single(outcome) => one(&outcome),
        Message::Batch(members) => members.iter().map(one).collect::<Vec<_>>().join(" | "),
    }
}

#[track_caller]
fn check(frame: impl AsRef<[u8]>, expected: &str) {
    assert_eq!(shown(frame.as_ref()), expected);
}

#[test]
fn requests_and_notifications() {
    check(r#"{"jsonrpc":"2.0","id":1,"method":"m"}"#, "1 m -");
    check(r#" {"jsonrpc":"2.0","id":"a\"b","method":"m","params":[1]}"#, "a\"b m [1]");
    check(r#"{"jsonrpc":"2.0","id":null,"method":"m","params":{}}"#, "null m {}");
    check(r#"{"jsonrpc":"2.0","method":"m"}"#, "- m -");
    check(r#"{"jsonrpc":"2.0","id":18446744073709551615,"method":"m"}"#, "18446744073709551615 m -");
    check(r#"{"jsonrpc":"2.0","id":1,"method":"m","extra":true}"#, "1 m -");
}

#[test]
fn what_is_not_json() {
    check("", "null !-32700");
    check("{", "null !-32700");
    check("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}}", "null !-32700");
    check(b"\xff\xfe", "null !-32700");
    check("[1,", "null !-32700");
    check("NaN", "null !-32700");
}

#[test]
fn what_is_not_a_request() {
    for bad in ["1", "null", "\"x\"", "[]", "{}"] {
        check(bad, "null !-32600");
    }
    check(r#"{"jsonrpc":"1.0","id":1,"method":"m"}"#, "1 !-32600");
    check(r#"{"id":1,"method":"m"}"#, "1 !-32600");
    check(r#"{"jsonrpc":"2.0","id":1}"#, "1 !-32600");
    check(r#"{"jsonrpc":"2.0","id":1,"method":""}"#, "1 !-32600");
    check(r#"{"jsonrpc":"2.0","id":1,"method":5}"#, "1 !-32600");
    check(r#"{"jsonrpc":"2.0","id":1,"result":5}"#, "1 !-32600");
    check(r#"{"jsonrpc":"2.0","id":1.5,"method":"m"}"#, "null !-32600");
    check(r#"{"jsonrpc":"2.0","id":{},"method":"m"}"#, "null !-32600");
    check(r#"{"jsonrpc":"2.0","id":18446744073709551616,"method":"m"}"#, "null !-32600");
    check(r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}"#, "null !-32600");
    check(r#"{"jsonrpc":"2.0","id":1,"method":"m","params":null}"#, "1 !-32602");
    check(r#"{"jsonrpc":"2.0","id":1,"method":"m","params":"x"}"#, "1 !-32602");
}

#[test]
fn batches() {
    check(
        r#"[{"jsonrpc":"2.0","id":1,"method":"m"},1,{"jsonrpc":"2.0","method":"n"}]"#,
        "1 m - | null !-32600 | - n -",
    );
    check("[1,1,1,1]", "null !-32600");
    check("[1,1,1,1", "null !-32700");
    check("[1,1,1]]", "null !-32700");
    check(r#"[["2.0",1,"m"], [], [[]]]"#, "null !-32600 | null !-32600 | null !-32600");
}

#[test]
fn a_hundred_thousand_levels_are_refused_not_crashed_on() {
    check("[".repeat(100_000), "null !-32700");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    check(&deep, "null !-32600");
    let params = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{deep}}}"#);
    // Raw params are not walked into here; the typed parse refuses the depth.
    assert!(shown(params.as_bytes()).starts_with("1 m [["));
}

#[test]
fn answers_to_requests_of_ours_are_told_from_requests() {
    let read = |text: &str| parse_response(text.as_bytes()).map(|response| (response.id, response.outcome));
    assert_eq!(
        read(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
        Some((Id::Integer(1), Ok(serde_json::json!({}))))
    );
    assert_eq!(read(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#).unwrap().1.unwrap_err()["code"], 1);
    for other in [
        r#"{"jsonrpc":"2.0","id":1,"method":"m","result":1}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","result":1}"#,
        r#"{"jsonrpc":"1.0","id":1,"result":1}"#,
        r#"[{"jsonrpc":"2.0","id":1,"result":1}]"#,
        "{",
    ] {
        assert_eq!(read(other), None, "{other}");
    }
}

#[test]
fn answers_are_written_without_a_second_pass() {
    let mut out = String::new();
    write_result(&mut out, &Id::Text("a\"".into()), r#"{"x":1}"#);
    assert_eq!(out, r#"{"jsonrpc":"2.0","id":"a\"","result":{"x":1}}"#);
    out.clear();
    write_error(&mut out, &Id::Null, &Error::cancelled());
    assert_eq!(out, r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32063,"message":"Cancelled."}}"#);
    out.clear();
    write_progress(&mut out, &Id::Integer(7), "1");
    assert_eq!(out, r#"{"jsonrpc":"2.0","method":"mcp.progress","params":{"id":7,"value":1}}"#);
}
