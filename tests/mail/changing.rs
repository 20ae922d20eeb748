//! Flags, moves, folders and drafts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::run;
use serde_json::{Value, json};

use crate::{Scene, message};

async fn uids(scene: &Scene, folder: &str) -> Vec<u64> {
    let listed =
        scene.client.ok("mcp.mail.listMessages", json!({ "account_id": "alice", "folder": folder })).await;
    let messages = listed["messages"].as_array().expect("messages").iter();
    messages.map(|message| message["uid"].as_u64().expect("a UID")).collect()
}

#[test]
fn messages_are_marked_moved_and_thrown_away() {
    run(async {
        let scene = Scene::new().await;
        for n in 0..3 {
            scene.dovecot.deliver("alice", "INBOX", &message(&n.to_string(), "Hello", "", "text"));
        }
        let of = |fields: Value| {
            let mut all = json!({ "account_id": "alice", "folder": "INBOX" });
            all.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
            all
        };
        scene
            .client
            .ok("mcp.mail.setFlags", of(json!({ "uids": [1, 2], "add": ["\\Seen", "$Forwarded"] })))
            .await;
        assert_eq!(scene.dovecot.seen("alice", "INBOX"), 2);
        scene.client.ok("mcp.mail.setFlags", of(json!({ "uids": [2], "remove": ["seen"] }))).await;
        assert_eq!(scene.dovecot.seen("alice", "INBOX"), 1);

        scene
            .client
            .ok("mcp.mail.createFolder", json!({ "account_id": "alice", "folder": "Reisen/Übersee" }))
            .await;
        let folders = scene.client.ok("mcp.mail.listFolders", json!({ "account_id": "alice" })).await;
        let folders = folders["folders"].as_array().expect("folders");
        let named = |path: &str| folders.iter().find(|folder| folder["path"] == path).unwrap_or(&Value::Null);
        assert_eq!(
            (&named("Reisen/Übersee")["name"], &named("Deleted Items")["role"]),
            (&json!("Übersee"), &json!("trash"))
        );
        assert_eq!((&named("INBOX")["messages"], &named("INBOX")["unseen"]), (&json!(3), &json!(2)));

        let moved =
            scene.client.ok("mcp.mail.move", of(json!({ "uids": [1], "to": "Reisen/Übersee" }))).await;
        assert_eq!(moved["uids"], json!([{ "from": 1, "to": 1 }]), "{moved}");
        scene.client.ok("mcp.mail.createFolder", json!({ "account_id": "alice", "folder": "Archive" })).await;
        scene.client.ok("mcp.mail.copy", of(json!({ "uids": [2], "to": "Archive" }))).await;
        let gone = scene.client.ok("mcp.mail.delete", of(json!({ "uids": [3] }))).await;
        assert_eq!((&gone["folder"], &gone["left_behind"]), (&json!("Deleted Items"), &json!(false)));
        let now = (
            uids(&scene, "INBOX").await,
            uids(&scene, "Deleted Items").await.len(),
            uids(&scene, "Archive").await.len(),
        );
        assert_eq!(now, (vec![2], 1, 1));
        // UIDs of another time mean nothing.
        let stale = scene.client.call("mcp.mail.delete", of(json!({ "uids": [2], "uid_validity": 1 }))).await;
        assert_eq!(stale.expect_err("it is stale")["data"]["kind"], "stale");
        assert_eq!(uids(&scene, "INBOX").await, [2]);
    });
}

#[test]
fn a_draft_of_an_answer_belongs_to_its_conversation() {
    run(async {
        let scene = Scene::new().await;
        scene.dovecot.deliver(
            "alice",
            "INBOX",
            &message("one", "Lunch", "Cc: bob@example.org\n", "Shall we meet?"),
        );
        let asked = json!({ "account_id": "alice", "body": "Yes, at noon.", "reply_to_uid": 1, "reply_all": true, "quote": true });
        let drafted = scene.client.ok("mcp.mail.draft", asked).await;
        assert_eq!(drafted["folder"], "Drafts");
        let raw =
            json!({ "account_id": "alice", "folder": "Drafts", "uid": drafted["uid"], "limit": 262_144 });
        let raw = scene.client.ok("mcp.mail.getRaw", raw).await;
        let raw = BASE64.decode(raw["content_base64"].as_str().expect("bytes")).expect("base64");
        let raw = String::from_utf8(raw).expect("this one is ASCII");
        for line in [
            "Subject: Re: Lunch",
            "In-Reply-To: <one@example.org>",
            "References: <one@example.org>",
            "From: <alice@example.org>",
            "Yes, at noon.",
            "> Shall we meet?",
        ] {
            assert!(raw.contains(line), "{line} is not in\n{raw}");
        }
        assert!(raw.contains("ada@example.org") && raw.contains("bob@example.org"), "{raw}");
        for (field, text) in [
            ("to", "x@example.org\r\nBcc: y@example.org"),
            ("cc", "no address"),
            ("subject", "a\r\nBcc: y@example.org"),
        ] {
            let value = if field == "subject" { json!(text) } else { json!([text]) };
            let mut asked = json!({ "account_id": "alice", "body": "x" });
            asked[field] = value;
            let refused =
                scene.client.call("mcp.mail.draft", asked).await.expect_err("no header is slipped in");
            assert_eq!(refused["code"], -32602, "{field}: {refused}");
        }
    });
}
