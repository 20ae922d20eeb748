//! The fixtures are called as the suite calls them: names, texts, questions, rounds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::mcp::{Capabilities, Tool};
use protocol::{Cause, Code, TaskSupport};
use serde_json::{Map, Value, json};

use crate::testing::{ALL, Memory, call, context, entries};
use crate::{SERVICE, prompts, resources, samples};

fn nothing() -> protocol::Context {
    context(ALL, Map::new(), None)
}

/// What the suite calls, by its names.
const TOOLS: &[&str] = &[
    "confirm_delete",
    "failing_job",
    "greet",
    "json_schema_2020_12_tool",
    "multi_input",
    "protocol_error_job",
    "slow_compute",
    "test_audio_content",
    "test_custom_header",
    "test_elicitation",
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_embedded_resource",
    "test_error_handling",
    "test_image_content",
    "test_input_required_result_capabilities",
    "test_input_required_result_elicitation",
    "test_input_required_result_list_roots",
    "test_input_required_result_multi_round",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_request_state",
    "test_input_required_result_sampling",
    "test_input_required_result_tampered_state",
    "test_logging_tool",
    "test_missing_capability",
    "test_multiple_content_types",
    "test_reconnection",
    "test_sampling",
    "test_simple_text",
    "test_streaming_elicitation",
    "test_tool_with_logging",
    "test_tool_with_progress",
    "test_tool_with_task",
    "test_trigger_prompt_change",
    "test_trigger_tool_change",
];

#[test]
fn tools_have_the_names_that_the_suite_calls() {
    let entries = entries();
    let names: BTreeSet<_> = entries.iter().map(protocol::Entry::tool_name).collect();
    assert_eq!(names, TOOLS.iter().map(|name| (*name).to_owned()).collect());
    for entry in &entries {
        assert_eq!((entry.service.as_str(), entry.rich), (SERVICE, true), "{}", entry.name);
    }
    let required = entries.iter().filter(|entry| entry.task == TaskSupport::Required);
    let required: BTreeSet<_> = required.map(protocol::Entry::tool_name).collect();
    assert_eq!(required, ["failing_job", "test_tool_with_task"].map(str::to_owned).into());
}

#[tokio::test(start_paused = true)]
async fn content_is_what_the_suite_reads() {
    let text = |text: &str| json!([{ "type": "text", "text": text }]);
    for (tool, params, expected) in [
        ("test_simple_text", json!({}), text("This is a simple text response for testing.")),
        ("greet", json!({ "name": "World" }), text("Hello, World!")),
        ("test_custom_header", json!({ "region": "Hello" }), text("Region: Hello")),
        ("slow_compute", json!({ "seconds": 0, "label": "instant" }), text("instant took 0 s")),
    ] {
        assert_eq!(call(tool, params, nothing()).await.unwrap()["content"], expected, "{tool}");
    }
    for (tool, kinds) in [
        ("test_image_content", vec!["image"]),
        ("test_audio_content", vec!["audio"]),
        ("test_embedded_resource", vec!["resource"]),
        ("test_multiple_content_types", vec!["text", "image", "resource"]),
    ] {
        let reply = call(tool, json!({}), nothing()).await.unwrap();
        let found: Vec<_> = reply["content"].as_array().unwrap().iter().map(|block| &block["type"]).collect();
        assert_eq!(found, kinds, "{tool}");
    }
    let failed = call("test_error_handling", json!({}), nothing()).await.unwrap_err();
    assert_eq!(failed.message, "This tool intentionally returns an error for testing");
    let broken = call("protocol_error_job", json!({}), nothing()).await.unwrap_err();
    assert_eq!(broken.code, Code::Internal);
    assert!(STANDARD.decode(samples::PNG).unwrap().starts_with(b"\x89PNG\r\n"));
    assert!(STANDARD.decode(samples::WAV).unwrap().starts_with(b"RIFF"));
}

