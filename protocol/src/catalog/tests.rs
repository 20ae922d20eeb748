//! What one declaration becomes: how its params are read, its result is shaped, and it is shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::*;
use crate::error::Code;
use crate::testing::{block_on, context};

/// Joins words.
///
/// The second paragraph is wrapped
/// over two lines.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Join {
    /// What to join.
    words: Vec<String>,
    /// What stands | between
    /// them.
    #[serde(default)]
    between: String,
}

/// The result.
#[derive(Serialize, JsonSchema)]
struct Joined {
    /// All words.
    text: String,
    /// Only where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
}

impl Method for Join {
    const NAME: &'static str = "mcp.words.joinThem";
    const TIER: Tier = Tier::Free;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;
    const ORIGINAL_FIELD: Option<&'static str> = Some("text");

    type Reply = Joined;
    type Service = ();

    async fn call(self, _: &Context, (): &()) -> Result<Joined, Error> {
        Ok(Joined { text: self.words.join(&self.between), first: self.words.into_iter().next() })
    }
}

/// Needs nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Method for Nothing {
    const NAME: &'static str = "mcp.nothing";
    const TIER: Tier = Tier::Elite;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;

    type Reply = Joined;
    type Service = ();

    async fn call(self, _: &Context, (): &()) -> Result<Joined, Error> {
        Err(Error::internal("nobody calls this"))
    }
}

/// Is not what it says it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Waits {}

impl Method for Waits {
    const NAME: &'static str = "mcp.waits";
    const TIER: Tier = Tier::Elite;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Inline;

    type Reply = Joined;
    type Service = ();

    async fn call(self, _: &Context, (): &()) -> Result<Joined, Error> {
        std::future::pending().await
    }
}

fn declared<M: Method<Service = ()>>() -> Entry {
    crate::entry::<M>(&())
}

/// A backend's method, which answers with the params that reach it.
#[expect(clippy::needless_pass_by_value, reason = "tests read better without &")]
fn remote(params: Value) -> Entry {
    let echo = |_, params: Value| -> BoxFuture<'static, _> {
        Box::pin(async move { Ok(Payload::Owned(params.to_string())) })
    };
    Entry::remote("mcp.echo.say".into(), "Says it again.".into(), &params, &json!({}), echo).unwrap()
}

fn raw(text: &str) -> Option<Box<RawValue>> {
    (!text.is_empty()).then(|| serde_json::from_str(text).unwrap())
}

/// Reads `params` (empty: absent) and shows what the method gets, or the error's text.
#[track_caller]
fn check(entry: &Entry, params: &str, expected: Result<Value, &str>) {
    match (entry.read(raw(params).as_deref()), expected) {
        (Ok(got), Ok(expected)) => assert_eq!(got, expected, "{params}"),
        (Err(error), Err(part)) => {
            assert_eq!(error.code, Code::InvalidParams);
            assert!(error.message.contains(part), "{params}: {}", error.message);
        }
        (got, expected) => panic!("{params}: {got:?}, not {expected:?}"),
    }
}

