//! What is sent: to whom it may, once, with what became of it and a copy of it.

use harness::{Daemon, Dovecot, Setup, Sink, run};
use serde_json::{Value, json};

use crate::tokens::Tokens;
use crate::{Scene, message};

/// Fields of an account, by where its server is.
type Fields<'a> = &'a dyn Fn(&Sink) -> String;

/// Somebody who may send.
struct Sender {
    scene: Scene,
    sink: Sink,
}

impl Sender {
    async fn new() -> Self {
        Self::with(|sink| format!("smtp_port: {}", sink.starttls)).await
    }

    /// With these fields besides the host, the recipients and the authority.
    async fn with(fields: impl FnOnce(&Sink) -> String) -> Self {
        let dovecot = Dovecot::start();
        let sink = Sink::start(&dovecot.tls());
        let recipients = r#"["*@example.org", "Charles@Example.com", "*@reject.test"]"#;
        let more = format!(", smtp_host: localhost, recipients: {recipients}, {}", fields(&sink));
        let accounts = format!("accounts:\n{}", dovecot.account_with("alice", &more));
        let daemon = Setup { mail_accounts: Some(accounts), ..Setup::default() }.start().await;
        Self { scene: Scene { client: daemon.client().await, daemon, dovecot }, sink }
    }

    async fn send(&self, params: Value) -> Result<Value, Value> {
        self.scene.client.call("mcp.mail.send", letter(&params)).await
    }

    async fn sent(&self, params: Value) -> Value {
        self.send(params.clone()).await.unwrap_or_else(|error| panic!("{params}: {error}"))
    }

    fn log(&self) -> String {
        Daemon::log(&self.scene.daemon)
    }
}

/// A letter of alice's to bob, with these fields instead.
fn letter(fields: &Value) -> Value {
    let mut all = json!({ "account_id": "alice", "to": ["Bob <bob@example.org>"], "subject": "Hello", "body": "Hi.\n" });
    all.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    all
}

fn outcomes(sent: &Value) -> Vec<(String, String)> {
    let recipients = sent["message"]["recipients"].as_array().expect("recipients");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    recipients.iter().map(|one| (text(&one["address"]), text(&one["outcome"]))).collect()
}

#[test]
fn nothing_is_sent_to_whom_nobody_named() {
    run(async {
        let scene = Scene::new().await;
        let error = scene.client.call("mcp.mail.send", letter(&json!({}))).await.expect_err("it is off");
        assert_eq!(
            (&error["code"], &error["data"]["kind"]),
            (&json!(-32030), &json!("sending_is_off")),
            "{error}"
        );

        let sender = Sender::new().await;
        for (fields, named) in [
            (json!({ "to": ["bob@example.com"] }), json!(["bob@example.com"])),
            (json!({ "cc": ["eve@example.orgs", "charles@example.com"] }), json!(["eve@example.orgs"])),
            (json!({ "bcc": ["eve@sub.example.org"] }), json!(["eve@sub.example.org"])),
        ] {
            let error = sender.send(fields).await.expect_err("it may not");
            assert_eq!(
                (&error["data"]["kind"], &error["data"]["recipients"]),
                (&json!("recipient_not_allowed"), &named),
                "{error}"
            );
        }
        // Whom a stranger wants the answer to go to is no reason to write to them.
        let more = "Reply-To: eve@evil.test\n";
        sender.scene.dovecot.deliver("alice", "INBOX", &message("q", "A question", more, "Please answer."));
        let error = sender.send(json!({ "to": [], "reply_to_uid": 1 })).await.expect_err("it may not");
        assert_eq!(error["data"]["recipients"], json!(["eve@evil.test"]), "{error}");
        for (fields, why) in [
            (json!({ "to": [] }), "nobody"),
            (json!({ "to": ["bob@example.org>\r\nRCPT TO:<eve@evil.test"] }), "to"),
            (json!({ "subject": "a\r\nBcc: eve@evil.test" }), "subject"),
        ] {
            let error = sender.send(fields).await.expect_err("it cannot be sent");
            let text = error["message"].as_str().expect("a message");
            assert!(error["code"] == -32602 && text.contains(why), "{error}");
        }
        assert!(sender.sink.taken().is_empty(), "{:?}", sender.sink.taken());
        assert_eq!(sender.scene.dovecot.messages("alice", "Sent"), 0);
    });
}

