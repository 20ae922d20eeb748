//! Sending that is interrupted at each step: by the network, and by the end of the daemon. There is never a second copy
//! anywhere, and nothing is lost without a word.

use harness::{Client, Daemon, Dovecot, Setup, Sink, run_within, until};
use serde_json::{Value, json};
use std::time::Duration;

use crate::proxy::{Fault, Proxy};

/// What a message comes to in lines: EHLO, AUTH, MAIL, two RCPT, DATA, and the message, whose last line is its end.
const BEFORE_THE_MESSAGE: usize = 6;
/// Its header, an empty line, its text, and the end.
const MESSAGE: usize = 11;
/// Lines of filing a copy: a login, looking for the folder, looking into it, and the copy itself.
const FILING: usize = 24;

/// A sender whose servers are both behind a line that breaks.
struct Scene {
    daemon: Daemon,
    client: Client,
    dovecot: Dovecot,
    sink: Sink,
    smtp: Proxy,
    imap: Proxy,
}

impl Scene {
    async fn new() -> Self {
        let dovecot = Dovecot::start();
        let sink = Sink::start(&dovecot.tls());
        let (smtp, imap) = (Proxy::start(sink.clear).await, Proxy::start(dovecot.imap).await);
        let accounts = format!(
            "accounts:\n  alice: {{host: 127.0.0.1, port: {}, ssl: false, user: alice, password: alice-pw, \
             email: alice@example.org, recipients: [\"*\"], smtp_host: 127.0.0.1, smtp_port: {}, \
             smtp_use_tls: false}}\n",
            imap.port, smtp.port
        );
        let settings = "mail:\n  imap_timeout_seconds: 2\n  smtp_end_seconds: 2\n".to_owned();
        let setup = Setup { mail_accounts: Some(accounts), settings, ..Setup::default() };
        let daemon = setup.start().await;
        Self { client: daemon.client().await, daemon, dovecot, sink, smtp, imap }
    }

    fn letter(key: &str) -> Value {
        json!({ "account_id": "alice", "to": ["bob@example.org", "carol@example.org"], "subject": key, "body": "Hi.",
            "idempotency_key": key })
    }

    async fn send(&self, key: &str) -> Result<Value, Value> {
        self.client.call("mcp.mail.send", Self::letter(key)).await
    }

    /// SIGKILL in the middle of it.
    async fn kill(self) -> Self {
        let Self { daemon, client, dovecot, sink, smtp, imap } = self;
        drop(client);
        let daemon = daemon.crash_and_restart().await;
        Self { client: daemon.client().await, daemon, dovecot, sink, smtp, imap }
    }

    /// How many copies of this letter the server took, and how many are in the folder.
    fn copies(&self, key: &str) -> usize {
        let subject = format!("\r\nSubject: {key}\r\n");
        self.sink.taken().iter().filter(|taken| taken.message.contains(&subject)).count()
    }

    /// The copies in the folder for what was sent.
    async fn filed(&self, key: &str) -> usize {
        let asked = json!({ "account_id": "alice", "folder": "Sent", "subject": key });
        let found = self.client.call("mcp.mail.search", asked).await;
        found.ok().and_then(|found| found["messages"].as_array().map(Vec::len)).unwrap_or(usize::MAX)
    }

    /// Asked once more, with everything whole again: what it says is what is so.
    async fn settle(&self, key: &str, what: &str) -> Value {
        let mut said = Value::Null;
        until(&format!("{what}: an answer"), async || match self.send(key).await {
            Ok(sent) => {
                said = sent;
                true
            }
            // Both servers are given time after failures.
            Err(error) => {
                assert_ne!(error["data"]["retry_safe"], json!(false), "{what}: {error}");
                false
            }
        })
        .await;
        let (state, copies) = (said["message"]["state"].as_str().unwrap_or_default(), self.copies(key));
        match state {
            "sent" => {
                assert_eq!(copies, 1, "{what}: {said}");
                until(&format!("{what}: its copy is filed"), async || self.filed(key).await == 1).await;
            }
            "unknown" => {
                assert!(copies <= 1, "{what}: {copies} copies, {said}");
                assert!(said["message"]["recipients"][0]["outcome"] == "unknown", "{what}: {said}");
                assert!(said["message"]["problem"].is_string(), "{what}: {said}");
            }
            _ => panic!("{what}: {said}"),
        }
        said
    }
}