#[test]
fn params_are_read_by_name_and_by_position() {
    let join = declared::<Join>();
    assert_eq!(join.positions, ["words", "between"]);
    check(&join, r#"{"words":["a"],"between":"-"}"#, Ok(json!({"words": ["a"], "between": "-"})));
    check(&join, r#"[["a"],"-"]"#, Ok(json!({"words": ["a"], "between": "-"})));
    check(&join, r#"[["a"]]"#, Ok(json!({"words": ["a"]})));
    check(&join, r#"[["a"],"-",1]"#, Err("takes at most 2 (words, between), got 3"));
}

#[test]
fn what_does_not_fit_is_named() {
    let join = declared::<Join>();
    for absent in ["", "[]", "{}"] {
        check(&join, absent, Err("\"words\" is a required property"));
    }
    check(&join, r#"{"words":["a",5]}"#, Err("'words/1': 5 is not of type \"string\""));
    check(&join, r#"{"words":[],"betwen":""}"#, Err("'betwen' was unexpected"));
    check(&join, "[1]", Err("'words': 1 is not of type \"array\""));
    check(&join, &format!("{}1{}", "[".repeat(200), "]".repeat(200)), Err("unreadable"));
}

#[test]
fn an_error_stays_short_whatever_was_sent() {
    let junk = "x".repeat(1 << 20);
    for params in [format!(r#"{{"words":"{junk}"}}"#), format!(r#"{{"{junk}":1,"words":1}}"#)] {
        let error = declared::<Join>().read(raw(&params).as_deref()).unwrap_err();
        assert!(error.message.len() < 2000, "{} bytes", error.message.len());
    }
}

#[test]
fn nothing_is_an_empty_object_where_that_is_enough() {
    for params in ["", "[]", "{}", "[ ]", "{ }"] {
        check(&declared::<Nothing>(), params, Ok(json!({})));
    }
    check(&declared::<Nothing>(), "[1]", Err("takes no params, got 1"));
}

#[test]
fn the_originals_tuple_schemas_check_arrays_as_they_come() {
    let tuple = json!({ "type": "array", "items": [{ "type": "string" }, { "enum": ["a", "b"] }],
        "minItems": 1, "maxItems": 2 });
    let say = remote(tuple);
    assert!(say.positions.is_empty());
    check(&say, r#"["x"]"#, Ok(json!(["x"])));
    check(&say, r#"["x","b"]"#, Ok(json!(["x", "b"])));
    check(&say, r#"["x","c"]"#, Err("'1': "));
    check(&say, "[1]", Err("'0': 1 is not of type \"string\""));
    check(&say, r#"["x","b",1]"#, Err("more than 2 items"));
    check(&say, "", Err("less than 1 item"));
    check(&say, r#"{"text":"x"}"#, Err("is not of type \"array\""));
}

#[test]
fn an_empty_object_is_an_empty_array_where_only_arrays_fit() {
    let none = remote(json!({ "type": "array", "maxItems": 0 }));
    for params in ["", "[]", "{}"] {
        check(&none, params, Ok(json!([])));
    }
    check(&none, "[1]", Err("more than 0 items"));
}

#[test]
fn a_backend_that_takes_objects_gets_its_names_by_position_too() {
    let schema = json!({ "type": "object", "properties": { "b": { "type": "string" }, "a": {} } });
    let say = remote(schema);
    assert_eq!(say.positions, ["b", "a"]);
    check(&say, r#"["x",1]"#, Ok(json!({"b": "x", "a": 1})));
    check(&say, r#"{"a":1}"#, Ok(json!({"a": 1})));
    check(&say, "", Ok(json!({})));
}

#[test]
fn a_backend_that_says_nothing_gets_params_as_they_come() {
    for schema in [json!({}), json!(true), json!({ "type": ["array", "object"] })] {
        let say = remote(schema);
        check(&say, "", Ok(json!([])));
        check(&say, "[1]", Ok(json!([1])));
        check(&say, r#"{"a":1}"#, Ok(json!({"a": 1})));
    }
}

#[test]
fn by_position_the_result_is_the_originals() {
    let call = |params, shape| {
        block_on(declared::<Join>().invoke(context(shape), raw(params))).unwrap().as_str().to_owned()
    };
    assert_eq!(call(r#"[["a","b"],"-"]"#, Shape::Original), r#""a-b""#);
    assert_eq!(call(r#"{"words":["a"]}"#, Shape::Named), r#"{"text":"a","first":"a"}"#);
    assert_eq!(call(r#"{"words":[]}"#, Shape::Named), r#"{"text":""}"#);
}

#[test]
fn schemas_are_closed_and_without_noise() {
    let join = declared::<Join>();
    assert_eq!(
        join.params(),
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "words": { "description": "What to join.", "type": "array", "items": { "type": "string" } },
                "between": { "description": "What stands | between them.", "type": "string", "default": "" },
            },
            "required": ["words"],
        })
    );
    assert_eq!(join.result()["additionalProperties"], false);
    assert_eq!(join.result()["required"], json!(["text"]), "what may be left out is not required");
    assert_eq!(join.description, "Joins words.\n\nThe second paragraph is wrapped over two lines.");
}

#[test]
fn a_tool_is_named_after_its_method() {
    assert_eq!(declared::<Join>().tool_name(), "words_join_them");
    assert_eq!(declared::<Nothing>().tool_name(), "nothing");
    let named = |name: &str| Entry { name: name.into(), ..declared::<Nothing>() }.tool_name();
    assert_eq!(named("mcp.mcp.say-it"), "mcp_say_it");
}

#[test]
fn a_name_is_given_once_and_a_service_goes_as_a_whole() {
    let mut catalog = Catalog::default();
    catalog.add(declared::<Join>()).unwrap();
    catalog.add(declared::<Nothing>()).unwrap();
    assert_eq!(catalog.add(declared::<Join>()).unwrap_err().0, "mcp.words.joinThem");
    assert_eq!(catalog.services(), ["gateway", "words"]);
    catalog.remove_service("words");
    assert!(catalog.get("mcp.words.joinThem").is_none() && catalog.get("mcp.nothing").is_some());
}

#[test]
fn the_manual_and_the_capability_file_show_it() {
    let mut catalog = Catalog::default();
    catalog.add(declared::<Join>()).unwrap();
    let manual = catalog.manual();
    for line in [
        "### mcp.words.joinThem",
        "Tool `words_join_them` · from FREE · read-only",
        "| `words` | array of string | required | What to join. |",
        r#"| `between` | string | `""` | What stands \| between them. |"#,
        "| -32601 | method_not_found | No such method, or not for this caller. |",
    ] {
        assert!(manual.contains(line), "{line} is not in\n{manual}");
    }
    let file = catalog.capability_file("words", "About words.", "1.0");
    assert_eq!(file["capabilities"][0]["method"], "mcp.words.joinThem");
    assert_eq!(file["capabilities"][0]["annotations"]["readOnlyHint"], true);
    assert_eq!(catalog.capability_file("others", "", "")["capabilities"], json!([]));
}

#[test]
fn an_inline_method_is_answered_at_once_or_not_at_all() {
    let now =
        |entry: &Entry, params: &str| entry.try_now(&context(Shape::Named), raw(params).as_deref(), true);
    let joined = now(&declared::<Join>(), r#"{"words":["a"]}"#).unwrap().unwrap();
    assert_eq!(joined.as_str(), r#"{"text":"a","first":"a"}"#);
    assert_eq!(now(&declared::<Join>(), "{}").unwrap().unwrap_err().code, Code::InvalidParams);
    assert_eq!(now(&declared::<Waits>(), "").unwrap().unwrap_err().code, Code::Internal);
    assert!(now(&remote(json!({})), "").is_none());
}
