//! The gateway's own methods, in the original's shapes by position and as objects by name, for each caller his own.

use harness::{Client, Setup, run};
use serde_json::{Value, json};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn hello_is_the_originals_list_by_position_and_an_object_by_name() {
    run(async {
        let daemon = Setup::default().start().await;
        let client = daemon.client().await;
        let list = client.ok("mcp.hello", json!([])).await;
        client.send(r#"{"jsonrpc":"2.0","id":"none","method":"mcp.hello"}"#.to_owned()).await;
        assert_eq!(client.stray().await.expect("an answer")["result"], list, "without params, too");
        let names: Vec<_> =
            list.as_array().expect("a list").iter().map(|name| name.as_str().expect("a name")).collect();
        assert!(names.is_sorted(), "{names:?}");
        for name in [
            "mcp.hello",
            "mcp.listCapabilities",
            "mcp.licence.check",
            "mcp.cancel",
            "mcp.fs.read",
            "mcp.admin.tree",
        ] {
            assert!(names.contains(&name), "{name}");
        }
        let object = client.ok("mcp.hello", json!({})).await;
        assert_eq!(keys(&object), ["server", "version", "caller", "tier", "methods"]);
        assert_eq!((&object["server"], &object["caller"]), (&json!("llmbasedos"), &json!("owner")));
        assert_eq!((&object["tier"], &object["methods"]), (&json!("ELITE"), &list));
        assert_eq!(client.code("mcp.hello", json!([1])).await, -32602);
    });
}

#[test]
fn list_capabilities_is_the_originals_list_by_position_and_an_object_by_name() {
    run(async {
        let daemon = Setup::default().start().await;
        let client = daemon.unix("gateway").await;
        let list = client.ok("mcp.listCapabilities", json!([])).await;
        assert_eq!(client.ok("mcp.listCapabilities", json!({})).await, json!({ "services": list }));
        let services = list.as_array().expect("a list");
        let names: Vec<_> =
            services.iter().map(|service| service["service_name"].as_str().expect("a name")).collect();
        assert_eq!(names, ["admin", "agent", "fs", "gateway", "llm", "mail", "prompts", "sync"]);
        let mut methods = Vec::new();
        for service in services {
            assert_eq!(keys(service), ["service_name", "description", "version", "capabilities"]);
            for capability in service["capabilities"].as_array().expect("a list") {
                for text in ["method", "description"] {
                    assert!(capability[text].as_str().is_some_and(|text| !text.is_empty()), "{capability}");
                }
                for schema in ["params_schema", "result_schema"] {
                    assert!(capability[schema].is_object(), "{capability}");
                }
                methods.push(capability["method"].clone());
            }
        }
        methods.sort_by_key(|method| method.as_str().map(str::to_owned));
        assert_eq!(json!(methods), client.ok("mcp.hello", json!([])).await, "they are the same methods");
        let published =
            std::fs::read_to_string(daemon.dir().join("run/fs.cap.json")).expect("it is published");
        let published: Value = serde_json::from_str(&published).expect("it is JSON");
        assert_eq!(published["service_name"], services[2]["service_name"]);
        assert_eq!(published["capabilities"], services[2]["capabilities"]);
    });
}

#[test]
fn licence_check_has_the_originals_members() {
    run(async {
        let licence = Some("FREE:ann:2999-12-30".to_owned());
        let daemon = Setup { licence, ..Setup::default() }.start().await;
        let standing = daemon.client().await.ok("mcp.licence.check", json!([])).await;
        let key_id = standing["key_id"].as_str().expect("a licence is there");
        assert!(key_id.len() == 16 && key_id.bytes().all(|b| b.is_ascii_hexdigit()), "{key_id}");
        let mut masked = standing.clone();
        masked["key_id"] = json!("KEY");
        insta::assert_snapshot!(serde_json::to_string_pretty(&masked).expect("JSON"), @r#"
        {
          "tier": "FREE",
          "licence_tier": "FREE",
          "key_id": "KEY",
          "user_identifier": "ann",
          "is_valid": true,
          "warning": null,
          "expires_at": "2999-12-31T00:00:00Z",
          "effective_permissions": [
            "mcp.hello",
            "mcp.listCapabilities",
            "mcp.licence.check",
            "mcp.cancel",
            "mcp.fs.list",
            "mcp.fs.stat",
            "mcp.prompts.*"
          ],
          "quotas": {
            "api_requests_limit": "100/60min",
            "api_requests_remaining_in_window": 100,
            "llm_access": false,
            "allowed_llm_models": [],
            "max_llm_tokens_per_request": "unlimited",
            "max_llm_tokens_per_day": "unlimited",
            "llm_tokens_today_remaining": "N/A"
          },
          "note": "Remaining quotas are those of caller 'owner'."
        }
        "#);
        assert_eq!(daemon.client().await.ok("mcp.licence.check", json!({})).await, standing);
    });
}

#[test]
fn everybody_is_shown_what_is_theirs() {
    run(async {
        let daemon = Setup::default().start().await;
        let mut shown = Vec::new();
        // Each asked twice, between the others: what was written for one is kept, and not shown to another.
        let rights: &[&[&str]] =
            &[&[], &["--tier", "FREE"], &["--allow", "mcp.fs.stat"], &["--allow", "mcp.fs.list"]];
        for round in 0..2 {
            for (n, options) in rights.iter().enumerate() {
                let token = daemon.token_for(&format!("{n}-{round}"), options).await;
                let client = Client::ws(&daemon.url(), Some(&token)).await.expect("it gets in");
                let hello = client.ok("mcp.hello", json!([])).await;
                let named = client.ok("mcp.hello", json!({})).await;
                assert_eq!((&named["methods"], &named["caller"]), (&hello, &json!(format!("{n}-{round}"))));
                let services = client.ok("mcp.listCapabilities", json!([])).await;
                let services = services.as_array().expect("a list").iter();
                let listed = services.flat_map(|service| service["capabilities"].as_array().expect("a list"));
                let mut listed: Vec<_> =
                    listed.map(|it| it["method"].as_str().expect("a name").to_owned()).collect();
                listed.sort();
                assert_eq!(json!(listed), hello, "{options:?}");
                shown.push(listed);
            }
        }
        assert_eq!(shown[..4], shown[4..]);
        assert!(shown[0].len() > 20 && shown[0].contains(&"mcp.admin.tree".to_owned()), "{:?}", shown[0]);
        assert!(
            shown[1].contains(&"mcp.fs.list".to_owned()) && !shown[1].contains(&"mcp.fs.read".to_owned())
        );
        let fs =
            |names: &[String]| names.iter().filter(|name| name.contains(".fs.")).cloned().collect::<Vec<_>>();
        assert_eq!((fs(&shown[2]), fs(&shown[3])), (vec!["mcp.fs.stat".into()], vec!["mcp.fs.list".into()]));
    });
}
