//! Accounts: one that is wrong hides no other, a change of the file is seen, and a password is told to nobody.

use harness::{run, until};
use serde_json::json;

use crate::Scene;

const SECRET: &str = "a-password-that-nobody-may-see";

#[test]
fn a_wrong_account_hides_no_other_and_no_password_is_told() {
    run(async {
        let port = 1;
        let scene = Scene::with(&format!(
            "  wrong: {{host: 127.0.0.1, port: {port}, user: bob, password: {SECRET}, ssl: false}}\n  \
               broken: {{user: carol, pasword: {SECRET}}}\n"
        ))
        .await;
        let listed = scene.client.ok("mcp.mail.listAccounts", json!({})).await;
        let problem = |n: usize| listed["accounts"][n]["problem"].as_str().unwrap_or_default().to_owned();
        assert_eq!(listed["accounts"][0]["email_address"], "alice@example.org", "{listed}");
        assert!(problem(0).is_empty() && problem(1).contains("pasword") && problem(2).is_empty(), "{listed}");
        scene.client.ok("mcp.mail.listFolders", json!({ "account_id": "alice" })).await;
        let mut told = listed.to_string();
        for (account, code) in [("wrong", -32032), ("broken", -32030)] {
            let error = scene.client.call("mcp.mail.listFolders", json!({ "account_id": account })).await;
            let error = error.expect_err("it cannot be used");
            assert_eq!(error["code"], code, "{error}");
            told.push_str(&error.to_string());
        }
        for method in ["mcp.admin.config", "mcp.admin.tree", "mcp.admin.stats", "mcp.admin.health"] {
            told.push_str(&scene.client.ok(method, json!({})).await.to_string());
        }
        told.push_str(&scene.daemon.log());
        assert!(!told.contains(SECRET) && !told.contains("alice-pw"), "{told}");
        let state = std::fs::read(scene.daemon.dir().join("state/llmbasedos.db")).expect("the state file");
        assert!(!state.windows(SECRET.len()).any(|some| some == SECRET.as_bytes()), "it is not in the state");
    });
}

#[test]
fn a_change_of_the_file_is_seen_and_a_wrong_password_is_said() {
    run(async {
        let scene = Scene::new().await;
        let file = scene.daemon.dir().join("mail_accounts.yaml");
        let accounts = format!("accounts:\n{}", scene.dovecot.account("bob").replace("bob-pw", SECRET));
        std::fs::write(&file, accounts).expect("there is room");
        until("the other account is there", async || {
            scene.client.ok("mcp.mail.listAccounts", json!([])).await[0]["account_id"] == "bob"
        })
        .await;
        let error = scene.client.call("mcp.mail.listMessages", json!({ "account_id": "bob" })).await;
        let error = error.expect_err("the password is wrong");
        assert_eq!(
            (&error["code"], &error["data"]["kind"]),
            (&json!(-32031), &json!("login_refused")),
            "{error}"
        );
        assert!(!error.to_string().contains(SECRET) && !scene.daemon.log().contains(SECRET));
        // A file that cannot be read keeps what there was.
        std::fs::write(&file, "accounts: [").expect("there is room");
        until("the log says so", async || scene.daemon.log().contains("the accounts stay as they were"))
            .await;
        let listed = scene.client.ok("mcp.mail.listAccounts", json!([])).await;
        assert_eq!(listed[0]["account_id"], "bob");
    });
}
