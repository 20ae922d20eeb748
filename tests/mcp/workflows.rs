//! Workflows as hosts see them: tools that come and go with their files, and runs as resources.

use std::sync::Arc;

use harness::{Setup, run, until};
use serde_json::{Value, json};

use crate::peer::Peer;

const DOUBLE: &str = "
description: Doubles a number.
inputs: {n: {type: integer}}
steps: [{id: said, log: 'twice {{ inputs.n }}'}, {id: made, set: {twice: '{{ inputs.n * 2 }}'}}]
outputs: {twice: '{{ vars.twice }}'}
";

#[test]
fn a_workflow_is_a_tool_and_its_run_a_resource() {
    run(async {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let setup = Setup::default();
        setup.lay_out(folder.path()).await;
        std::fs::write(folder.path().join("workflows/double.yaml"), DOUBLE).expect("a file");
        let daemon = setup.start_in(folder).await;
        let mut peer = Peer::unix_lines(&daemon).await;
        peer.open("2025-11-25").await;
        let mut tool = Value::Null;
        until("it is offered", async || {
            let listed = daemon.client().await.ok("mcp.hello", json!({})).await;
            listed.to_string().contains("mcp.agent.workflow.double")
        })
        .await;
        let mut cursor = Value::Null;
        loop {
            let params = if cursor.is_null() { json!({}) } else { json!({ "cursor": cursor }) };
            let listed = peer.ask(1, "tools/list", params).await["result"].clone();
            for one in listed["tools"].as_array().expect("tools") {
                if one["name"] == "agent_workflow_double" {
                    tool = one.clone();
                }
            }
            cursor = listed["nextCursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(tool["inputSchema"]["properties"]["n"]["type"], "integer", "{tool}");
        let called = json!({ "name": "agent_workflow_double", "arguments": { "n": 21 } });
        let answer = peer.ask(2, "tools/call", called).await["result"].clone();
        assert!(answer["content"][0]["text"].as_str().is_some_and(|text| text.contains("42")), "{answer}");

        let runs = daemon.client().await.ok("mcp.agent.listRuns", json!({})).await;
        let uri = format!("run://{}", runs["runs"][0]["execution_id"].as_str().expect("a run"));
        let read = peer.ask(3, "resources/read", json!({ "uri": uri })).await;
        let text = read["result"]["contents"][0]["text"].as_str().unwrap_or_default();
        assert!(
            text.contains("twice 21") && text.contains("\"twice\":42"),
            "its log and what came of it: {read}"
        );
        let templates = peer.ask(4, "resources/templates/list", json!({})).await;
        assert!(templates.to_string().contains("run://{execution_id}"), "{templates}");
        for bad in ["run://exec_000000000000", "run://", "run://../x"] {
            let error = peer.ask(5, "resources/read", json!({ "uri": bad })).await;
            assert_eq!(error["error"]["code"], -32002, "{bad}: {error}");
        }
    });
}
