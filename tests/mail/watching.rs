//! News of folders, as they come.

use harness::run;
use serde_json::{Value, json};

use crate::{Scene, message};

/// The next news of a watcher.
async fn news(scene: &Scene) -> Value {
    let told = scene.client.stray().await.expect("the connection lives");
    told["params"]["value"].clone()
}

#[test]
fn who_watches_is_told_and_so_is_the_next_one() {
    run(async {
        let scene = Scene::new().await;
        let (_, first) =
            scene.client.begin("mcp.mail.watch", json!({ "account_id": "alice", "seconds": 60 })).await;
        let begun = news(&scene).await;
        let validity = begun["uid_validity"].clone();
        assert!(validity.is_u64(), "{begun}");
        assert_eq!(begun, json!({ "watching": "INBOX", "uid_validity": validity, "uid": 0 }));
        // A second one listens to the same connection, and is told at once that it is watched.
        let second = scene.daemon.client().await;
        let (_, _other) =
            second.begin("mcp.mail.watch", json!({ "account_id": "alice", "seconds": 60 })).await;
        assert_eq!(second.stray().await.expect("news")["params"]["value"], begun);
        scene.dovecot.deliver("alice", "INBOX", &message("1", "News", "", "text"));
        let arrived = json!({ "folder": "INBOX", "change": "arrived", "messages": 1, "uid_validity": validity,
            "after": 0, "uids": [1] });
        assert_eq!(news(&scene).await, arrived);
        assert_eq!(second.stray().await.expect("news")["params"]["value"], arrived);
        assert_eq!(scene.dovecot.seen("alice", "INBOX"), 0);

        // Who says how far it has seen is told first what came after that.
        let third = scene.daemon.client().await;
        let since = json!({ "uid_validity": validity, "uid": 0 });
        let (_, _third) =
            third.begin("mcp.mail.watch", json!({ "account_id": "alice", "since": since })).await;
        let told = third.stray().await.expect("news")["params"]["value"].clone();
        assert_eq!(told, json!({ "watching": "INBOX", "uid_validity": validity, "uid": 1 }));
        assert_eq!(third.stray().await.expect("news")["params"]["value"], arrived);
        let since = json!({ "uid_validity": 1, "uid": 0 });
        let error = third.call("mcp.mail.watch", json!({ "account_id": "alice", "since": since })).await;
        assert_eq!(error.expect_err("it is another folder now")["data"]["kind"], "stale");

        let error =
            scene.client.call("mcp.mail.watch", json!({ "account_id": "alice", "folder": "nowhere" })).await;
        assert_eq!(error.expect_err("it is not there")["data"]["kind"], "no_such_folder");
        // The account goes, and whoever watched is told so.
        std::fs::write(scene.daemon.dir().join("mail_accounts.yaml"), "accounts: {}\n")
            .expect("there is room");
        let ended = first.await.expect_err("the account is gone");
        assert_eq!(ended["code"], -32060, "{ended}");
    });
}

#[test]
fn a_folder_that_is_watched_from_the_start_is_in_the_tree() {
    run(async {
        let scene = Scene::with("").await;
        let file = scene.daemon.dir().join("mail_accounts.yaml");
        let accounts = format!("accounts:\n{}", scene.dovecot.account_with("bob", ", idle_folders: [INBOX]"));
        std::fs::write(&file, accounts).expect("there is room");
        harness::until("bob has an actor, and alice none", async || {
            let tree = scene.client.ok("mcp.admin.tree", json!({})).await.to_string();
            tree.contains("bob@example.org; sends nothing") && !tree.contains("alice@example.org")
        })
        .await;
        let (_, _watch) = scene.client.begin("mcp.mail.watch", json!({ "account_id": "bob" })).await;
        assert_eq!(news(&scene).await["watching"], "INBOX");
    });
}
