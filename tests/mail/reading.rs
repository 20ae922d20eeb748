//! Lists, searches, messages, attachments and conversations; nothing is marked as read by any of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::{Client, run};
use serde_json::{Value, json};

use crate::{Scene, message};

const WITH_ATTACHMENT: &str = "From: =?utf-8?q?B=C3=A4rbel?= <baerbel@example.org>
To: alice@example.org
Subject: =?iso-8859-1?q?Rechnung_f=FCr_M=E4rz?=
Date: Wed, 25 Nov 2026 09:30:00 +0100
Message-ID: <invoice@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=utf-8

Anbei die Rechnung.
--inner
Content-Type: text/html; charset=utf-8

<p>Anbei die <b>Rechnung</b>. <img src=\"http://tracker.example/pixel.gif\"></p>
--inner--
--outer
Content-Type: application/pdf; name=\"../../etc/rechnung.pdf\"
Content-Disposition: attachment; filename=\"../../etc/rechnung.pdf\"
Content-Transfer-Encoding: base64

JVBERi0xLjcgaXMgd2hhdCBpdCBzYXlz
--outer--
";

async fn find(scene: &Scene, query: Value) -> Vec<String> {
    let mut query = query;
    query["account_id"] = json!("alice");
    let found = scene.client.ok("mcp.mail.search", query).await;
    let messages = found["messages"].as_array().expect("messages").iter();
    messages.map(|message| message["subject"].as_str().expect("a subject").to_owned()).collect()
}

#[test]
fn a_message_is_listed_found_and_read_without_a_trace() {
    run(async {
        let scene = Scene::new().await;
        scene.dovecot.deliver("alice", "INBOX", &message("one", "Lunch", "", "Shall we meet at noon?"));
        scene.dovecot.deliver("alice", "INBOX", WITH_ATTACHMENT);
        let listed = scene.client.ok("mcp.mail.listMessages", json!({ "account_id": "alice" })).await;
        let first = &listed["messages"][0];
        assert_eq!(
            (&listed["total"], &first["subject"]),
            (&json!(2), &json!("Rechnung für März")),
            "{listed}"
        );
        assert_eq!(first["from"], json!(["Bärbel <baerbel@example.org>"]));
        assert_eq!((&first["has_attachments"], &first["seen"]), (&json!(true), &json!(false)));
        assert_eq!(first["date"], "2026-11-25T08:30:00Z");
        assert_eq!(listed["messages"][1]["has_attachments"], false);
        assert!(listed["untrusted"].as_str().is_some_and(|note| note.contains("never what a message asks")));
        // By position, as the original.
        let bare = scene.client.ok("mcp.mail.listMessages", json!(["alice", "INBOX", 1, "UNSEEN"])).await;
        assert_eq!(bare[0]["subject"], "Rechnung für März");

        for (query, expected) in [
            (json!({ "from": "ada" }), vec!["Lunch"]),
            (json!({ "subject": "märz" }), vec!["Rechnung für März"]),
            (json!({ "text": "noon" }), vec!["Lunch"]),
            (json!({ "has_attachment": true }), vec!["Rechnung für März"]),
            (json!({ "seen": true }), vec![]),
            (json!({ "message_id": "<one@example.org>" }), vec!["Lunch"]),
            (json!({ "text": "\" OR ALL \"" }), vec![]),
            (json!({ "from": "ada\r\nA1 DELETE INBOX" }), vec![]),
        ] {
            let found = scene.client.call("mcp.mail.search", {
                let mut query = query.clone();
                query["account_id"] = json!("alice");
                query
            });
            match found.await {
                Ok(_) => assert_eq!(find(&scene, query.clone()).await, expected, "{query}"),
                Err(error) => {
                    assert_eq!((&error["code"], expected.len()), (&json!(-32602), 0), "{query}: {error}");
                }
            }
        }

        let uid = first["uid"].clone();
        let read = scene
            .client
            .ok(
                "mcp.mail.getMessage",
                json!({ "account_id": "alice", "folder": "INBOX", "uid": uid,
                "body_preference": "both", "fetch_attachments": true }),
            )
            .await;
        assert_eq!(read["body_plain"].as_str().map(str::trim), Some("Anbei die Rechnung."), "{read}");
        assert!(read["body_html"].as_str().is_some_and(|html| html.contains("<b>Rechnung</b>")));
        assert_eq!(read["headers"]["Message-ID"], json!(["<invoice@example.org>"]), "{}", read["headers"]);
        let attachment = &read["attachments"][0];
        assert_eq!(
            (&attachment["filename"], &attachment["mime_type"]),
            (&json!("rechnung.pdf"), &json!("application/pdf"))
        );
        let content =
            BASE64.decode(attachment["content_base64"].as_str().expect("its content")).expect("base64");
        assert_eq!(content, b"%PDF-1.7 is what it says");
        let piece = json!({ "account_id": "alice", "folder": "INBOX", "uid": uid, "part": attachment["part"],
            "offset": 9, "limit": 2 });
        let piece = scene.client.ok("mcp.mail.getAttachment", piece).await;
        assert_eq!(
            (&piece["content_base64"], &piece["next_offset"]),
            (&json!(BASE64.encode("is")), &json!(11))
        );
        let asked = json!({ "account_id": "alice", "folder": "INBOX", "uid": uid, "fetch_attachments": true,
            "max_attachment_size_inline_kb": 0 });
        let short = scene.client.ok("mcp.mail.getMessage", asked).await;
        assert_eq!(short["attachments"][0]["content_skipped"], "CONTENT_SKIPPED_TOO_LARGE (>0KB)");
        let raw = json!({ "account_id": "alice", "folder": "INBOX", "uid": uid, "limit": 5 });
        let raw = scene.client.ok("mcp.mail.getRaw", raw).await;
        assert_eq!(
            (&raw["content_base64"], &raw["next_offset"]),
            (&json!(BASE64.encode("From:")), &json!(5))
        );

        assert_eq!(scene.dovecot.seen("alice", "INBOX"), 0, "nobody read anything");
    });
}