#[tokio::test(start_paused = true)]
async fn news_arrive_before_the_answer() {
    for (tool, expected) in [
        ("test_tool_with_logging", "Info \"Tool execution started\""),
        ("test_tool_with_progress", r#"{"progress":0,"total":100}"#),
    ] {
        let memory = Arc::new(Memory::default());
        let connection = Some((Arc::clone(&memory) as Arc<dyn protocol::Outbox>, 1));
        call(tool, json!({}), protocol::Context { connection, ..nothing() }).await.unwrap();
        let news = memory.0.lock().unwrap().clone();
        assert_eq!((news.len(), news[0].as_str()), (3, expected), "{tool}");
    }
}

/// An answer to a question of the suite.
fn answer(request: &Value) -> Value {
    match request["method"].as_str().unwrap() {
        "sampling/createMessage" => {
            json!({ "role": "assistant", "content": { "type": "text", "text": "Paris" }, "model": "m" })
        }
        "roots/list" => json!({ "roots": [{ "uri": "file:///test/root" }] }),
        _ => {
            json!({ "action": "accept", "content": { "name": "Alice", "ok": true, "confirm": true, "color": "blue" } })
        }
    }
}

/// Goes through all rounds, answering `at_once` questions in each; the rounds, and the final text.
async fn rounds(tool: &str, params: &Value, at_once: usize) -> (Vec<Value>, String) {
    let (mut asked, mut answers, mut state) = (Vec::new(), Map::new(), None);
    loop {
        match call(tool, params.clone(), context(ALL, answers, state)).await {
            Ok(reply) => return (asked, reply["content"][0]["text"].as_str().unwrap().to_owned()),
            Err(error) => {
                assert_eq!(error.code, Code::InputRequired, "{tool}: {error}");
                let data = *error.data.unwrap();
                let requests = data["input_requests"].as_object().unwrap();
                answers = requests.iter().take(at_once).map(|(key, r)| (key.clone(), answer(r))).collect();
                state = Some(data["state"].clone()).filter(|state| !state.is_null());
                asked.push(data);
                assert!(asked.len() < 5, "{tool} asks for ever");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn questions_lead_to_answers_round_by_round() {
    for (tool, params, keys, text) in [
        ("test_sampling", json!({ "prompt": "Hi" }), vec!["sampling"], "LLM response: Paris"),
        ("test_elicitation", json!({ "message": "Hi" }), vec!["user"], "User response: action: accept"),
        (
            "test_elicitation_sep1034_defaults",
            json!({}),
            vec!["form"],
            "Elicitation completed: action=accept",
        ),
        ("test_elicitation_sep1330_enums", json!({}), vec!["form"], "Elicitation completed: action=accept"),
        ("test_input_required_result_elicitation", json!({}), vec!["user_name"], "Hello, Alice!"),
        ("test_input_required_result_sampling", json!({}), vec!["capital_question"], "Paris"),
        ("test_input_required_result_list_roots", json!({}), vec!["client_roots"], "Client roots: file:///"),
        ("test_input_required_result_request_state", json!({}), vec!["confirm"], "state-ok"),
        ("test_input_required_result_multi_round", json!({}), vec!["step1", "step2"], "Alice likes blue."),
        ("test_tool_with_task", json!({}), vec!["user_name"], "Hello, Alice!"),
        ("confirm_delete", json!({ "filename": "a.txt" }), vec!["confirm"], "Deleted a.txt"),
    ] {
        let (asked, said) = rounds(tool, &params, 9).await;
        let found: Vec<_> =
            asked.iter().flat_map(|data| data["input_requests"].as_object().unwrap().keys()).collect();
        assert!(found == keys && said.starts_with(text), "{tool}: {found:?} {said}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_may_come_one_by_one_and_states_differ() {
    for (tool, at_once, expected) in [
        ("test_input_required_result_multiple_inputs", 9, 1),
        ("test_input_required_result_multiple_inputs", 1, 3),
        ("multi_input", 1, 2),
        ("multi_input", 2, 1),
    ] {
        let (asked, said) = rounds(tool, &json!({}), at_once).await;
        assert_eq!(asked.len(), expected, "{tool}");
        assert!(said.contains("Alice"), "{tool}: {said}");
        let states: BTreeSet<_> = asked.iter().map(|data| data["state"].to_string()).collect();
        assert_eq!(states.len(), expected, "{tool}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_who_can_be_asked_is_asked() {
    let some = Capabilities { sampling: true, ..Capabilities::default() };
    let refused = |tool: &'static str, capabilities| async move {
        call(tool, json!({}), context(capabilities, Map::new(), None)).await.unwrap_err()
    };
    let asked = refused("test_input_required_result_capabilities", some).await;
    let methods = asked.data.unwrap()["input_requests"]["capital_question"]["method"].clone();
    assert_eq!(methods, "sampling/createMessage");
    for (tool, capabilities) in [
        ("test_missing_capability", Capabilities::default()),
        ("test_input_required_result_elicitation", some),
    ] {
        assert_eq!(refused(tool, capabilities).await.code, Code::MissingCapability, "{tool}");
    }
    assert!(call("test_missing_capability", json!({}), context(some, Map::new(), None)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn work_ends_when_nobody_wants_it_any_more() {
    let context = nothing();
    let (cancel, begun) = (context.cancel.clone(), tokio::time::Instant::now());
    let working = call("slow_compute", json!({ "seconds": 60 }), context);
    let stop = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        cancel.cancel(Cause::Cancelled);
    };
    let (ended, ()) = tokio::join!(working, stop);
    assert_eq!(ended.unwrap_err().code, Code::Cancelled);
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[test]
fn schemas_are_listed_as_the_suite_wants_them() {
    let tool = |name: &str| {
        let entry = entries().into_iter().find(|entry| entry.tool_name() == name).unwrap();
        let tool = Tool::of(&Arc::new(entry));
        (serde_json::from_str::<Value>(&tool.text).unwrap(), tool.headers)
    };
    let (listed, _) = tool("json_schema_2020_12_tool");
    for key in ["$schema", "$defs", "allOf", "if", "then", "else", "additionalProperties"] {
        assert!(listed["inputSchema"].get(key).is_some(), "{key}: {listed}");
    }
    assert_eq!(listed["inputSchema"]["$defs"]["address"]["$anchor"], "addressDef");
    let (listed, headers) = tool("test_custom_header");
    assert_eq!(listed["inputSchema"]["properties"]["region"]["x-mcp-header"], "Region");
    assert_eq!(headers.len(), 1);
}

#[test]
fn prompts_and_resources_are_there() {
    let given = ["arg1", "arg2", "resourceUri"].map(|name| (name.to_owned(), format!("<{name}>"))).into();
    for prompt in prompts() {
        let name = prompt.info().name;
        let outcome = prompt.get(&nothing(), &given);
        if name == "test_input_required_result_prompt" {
            assert_eq!(outcome.unwrap_err().code, Code::InputRequired);
        } else {
            let messages = outcome.unwrap().0["messages"].clone();
            assert!(messages.as_array().is_some_and(|messages| !messages.is_empty()), "{name}");
            let arguments = prompt.info().arguments;
            assert!(arguments.iter().all(|one| messages.to_string().contains(&format!("<{}>", one.name))));
        }
    }
    let resources = resources();
    for resource in resources.list() {
        let read = resources.read(resource["uri"].as_str().unwrap()).unwrap();
        assert!((read["uri"] == resource["uri"]) && (read["text"].is_string() || read["blob"].is_string()));
    }
    let data = resources.read("test://template/123/data").unwrap();
    assert_eq!(data["text"], r#"{"id":"123","templateTest":true,"data":"Data for ID: 123"}"#);
    for none in ["test://nonexistent-resource-for-conformance-testing", "test://template//data", "test://"] {
        assert!(resources.read(none).is_none(), "{none}");
    }
}
