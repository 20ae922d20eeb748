//! `mcp.prompts.*`: files in a folder, seen as they come and go, and what `serve --conformance` adds.

use harness::{Client, Daemon, Setup, run, until};
use serde_json::{Value, json};

async fn names(client: &Client) -> Vec<String> {
    let listed = client.ok("mcp.prompts.list", json!({})).await;
    let prompts = listed["prompts"].as_array().expect("a list");
    prompts.iter().map(|prompt| prompt["name"].as_str().expect("a name").to_owned()).collect()
}

async fn text(client: &Client, name: &str, arguments: Value) -> String {
    let reply = client.ok("mcp.prompts.get", json!({ "name": name, "arguments": arguments })).await;
    reply["messages"][0]["content"]["text"].as_str().expect("a text").to_owned()
}

const HELLO: &str =
    "---\ndescription: Greets.\narguments: [{name: who, required: true}]\n---\nGreet {{who}}.\n";

#[test]
fn a_prompt_is_offered_as_soon_as_its_file_is_there_and_until_it_goes() {
    run(async {
        let daemon = Daemon::start().await;
        let client = daemon.client().await;
        assert_eq!(names(&client).await, ["find-and-read", "summarize-folder", "tidy-notes"]);
        let file = |name: &str| daemon.dir().join("prompts").join(name);
        std::fs::write(file("hello.md"), HELLO).expect("a prompt");
        until("it is offered", async || names(&client).await.contains(&"hello".to_owned())).await;
        assert_eq!(text(&client, "hello", json!({ "who": "{{who}}" })).await, "Greet {{who}}.");

        std::fs::write(file("hello.md"), HELLO.replace("Greet", "Welcome")).expect("an edit");
        until("the edit counts", async || {
            text(&client, "hello", json!({ "who": "Ada" })).await == "Welcome Ada."
        })
        .await;

        std::fs::write(file("broken.md"), HELLO.replace("{{who}}", "{{whom}}")).expect("a mistake");
        daemon.logged("broken.md:5: has {{whom}}").await;
        assert!(names(&client).await.contains(&"hello".to_owned()));

        std::fs::remove_file(file("hello.md")).expect("it is there");
        until("it is gone", async || !names(&client).await.contains(&"hello".to_owned())).await;
        let params = json!({ "name": "hello", "arguments": {} });
        assert_eq!(client.code("mcp.prompts.get", params).await, -32602);
    });
}

#[test]
fn a_folder_that_is_made_later_is_read_too_and_the_watch_survives_its_actor() {
    run(async {
        let daemon = Setup { settings: "prompts_dir: mine\n".to_owned(), ..Setup::default() }.start().await;
        let client = daemon.client().await;
        let folder = daemon.dir().join("mine");
        for name in ["one", "two"] {
            std::fs::create_dir(&folder).expect("a folder");
            let file = folder.join(name).with_extension("md");
            std::fs::write(file, HELLO).expect("a prompt");
            until(name, async || names(&client).await.contains(&name.to_owned())).await;
            client.ok("mcp.admin.restart", json!(["prompts-watch"])).await;
            std::fs::remove_dir_all(&folder).expect("it is there");
            until("it is gone", async || !names(&client).await.contains(&name.to_owned())).await;
        }
        // Another folder under its name, and changes in that one.
        let other = daemon.dir().join("other");
        std::fs::create_dir_all(&folder).expect("a folder");
        until("it is empty", async || !names(&client).await.contains(&"two".to_owned())).await;
        std::fs::create_dir(&other).expect("a folder");
        std::fs::write(other.join("three.md"), HELLO).expect("a prompt");
        std::fs::rename(&folder, daemon.dir().join("away")).expect("it moves");
        std::fs::rename(&other, &folder).expect("it moves");
        until("three", async || names(&client).await.contains(&"three".to_owned())).await;
        std::fs::write(folder.join("four.md"), HELLO).expect("a prompt");
        until("four", async || names(&client).await.contains(&"four".to_owned())).await;
    });
}

#[test]
fn fixtures_of_the_conformance_suite_are_there_only_when_asked_for() {
    run(async {
        let daemon = Daemon::start().await;
        let client = daemon.client().await;
        assert_eq!(client.code("mcp.test.simple_text", json!({})).await, -32601);
        assert!(!names(&client).await.contains(&"test_simple_prompt".to_owned()));

        let arguments = vec!["--conformance".to_owned()];
        let daemon = Setup { arguments, ..Setup::default() }.start().await;
        let client = daemon.client().await;
        let reply = client.ok("mcp.greet", json!({ "name": "Ada" })).await;
        assert_eq!(reply["content"][0]["text"], "Hello, Ada!");
        // Nobody is behind a caller of this dialect who could be asked.
        assert_eq!(client.code("mcp.test.elicitation", json!(["Who?"])).await, -32068);
        assert_eq!(client.code("mcp.test.missing_capability", json!({})).await, -32068);
        for there in [true, false] {
            client.ok("mcp.test.trigger_tool_change", json!({})).await;
            client.ok("mcp.test.trigger_prompt_change", json!({})).await;
            assert_eq!(client.call("mcp.test.extra_tool", json!({})).await.is_ok(), there);
            let names = names(&client).await;
            assert!(names.contains(&"test_simple_prompt".to_owned()));
            assert_eq!(names.contains(&"test_extra_prompt".to_owned()), there);
        }
    });
}