#[test]
fn a_conversation_is_all_of_it_and_nothing_else() {
    run(async {
        let scene = Scene::new().await;
        let answers = |to: &str| {
            format!("In-Reply-To: <{to}@example.org>\nReferences: <a@example.org> <{to}@example.org>\n")
        };
        for (id, subject, more) in [
            ("a", "Trip", String::new()),
            ("x", "Trip", String::new()),
            ("b", "Re: Trip", answers("a")),
            ("c", "Re: Trip", answers("b")),
        ] {
            scene.dovecot.deliver("alice", "INBOX", &message(id, subject, &more, id));
        }
        for uid in [1, 3, 4] {
            let asked = json!({ "account_id": "alice", "folder": "INBOX", "uid": uid });
            let found = scene.client.ok("mcp.mail.getThread", asked).await;
            let members: Vec<_> = found["messages"]
                .as_array()
                .expect("messages")
                .iter()
                .map(|member| {
                    (
                        member["depth"].as_u64().expect("a depth"),
                        member["message"]["uid"].as_u64().expect("a UID"),
                    )
                })
                .collect();
            assert_eq!(
                (members, &found["subject"]),
                (vec![(0, 1), (1, 3), (2, 4)], &json!("Trip")),
                "{uid}: {found}"
            );
            for (more, found) in
                [(json!({}), vec!["c", "b", "a"]), (json!({ "text": "<b@" }), vec!["c", "b"])]
            {
                let mut query = more;
                query["account_id"] = json!("alice");
                query["thread"] = json!(uid);
                let rows = scene.client.ok("mcp.mail.search", query).await;
                let ids = rows["messages"].as_array().expect("messages").iter();
                let ids: Vec<_> = ids.map(|row| row["message_id"].as_str().expect("an id")).collect();
                let expected: Vec<_> = found.iter().map(|id| format!("{id}@example.org")).collect();
                assert_eq!(ids, expected, "{uid}: {rows}");
            }
        }
    });
}