#[test]
fn each_recipient_has_an_outcome_and_the_sender_a_copy() {
    run(async {
        let sender = Sender::new().await;
        let sent = sender
            .sent(json!({
                "to": ["Bob <bob@example.org>", "reject@example.org", "BOB@example.org"],
                "cc": ["later@example.org"],
                "bcc": ["charles@example.com"],
                "body": "One.\n.\n..two\n",
            }))
            .await;
        let told = [
            ("bob@example.org", "accepted"),
            ("reject@example.org", "rejected"),
            ("later@example.org", "rejected"),
            ("charles@example.com", "accepted"),
        ];
        let told: Vec<_> = told.iter().map(|(who, what)| ((*who).to_owned(), (*what).to_owned())).collect();
        assert_eq!(outcomes(&sent), told, "{sent}");
        let message = &sent["message"];
        assert_eq!((&message["state"], &sent["replayed"]), (&json!("sent"), &json!(false)));
        assert_eq!(message["recipients"][1]["reply"], "550 5.1.1 no such user");
        assert_eq!(message["recipients"][2]["reply"], "451 4.3.0 try later");

        let taken = sender.sink.taken();
        let [one] = &taken[..] else { panic!("{taken:?}") };
        assert_eq!(
            one.about,
            json!({ "from": "alice@example.org", "to": ["bob@example.org", "charles@example.com"], "user": "alice", "tls": true })
        );
        assert!(!one.message.to_lowercase().contains("charles"), "a hidden copy is hidden:\n{}", one.message);
        assert!(one.message.contains("One.\r\n.\r\n..two\r\n"), "{}", one.message);
        let id = message["message_id"].as_str().expect("an id");
        assert!(one.message.contains(&format!("Message-ID: <{id}>\r\n")), "{}", one.message);

        assert_eq!(message["copy"]["folder"], "Sent", "{sent}");
        let copy = json!({ "account_id": "alice", "folder": "Sent", "uid": message["copy"]["uid"],
            "uid_validity": message["copy"]["uid_validity"] });
        let copy = sender.scene.client.ok("mcp.mail.getMessage", copy).await;
        assert_eq!(copy["message_id"], id, "{copy}");
        assert!(copy["headers"]["Bcc"].to_string().contains("charles@example.com"), "{copy}");
        assert_eq!(sender.scene.dovecot.seen("alice", "Sent"), 1);
        let listed = sender.scene.client.ok("mcp.mail.listOutbox", json!({ "account_id": "alice" })).await;
        assert_eq!(listed["messages"], json!([message]));
    });
}

#[test]
fn asked_again_it_is_not_sent_again() {
    run(async {
        let sender = Sender::new().await;
        let first = sender.sent(json!({ "idempotency_key": "k" })).await;
        let again = sender.sent(json!({ "idempotency_key": "k" })).await;
        assert_eq!((&again["replayed"], &again["message"]), (&json!(true), &first["message"]));
        let error = sender.send(json!({ "idempotency_key": "k", "body": "other" })).await;
        let error = error.expect_err("it is another message");
        assert!(
            error["code"] == -32602 && error["message"].to_string().contains("idempotency_key"),
            "{error}"
        );
        // Without a key it is the message itself that says that it is the same.
        let bare = sender.sent(json!({})).await;
        assert_eq!(
            (&bare["replayed"], &sender.sent(json!({})).await["replayed"]),
            (&json!(false), &json!(true))
        );
        sender.sent(json!({ "idempotency_key": "k2" })).await;
        assert_eq!(sender.sink.taken().len(), 3);

        // At the same time, too.
        let twenty = (0..20).map(|_| sender.send(json!({ "idempotency_key": "many" })));
        let answers = futures_util::future::join_all(twenty).await;
        let replayed =
            |answer: &Result<Value, Value>| answer.as_ref().ok().map(|sent| sent["replayed"] == true);
        let replayed: Vec<_> = answers.iter().map(replayed).collect();
        assert_eq!(replayed.iter().filter(|one| **one == Some(false)).count(), 1, "{answers:?}");
        assert_eq!(replayed.iter().filter(|one| **one == Some(true)).count(), 19, "{answers:?}");
        assert_eq!((sender.sink.taken().len(), sender.scene.dovecot.messages("alice", "Sent")), (4, 4));
    });
}

