//! The embedding model of this machine: the real one, in its own process, for callers and for the search.

use std::os::unix::fs::symlink;

use harness::{Setup, run};
use serde_json::json;

use crate::daemon;

#[test]
fn without_a_provider_the_machines_own_model_embeds_and_searches() {
    run(async {
        let daemon = daemon("", Setup::default()).await;
        let client = daemon.client().await;
        let missing = client.call("mcp.llm.embed", json!({ "input": "a text" })).await.expect_err("not yet");
        assert_eq!((&missing["code"], &missing["data"]["kind"]), (&json!(-32051), &json!("not_installed")));
        assert!(missing["message"].as_str().is_some_and(|text| text.contains("make model")), "{missing}");

        symlink(harness::models(), daemon.dir().join("state/models")).expect("a link");
        let texts =
            json!({ "input": ["a cat sat on a mat", "a kitten lay on a rug", "shares fell in Tokyo"] });
        let made = client.ok("mcp.llm.embed", texts).await;
        let vector = |n: usize| -> Vec<f64> {
            let parts = made["data"][n]["embedding"].as_array().expect("a vector");
            parts.iter().map(|part| part.as_f64().expect("a number")).collect()
        };
        let cosine = |one: usize, other: usize| {
            vector(one).iter().zip(vector(other)).map(|(one, other)| one * other).sum::<f64>()
        };
        assert_eq!(vector(0).len(), 384);
        assert!(cosine(0, 1) > cosine(0, 2) + 0.3, "{} {}", cosine(0, 1), cosine(0, 2));
        let used = client.ok("mcp.llm.usage", json!({})).await;
        assert_eq!(used["usage"][0]["model"], "local");
        assert_eq!(used["today"]["tokens"], made["usage"]["total_tokens"]);

        for (path, text) in [
            ("/pets.md", "A kitten lay on the rug and slept all afternoon."),
            ("/money.md", "Shares in Tokyo fell after the central bank spoke."),
        ] {
            client.ok("mcp.fs.write", json!({ "path": path, "content": text })).await;
        }
        let done = client.ok("mcp.fs.embed", json!({ "path": "/", "recursive": true })).await;
        assert_eq!(done["status"], "ok", "{done}");
        let status = client.ok("mcp.fs.indexStatus", json!({})).await.to_string();
        let host = daemon.dir().to_str().expect("UTF-8").to_owned();
        assert!(status.contains("all-MiniLM-L6-v2 by ONNX Runtime"), "{status}");
        assert!(![status, missing.to_string()].concat().contains(&host), "no path of the host is told");
        let asked = json!({ "query": "where does the young cat rest", "mode": "semantic" });
        let found = client.ok("mcp.fs.search", asked).await;
        assert_eq!(found["results"][0]["path"], "/pets.md", "{found}");
        // A change is found without being asked for.
        let text = json!({ "path": "/trip.md", "content": "Our train to the mountains leaves at seven." });
        client.ok("mcp.fs.write", text).await;
        harness::until("the new file is found by what it means", async || {
            let asked = json!({ "query": "rail journey to the alps", "mode": "semantic", "top_k": 1 });
            client.ok("mcp.fs.search", asked).await["results"][0]["path"] == "/trip.md"
        })
        .await;
    });
}

#[test]
fn a_model_that_was_cut_off_is_said_to_be_and_words_are_found_all_the_same() {
    run(async {
        let daemon = daemon("", Setup::default()).await;
        let models = daemon.dir().join("state/models");
        for part in ["all-MiniLM-L6-v2", "onnxruntime"] {
            std::fs::create_dir_all(models.join(part)).expect("a folder");
            for file in std::fs::read_dir(harness::models().join(part)).expect("it is there") {
                let file = file.expect("a file");
                symlink(file.path(), models.join(part).join(file.file_name())).expect("a link");
            }
        }
        let model = models.join("all-MiniLM-L6-v2/model.onnx");
        let whole = std::fs::read(&model).expect("it is there");
        std::fs::remove_file(&model).expect("a link of ours");
        std::fs::write(&model, &whole[..whole.len() / 2]).expect("there is room");

        let client = daemon.client().await;
        let text = json!({ "path": "/pets.md", "content": "A kitten lay on the rug." });
        client.ok("mcp.fs.write", text).await;
        let done = client.ok("mcp.fs.embed", json!({ "path": "/", "recursive": true })).await;
        let status = done["status"].as_str().expect("a status");
        assert!(
            status.contains("words only") && status.contains("damaged") && status.contains("make model"),
            "{done}"
        );
        let found = client.ok("mcp.fs.search", json!({ "query": "kitten rug" })).await;
        assert_eq!(found["results"][0]["path"], "/pets.md", "{found}");
        assert!(found["without_meaning"].as_str().is_some_and(|why| why.contains("damaged")), "{found}");
        let refused = client.call("mcp.fs.search", json!({ "query": "x", "mode": "semantic" })).await;
        assert_eq!(refused.expect_err("by words only")["data"]["kind"], "no_meaning");
        // Mended, it is used without a restart.
        std::fs::write(&model, whole).expect("there is room");
        harness::until("meaning counts", async || {
            let asked = json!({ "query": "young cat", "mode": "semantic" });
            client
                .call("mcp.fs.search", asked)
                .await
                .is_ok_and(|found| found["results"][0]["path"] == "/pets.md")
        })
        .await;
    });
}