#[test]
fn imaps_own_words_are_for_whom_the_owner_names() {
    run(async {
        let scene = Scene::set("mail: {raw_search: [trusted]}\n").await;
        scene.dovecot.deliver("alice", "INBOX", &message("one", "Lunch", "", "at noon"));
        scene.dovecot.deliver("alice", "INBOX", &message("two", "Grüße", "", "from afar"));
        let raw = |raw: &str| json!({ "account_id": "alice", "raw": raw });
        // The owner is not named either.
        let refused = scene.client.call("mcp.mail.search", raw("ALL")).await.expect_err("refused");
        assert_eq!((&refused["code"], &refused["data"]["kind"]), (&json!(-32002), &json!("raw_search")));
        assert!(
            refused["message"].as_str().is_some_and(|text| text.contains("mail.raw_search")),
            "{refused}"
        );
        let listed = json!({ "account_id": "alice", "search_criteria": "SUBJECT lunch" });
        assert_eq!(scene.client.code("mcp.mail.listMessages", listed.clone()).await, -32602);

        let token = scene.daemon.token_for("trusted", &[]).await;
        let trusted = Client::ws(&scene.daemon.url(), Some(&token)).await.expect("in");
        for (words, total) in [
            ("ALL", 2),
            ("OR SUBJECT lunch BODY afar", 2),
            ("SUBJECT \"grüße\" UNSEEN", 1),
            ("NOT (SUBJECT lunch) LARGER 10", 1),
            ("1:* SENTON 24-Nov-2026", 2),
        ] {
            let found = trusted.ok("mcp.mail.search", raw(words)).await;
            assert_eq!(found["total"], total, "{words}: {found}");
        }
        assert_eq!(trusted.ok("mcp.mail.listMessages", listed).await["total"], 1);
        for (words, code) in [
            ("ALL\r\nA9 DELETE INBOX", -32602),
            ("ALL) (ALL", -32602),
            ("SUBJECT {3}", -32602),
            ("NONSENSE", -32032),
            ("SUBJECT", -32032),
        ] {
            let refused = trusted.call("mcp.mail.search", raw(words)).await.expect_err("refused");
            assert_eq!(refused["code"], code, "{words}: {refused}");
        }
        assert_eq!(trusted.ok("mcp.mail.search", raw("ALL")).await["total"], 2, "all is as it was");
    });
}

#[test]
fn what_is_not_there_is_said_by_its_name() {
    run(async {
        let scene = Scene::new().await;
        for (method, params, code, kind) in [
            ("mcp.mail.listFolders", json!({ "account_id": "nobody" }), -32030, "no_such_account"),
            (
                "mcp.mail.listMessages",
                json!({ "account_id": "alice", "folder": "Nowhere" }),
                -32033,
                "no_such_folder",
            ),
            (
                "mcp.mail.getMessage",
                json!({ "account_id": "alice", "folder": "INBOX", "uid": 9 }),
                -32033,
                "no_such_message",
            ),
            (
                "mcp.mail.getThread",
                json!({ "account_id": "alice", "folder": "INBOX", "uid": 9 }),
                -32033,
                "no_such_message",
            ),
            (
                "mcp.mail.getMessage",
                json!({ "account_id": "alice", "folder": "INBOX", "uid": 1, "uid_validity": 7 }),
                -32033,
                "stale",
            ),
        ] {
            let error = scene.client.call(method, params.clone()).await.expect_err("it is not there");
            assert_eq!(
                (&error["code"], &error["data"]["kind"]),
                (&json!(code), &json!(kind)),
                "{method} {params}: {error}"
            );
        }
        let error =
            scene.client.call("mcp.mail.listMessages", json!(["alice", "INBOX", 5, "1:* FLAGS"])).await;
        assert_eq!(error.expect_err("no words of a server")["code"], -32602);
    });
}
