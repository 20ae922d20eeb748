//! Results that would flood a model's context: cut, said to be so, and kept whole for whoever they were made for.

use harness::{Daemon, run};
use serde_json::{Value, json};

use crate::http::{Host, meta, tool, with};

#[test]
fn a_large_result_is_cut_and_kept_for_its_caller_alone() {
    run(async {
        let daemon = Daemon::start().await;
        let host = Host::owner(&daemon);
        let stranger = Host::new(&daemon, &daemon.token_for("stranger", &[]).await);
        let content = "word ".repeat(40_000);
        std::fs::write(daemon.file("large.txt"), &content).expect("a file");
        let call = tool("fs_read", json!({ "path": "/large.txt" }));
        let listed = host.ok("tools/list", json!({})).await;
        let known = listed["tools"].as_array().expect("a list").iter().find(|tool| tool["name"] == "fs_read");
        let schema =
            jsonschema::draft202012::new(&known.expect("it is listed")["outputSchema"]).expect("a schema");

        let result = host.ok("tools/call", call.clone()).await;
        assert!(result.to_string().len() < 110_000, "{}", result.to_string().len());
        assert_eq!(result["isError"], false);
        let note = result["content"][0]["text"].as_str().expect("a note");
        assert!(note.contains("bytes") && note.contains("limit"), "it says what to do: {note}");
        assert!(schema.is_valid(&result["structuredContent"]), "{}", result["structuredContent"]);
        let links = result["content"].as_array().expect("blocks").iter();
        let link = links.clone().find(|block| block["type"] == "resource_link").expect("a link");
        let uri = json!({ "uri": link["uri"] });
        let whole = host.ok("resources/read", uri.clone()).await;
        let whole: Value =
            serde_json::from_str(whole["contents"][0]["text"].as_str().expect("a text")).expect("the result");
        assert_eq!(whole["content"].as_str().map(str::len), Some(content.len()));
        let refused = stranger.ask("resources/read", uri.clone()).await;
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
        let session = stranger.open("2025-11-25").await;
        let refused = session.legacy(json!(1), "resources/read", uri).await.answer().await;
        assert_eq!(refused["error"]["code"], -32002, "{refused}");

        let mut more = meta();
        more["llmbasedos/maxResultBytes"] = json!(1_000_000);
        let result = host.ok("tools/call", with(call.clone(), more)).await;
        assert_eq!(result["structuredContent"]["content"].as_str().map(str::len), Some(content.len()));
        assert!(schema.is_valid(&result["structuredContent"]));
        let mut less = meta();
        less["llmbasedos/maxResultBytes"] = json!(10_000);
        let result = host.ok("tools/call", with(call.clone(), less)).await;
        assert!(result.to_string().len() < 16_000, "{}", result.to_string().len());

        // Older clients know no links; the note names the resource.
        let session = host.open("2025-03-26").await;
        let old = session.legacy(json!(1), "tools/call", call).await.answer().await;
        assert!(old["result"].get("structuredContent").is_none());
        assert!(
            old["result"]["content"][0]["text"]
                .as_str()
                .is_some_and(|text| text.contains("llmbasedos://results/"))
        );
    });
}
