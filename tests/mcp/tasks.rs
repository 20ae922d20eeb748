//! The tasks extension: calls that outlast their request, for clients that said that they take one for an answer.

use harness::{run, until};
use serde_json::{Value, json};

use crate::fixtures;
use crate::http::{Host, able, tool, with};
use crate::streams::ended;

fn tasks() -> Value {
    able(json!({ "elicitation": {}, "extensions": { "io.modelcontextprotocol/tasks": {} } }))
}

async fn begin(host: &Host, name: &str, arguments: Value) -> Value {
    let task = host.ok("tools/call", with(tool(name, arguments), tasks())).await;
    assert_eq!(task["resultType"], "task", "{task}");
    task
}

async fn ask(host: &Host, method: &str, id: &Value, more: Value) -> Value {
    let mut params = with(json!({ "taskId": id }), tasks());
    for (key, value) in more.as_object().into_iter().flatten() {
        params[key] = value.clone();
    }
    host.ask(method, params).await
}

/// Waits until the task is in this state.
async fn comes(host: &Host, id: &Value, status: &str) -> Value {
    let mut task = Value::Null;
    until(&format!("it is {status}"), async || {
        task = ask(host, "tasks/get", id, json!({})).await["result"].clone();
        task["status"] == status
    })
    .await;
    task
}

#[test]
fn a_task_is_its_callers_alone_and_can_be_cancelled_as_often_as_one_likes() {
    run(async {
        let daemon = fixtures("").await;
        let host = Host::owner(&daemon);
        let stranger = Host::new(&daemon, &daemon.token_for("stranger", &[]).await);
        let task = begin(&host, "slow_compute", json!({ "seconds": 100 })).await;
        let id = &task["taskId"];
        assert_eq!(task["status"], "working", "{task}");
        assert_eq!(task["statusMessage"], "0 of 100 s", "what the call said of itself: {task}");
        for time in ["createdAt", "lastUpdatedAt"] {
            assert!(
                task[time].as_str().is_some_and(|text| text.contains('T') && text.ends_with('Z')),
                "{task}"
            );
        }
        for span in ["ttlMs", "pollIntervalMs"] {
            assert!(task[span].as_u64() > Some(0), "{task}");
        }
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            assert_eq!(ask(&stranger, method, id, json!({})).await["error"]["code"], -32602, "{method}");
            assert_eq!(
                ask(&host, method, &json!("none"), json!({})).await["error"]["code"],
                -32602,
                "{method}"
            );
            let unable = host.modern(method, with(json!({ "taskId": id }), able(json!({})))).await;
            assert_eq!(unable.refused().await, (400, -32021), "{method}");
            let unnamed = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": with(json!({ "taskId": id }), tasks()) });
            let unnamed = host
                .but("MCP-Protocol-Version", "2026-07-28")
                .but("Mcp-Method", method)
                .send("POST", &unnamed.to_string())
                .await;
            assert_eq!(unnamed.refused().await, (400, -32020), "{method} without Mcp-Name");
        }
        for _ in 0..2 {
            let done = ask(&host, "tasks/cancel", id, json!({})).await;
            assert_eq!(done["result"]["resultType"], "complete", "{done}");
        }
        comes(&host, id, "cancelled").await;
        until("the work stops", async || ended(&daemon, "mcp.slow.compute", "cancelled") == 1).await;
    });
}

#[test]
fn a_task_ends_with_a_result_an_error_or_a_question() {
    run(async {
        let daemon = fixtures("").await;
        let host = Host::owner(&daemon);
        let [works, fails, breaks, asks] = [
            begin(&host, "slow_compute", json!({ "seconds": 1 })).await,
            begin(&host, "failing_job", json!({})).await,
            begin(&host, "protocol_error_job", json!({})).await,
            begin(&host, "confirm_delete", json!({ "filename": "x" })).await,
        ]
        .map(|task| task["taskId"].clone());
        let done = comes(&host, &works, "completed").await;
        assert_eq!(done["result"]["content"][0]["text"], "The work took 1 s", "{done}");
        assert_eq!(comes(&host, &fails, "completed").await["result"]["isError"], true);
        assert_eq!(comes(&host, &breaks, "failed").await["error"]["code"], -32603);
        let asking = comes(&host, &asks, "input_required").await;
        assert_eq!(asking["inputRequests"]["confirm"]["method"], "elicitation/create", "{asking}");
        for responses in [json!({}), json!({ "other": { "action": "accept" } })] {
            ask(&host, "tasks/update", &asks, json!({ "inputResponses": responses })).await;
            assert_eq!(comes(&host, &asks, "input_required").await["taskId"], asks, "it is still asking");
        }
        let yes = json!({ "confirm": { "action": "accept", "content": { "confirm": true } } });
        ask(&host, "tasks/update", &asks, json!({ "inputResponses": yes })).await;
        assert_eq!(comes(&host, &asks, "completed").await["result"]["content"][0]["text"], "Deleted x");
        // What is over cannot be cancelled any more, which is no error.
        assert!(ask(&host, "tasks/cancel", &works, json!({})).await["result"].is_object());
        comes(&host, &works, "completed").await;
    });
}

#[test]
fn who_did_not_ask_for_tasks_gets_none() {
    run(async {
        let daemon = fixtures("").await;
        let host = Host::owner(&daemon);
        let plain = host.ok("tools/call", tool("slow_compute", json!({ "seconds": 1 }))).await;
        assert_eq!(plain["content"][0]["text"], "The work took 1 s");
        let required = host.modern("tools/call", tool("failing_job", json!({}))).await;
        assert_eq!(required.status, 400);
        let required = required.json().await;
        assert_eq!(required["error"]["code"], -32021, "{required}");
        let named = &required["error"]["data"]["requiredCapabilities"]["extensions"];
        assert!(named["io.modelcontextprotocol/tasks"].is_object(), "{required}");
        let quick = host.ok("tools/call", with(tool("slow_compute", json!({ "seconds": 0 })), tasks())).await;
        assert_eq!(quick["resultType"], "complete", "what is done at once is no task: {quick}");
        let session = host.open("2025-11-25").await;
        let call = with(tool("slow_compute", json!({ "seconds": 1 })), json!({}));
        let answer = session.legacy(json!(1), "tools/call", call).await.answer().await;
        assert_eq!(answer["result"]["content"][0]["text"], "The work took 1 s", "{answer}");
    });
}
