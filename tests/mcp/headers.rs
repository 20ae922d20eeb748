//! A modern request states its circumstances itself, in its body and again in headers that must agree with it.

use harness::{Daemon, run};
use serde_json::{Value, json};

use crate::fixtures;
use crate::http::{Host, MODERN, meta, tool, with};

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// A `tools/list` with this `_meta`, under these headers.
async fn list(host: &Host, meta: Value) -> (u16, Value) {
    let body = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": { "_meta": meta } });
    let response = host.send("POST", &body.to_string()).await;
    (response.status, response.json().await)
}

#[test]
fn what_a_request_says_of_itself_is_checked() {
    run(async {
        let daemon = Daemon::start().await;
        let host = Host::owner(&daemon).but("MCP-Protocol-Version", MODERN).but("Mcp-Method", "tools/list");
        let changed = |key: &str, value: Value| {
            let mut meta = meta();
            meta[key] = value;
            meta
        };
        let (status, fine) = list(&host, meta()).await;
        assert_eq!(
            (status, &fine["id"], &fine["result"]["resultType"]),
            (200, &json!(7), &json!("complete"))
        );
        assert_eq!(fine["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "llmbasedos");
        let named = changed("io.modelcontextprotocol/clientInfo", json!({ "name": "n", "version": "1" }));
        assert_eq!(list(&host, named).await.0, 200, "clientInfo is welcome, and not required");

        let mut without_capabilities = meta();
        without_capabilities.as_object_mut().expect("an object").remove(CAPABILITIES);
        for (why, meta, code) in [
            ("no _meta", Value::Null, -32602),
            ("no version", json!({ CAPABILITIES: {} }), -32602),
            ("no capabilities", without_capabilities, -32602),
            ("capabilities that are none", changed(CAPABILITIES, json!(5)), -32602),
            ("a version that is none", changed(VERSION, json!(5)), -32602),
            ("a token that is none", changed("progressToken", json!(1.5)), -32602),
        ] {
            let (status, answer) = list(&host, meta).await;
            assert_eq!((status, &answer["error"]["code"]), (400, &json!(code)), "{why}: {answer}");
            assert_eq!(answer["id"], 7, "{why}");
        }
        let (_, loud) = list(&host, changed("io.modelcontextprotocol/logLevel", json!("loud"))).await;
        assert_eq!(loud["error"]["code"], -32602, "an unknown log level: {loud}");
        for unserved in ["1999-01-01", "2025-11-25"] {
            let host = host.but("MCP-Protocol-Version", unserved);
            let (status, answer) = list(&host, changed(VERSION, json!(unserved))).await;
            let error = &answer["error"];
            assert_eq!((status, &error["code"]), (400, &json!(-32022)), "{answer}");
            assert_eq!(error["data"]["requested"], unserved);
            assert!(error["data"]["supported"].as_array().is_some_and(|all| all.contains(&json!(MODERN))));
        }
    });
}

#[test]
fn headers_that_are_missing_or_contradict_the_body_are_refused() {
    run(async {
        let daemon = fixtures("").await;
        let host = Host::owner(&daemon).but("MCP-Protocol-Version", MODERN).but("Mcp-Method", "tools/call");
        let call = |name: &str, arguments: Value| {
            let params = with(tool(name, arguments), meta());
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string()
        };
        let greet = call("greet", json!({ "name": "Ada" }));
        let good = host.but("mcp-name", "greet");
        for fine in [
            good.clone(),
            host.but("Mcp-Name", "=?base64?Z3JlZXQ=?="),
            good.but("Mcp-Session-Id", "no such"),
            good.but("Last-Event-ID", "9-9"),
        ] {
            let response = fine.send("POST", &greet).await;
            assert_eq!(response.status, 200, "{:?}: {}", fine.headers, response.head);
            assert_eq!(response.json().await["result"]["content"][0]["text"], "Hello, Ada!");
        }
        for (why, wrong) in [
            ("no name", host.clone()),
            ("another name", host.but("Mcp-Name", "fs_list")),
            ("the name in other letters", host.but("Mcp-Name", "Greet")),
            ("base64 that is none", host.but("Mcp-Name", "=?base64?!!?=")),
            ("no version", good.but("MCP-Protocol-Version", "")),
            ("another version", good.but("MCP-Protocol-Version", "2025-11-25")),
            ("no method", good.but("Mcp-Method", "")),
            ("another method", good.but("Mcp-Method", "tools/list")),
        ] {
            assert_eq!(wrong.send("POST", &greet).await.refused().await, (400, -32020), "{why}");
        }
        let region = host.but("Mcp-Name", "test_custom_header");
        let custom = call("test_custom_header", json!({ "region": "eu" }));
        assert_eq!(region.but("mcp-param-region", "eu").send("POST", &custom).await.status, 200);
        for (why, wrong) in [("missing", region.clone()), ("different", region.but("Mcp-Param-Region", "us"))]
        {
            assert_eq!(wrong.send("POST", &custom).await.refused().await, (400, -32020), "{why}");
        }
    });
}

#[test]
fn methods_that_the_modern_revision_does_not_have_are_not_found() {
    run(async {
        let daemon = Daemon::start().await;
        let host = Host::owner(&daemon);
        for method in [
            "no/such",
            "initialize",
            "ping",
            "logging/setLevel",
            "resources/subscribe",
            "resources/unsubscribe",
            "tasks/result",
            "tasks/list",
            "mcp.hello",
        ] {
            assert_eq!(host.modern(method, json!({})).await.refused().await, (404, -32601), "{method}");
        }
        // A notification is accepted, and that is all.
        let sent = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": with(json!({ "requestId": 1 }), meta()) });
        let response = host.but("MCP-Protocol-Version", MODERN).send("POST", &sent.to_string()).await;
        assert_eq!((response.status, response.text().await.as_str()), (202, ""));
    });
}

#[test]
fn discover_says_what_there_is_and_lists_say_how_long_they_are_good() {
    run(async {
        let daemon = fixtures("").await;
        let host = Host::owner(&daemon);
        let found = host.ok("server/discover", json!({})).await;
        assert_eq!(found["supportedVersions"][0], MODERN);
        assert_eq!(found["supportedVersions"].as_array().map(Vec::len), Some(5));
        for capability in ["tools", "resources", "prompts", "completions", "logging", "extensions"] {
            assert!(found["capabilities"][capability].is_object(), "{capability}: {found}");
        }
        assert!(found["instructions"].as_str().is_some_and(|text| text.len() < 2048));
        for (method, params) in [
            ("server/discover", json!({})),
            ("tools/list", json!({})),
            ("prompts/list", json!({})),
            ("resources/list", json!({})),
            ("resources/templates/list", json!({})),
            ("resources/read", json!({ "uri": "test://static-text" })),
        ] {
            let result = host.ok(method, params).await;
            assert!(result["ttlMs"].is_u64(), "{method}: {result}");
            assert!(
                matches!(result["cacheScope"].as_str(), Some("public" | "private")),
                "{method}: {result}"
            );
            assert_eq!(result["resultType"], "complete", "{method}");
            assert_eq!(
                result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "llmbasedos",
                "{method}"
            );
        }
        for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
            assert_eq!(
                host.ask(method, json!({ "cursor": "rubbish" })).await["error"]["code"],
                -32602,
                "{method}"
            );
            host.ok(method, json!({ "cursor": "" })).await;
        }
    });
}

#[test]
fn what_is_not_there_is_said_in_the_protocols_own_numbers() {
    run(async {
        let daemon = fixtures("").await;
        let host = Host::owner(&daemon);
        for (method, params) in [
            ("tools/call", tool("no_such_tool", json!({}))),
            ("tools/call", json!({ "name": "fs_list", "arguments": [] })),
            ("prompts/get", json!({ "name": "no-such-prompt" })),
            ("prompts/get", json!({ "name": "test_prompt_with_arguments", "arguments": {} })),
            ("resources/read", json!({ "uri": "file:///no/such" })),
            ("resources/read", json!({ "uri": "file:///../../etc/passwd" })),
            ("resources/read", json!({ "uri": "gopher://x" })),
            (
                "completion/complete",
                json!({ "ref": { "type": "ref/prompt", "name": "none" }, "argument": { "name": "a", "value": "" } }),
            ),
        ] {
            let answer = host.ask(method, params.clone()).await;
            assert_eq!(answer["error"]["code"], -32602, "{method} {params}: {answer}");
            if method == "resources/read" {
                assert_eq!(answer["error"]["data"]["uri"], params["uri"], "{answer}");
            }
        }
        let wrong = host.ok("tools/call", tool("fs_read", json!({ "path": 5 }))).await;
        assert_eq!(wrong["isError"], true, "the model reads what was wrong with its input: {wrong}");
        let unable = host.modern("tools/call", tool("test_missing_capability", json!({}))).await;
        assert_eq!(unable.status, 400);
        let unable = unable.json().await;
        assert_eq!(unable["error"]["code"], -32021);
        assert_eq!(unable["error"]["data"]["requiredCapabilities"], json!({ "sampling": {} }));
    });
}