#[test]
fn a_line_that_breaks_sends_nothing_twice() {
    run_within(Duration::from_mins(5), async {
        let scene = Scene::new().await;
        let mut known = 0;
        for line in 1..=BEFORE_THE_MESSAGE + MESSAGE {
            for fault in [Fault::CutBefore, Fault::CutAfter, Fault::Stall, Fault::Garble] {
                // A stall takes its time, and is the same in the middle of a message.
                if fault == Fault::Stall && line > BEFORE_THE_MESSAGE && line < BEFORE_THE_MESSAGE + MESSAGE {
                    continue;
                }
                let key = format!("{fault:?}-{line}.");
                scene.smtp.arm(line, fault);
                let first = scene.send(&key).await;
                assert!(scene.smtp.disarm(), "{key}: it has fewer lines: {first:?}");
                let in_doubt = matches!(&first, Ok(sent) if sent["message"]["state"] == "unknown");
                // Before the message is given there is no doubt about it.
                assert!(!(in_doubt && line < BEFORE_THE_MESSAGE), "{key}: {first:?}");
                let said = scene.settle(&key, &key).await;
                assert_eq!(in_doubt, said["message"]["state"] == "unknown", "{key}: {first:?}, then {said}");
                known += usize::from(!in_doubt);
            }
        }
        assert!(known >= 4 * (BEFORE_THE_MESSAGE - 1), "{known}");
    });
}

#[test]
fn a_daemon_that_is_killed_sends_nothing_twice_and_loses_nothing() {
    run_within(Duration::from_mins(8), async {
        let mut scene = Scene::new().await;
        let mut states = std::collections::BTreeMap::new();
        for line in 1..=BEFORE_THE_MESSAGE + MESSAGE {
            for fault in [Fault::Hold, Fault::Stall] {
                let key = format!("killed-{fault:?}-{line}.");
                scene.smtp.arm(line, fault);
                let asked = scene.send(&key);
                let reached = until("the line is reached", async || scene.smtp.is_through());
                tokio::select! {
                    answer = asked => panic!("{key}: {answer:?}"),
                    () = reached => {}
                }
                scene = scene.kill().await;
                let said = scene.settle(&key, &key).await;
                let state = said["message"]["state"].as_str().unwrap_or_default().to_owned();
                *states.entry((line <= BEFORE_THE_MESSAGE, state)).or_insert(0) += 1;
            }
        }
        // What was not handed over is sent when it is asked for again; what was is in doubt.
        assert_eq!(states.get(&(false, "unknown".to_owned())), Some(&(2 * MESSAGE)), "{states:?}");
        assert!(
            states.get(&(true, "sent".to_owned())) >= Some(&(2 * (BEFORE_THE_MESSAGE - 1))),
            "{states:?}"
        );
    });
}

#[test]
fn a_copy_is_filed_once_whatever_happens() {
    run_within(Duration::from_mins(8), async {
        let mut scene = Scene::new().await;
        let mut interrupted = 0;
        for line in 1..=FILING {
            for kills in [false, true] {
                let key = format!("filing-{kills}-{line}.");
                scene.imap.arm(line, if kills { Fault::Stall } else { Fault::CutAfter });
                if kills {
                    let asked = scene.send(&key);
                    let reached = until("the line is reached", async || scene.imap.is_through());
                    let answered = tokio::select! {
                        answer = asked => Some(answer),
                        () = reached => None,
                    };
                    if answered.is_none() {
                        scene = scene.kill().await;
                        interrupted += 1;
                    }
                } else {
                    let _ = scene.send(&key).await;
                }
                scene.imap.disarm();
                let said = scene.settle(&key, &key).await;
                assert_eq!(said["message"]["state"], "sent", "{key}: the server took it: {said}");
            }
        }
        assert!(interrupted > 10, "{interrupted}");
        let sent = scene.sink.taken().len();
        assert_eq!(scene.dovecot.messages("alice", "Sent"), sent, "one copy of each");
    });
}