#[test]
fn what_nobody_takes_was_not_sent() {
    run(async {
        let sender = Sender::new().await;
        for fields in [json!({ "to": ["reject@example.org"] }), json!({ "subject": "refuse" })] {
            let sent = sender.sent(fields).await;
            assert_eq!(
                (&sent["message"]["state"], &sent["message"]["copy"]),
                (&json!("not_sent"), &Value::Null),
                "{sent}"
            );
            assert!(outcomes(&sent).iter().all(|(_, outcome)| outcome == "rejected"), "{sent}");
        }
        let long = "x".repeat(70).repeat(16_000).replace("xxxxxxxxxx", "xxxxxxxxx\n");
        let error = sender.send(json!({ "body": long[..1_000_000] })).await.expect_err("it is too long");
        assert_eq!(error["data"]["kind"], "over_quota", "{error}");
        assert_eq!((sender.sink.taken().len(), sender.scene.dovecot.messages("alice", "Sent")), (0, 0));
    });
}

#[test]
fn servers_prove_who_they_are_and_so_does_the_sender() {
    run(async {
        let pin = |sender: &str| format!("smtp_certificate_sha256: \"{sender}\"");
        let wrong = pin(&"00".repeat(32));
        let cases: [(Fields<'_>, &str); 6] = [
            (&|sink| format!("smtp_port: {}, smtp_use_ssl: true", sink.tls), ""),
            (&|sink| format!("smtp_port: {}, smtp_use_tls: false", sink.clear), ""),
            (&|sink| format!("smtp_port: {}, {wrong}", sink.starttls), "untrusted"),
            (&|sink| format!("smtp_port: {}, smtp_use_ssl: true, {wrong}", sink.tls), "untrusted"),
            // No TLS where it was asked for: nothing is said in clear instead.
            (&|sink| format!("smtp_port: {}", sink.clear), "unreachable"),
            (
                &|sink| format!("smtp_port: {}, smtp_password: a-wrong-password", sink.starttls),
                "login_refused",
            ),
        ];
        for (n, (fields, kind)) in cases.into_iter().enumerate() {
            let sender = Sender::with(fields).await;
            let sent = sender.send(json!({})).await;
            let found =
                sent.as_ref().map_or_else(|error| error["data"]["kind"].as_str().unwrap_or_default(), |_| "");
            assert_eq!(found, kind, "case {n}: {sent:?}\n{}", sender.log());
            assert_eq!(sender.sink.taken().len(), usize::from(kind.is_empty()), "case {n}");
            assert!(!sender.log().contains("alice-pw") && !sender.log().contains("a-wrong-password"));
            if !kind.is_empty() {
                let listed =
                    sender.scene.client.ok("mcp.mail.listOutbox", json!({ "account_id": "alice" })).await;
                assert_eq!(listed["messages"][0]["state"], "not_sent", "{listed}");
            }
        }
    });
}

#[test]
fn a_token_sends_too_and_what_cannot_be_filed_yet_is_said() {
    run(async {
        let tokens = Tokens::start();
        tokens.give("token-1", 3600);
        let oauth = format!(
            "auth_type: oauth2, oauth: {{token_endpoint: \"http://127.0.0.1:{}/token\", client_id: us, refresh_token: r}}",
            tokens.port
        );
        let sender = Sender::with(|sink| format!("smtp_port: {}, {oauth}", sink.starttls)).await;
        // Nobody here tells Dovecot that the token is good.
        let sent = sender.sent(json!({})).await;
        assert_eq!(
            (&sent["message"]["state"], &sent["message"]["copy_pending"]),
            (&json!("sent"), &json!(true)),
            "{sent}"
        );
        assert_eq!(sender.sink.taken()[0].about["user"], "alice by token");
        assert!(!sender.log().contains("token-1"), "{}", sender.log());
    });
}
