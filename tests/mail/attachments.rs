//! Attachments that become files, and files that are attached, under the caller's own rights.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::{run, until};
use serde_json::{Value, json};

use crate::{Scene, message};

/// Bytes that nothing makes shorter.
fn noise(length: usize) -> Vec<u8> {
    let mut dice = fastrand::Rng::with_seed(1);
    (0..length).map(|_| dice.u8(..)).collect()
}

/// A message with these bytes attached under this name.
fn with_attachment(name: &str, bytes: &[u8]) -> String {
    let encoded = BASE64.encode(bytes);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    let more = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n";
    let text = format!(
        "--b\nContent-Type: text/plain\n\nSee below.\n--b\nContent-Type: application/pdf\n\
         Content-Disposition: attachment; filename=\"{name}\"\nContent-Transfer-Encoding: base64\n\n{}\n--b--",
        lines.join("\n")
    );
    message("big", "A bill", more, &text)
}

fn saved(to: &str) -> Value {
    json!({ "account_id": "alice", "folder": "INBOX", "uid": 1, "part": "2", "save_to": to })
}

/// What is in the folder of files beside what was there before.
fn files(scene: &Scene, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(scene.daemon.file(folder)).into_iter().flatten();
    entries.map(|entry| entry.expect("it is read").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn an_attachment_becomes_a_file_and_never_over_another() {
    run(async {
        let scene = Scene::new().await;
        let content = noise(5_000_001);
        scene.dovecot.deliver("alice", "INBOX", &with_attachment("../../rech\u{202e}nung.pdf", &content));
        let answer = scene.client.ok("mcp.mail.getAttachment", saved("/bills/")).await;
        let path = answer["saved"]["path"].as_str().expect("a path").to_owned();
        assert!(path.starts_with("/bills/") && path.matches('/').count() == 2, "{answer}");
        assert_eq!(
            (&answer["saved"]["bytes"], &answer["content_base64"]),
            (&json!(content.len()), &Value::Null)
        );
        assert!(std::fs::read(scene.daemon.file(&path[1..])).expect("it is there") == content, "all of it");
        let listed = scene.client.ok("mcp.fs.list", json!({ "path": "/bills" })).await;
        assert_eq!(listed["entries"].as_array().map(Vec::len), Some(1), "{listed}");
        assert_eq!(answer["saved"]["uri"].as_str().map(|uri| uri.starts_with("file:///bills/")), Some(true));

        let again =
            scene.client.call("mcp.mail.getAttachment", saved("/bills/")).await.expect_err("it is there");
        assert_eq!(again["data"]["kind"], "exists", "{again}");
        let outside = scene.client.call("mcp.mail.getAttachment", saved("/../../etc/x")).await;
        assert!(outside.is_err(), "{outside:?}");
        // Nothing is left of what did not become a file.
        until("its beginning is gone", async || files(&scene, "bills").len() == 1).await;
        assert_eq!(scene.dovecot.seen("alice", "INBOX"), 0);
    });
}

#[test]
fn who_may_not_write_files_saves_none() {
    run(async {
        let scene = Scene::new().await;
        scene.dovecot.deliver("alice", "INBOX", &with_attachment("bill.pdf", b"%PDF"));
        let token =
            scene.daemon.token_for("reader", &["--allow", "mcp.mail.*", "--allow", "mcp.fs.read"]).await;
        let reader = harness::Client::ws(&scene.daemon.url(), Some(&token)).await.expect("it may come in");
        let error = reader.call("mcp.mail.getAttachment", saved("/bill.pdf")).await.expect_err("it may not");
        assert!(error["code"] == -32002 || error["code"] == -32601, "{error}");
        assert!(!scene.daemon.file("bill.pdf").exists());
        let mut piece = saved("");
        piece.as_object_mut().expect("an object").remove("save_to");
        let piece = reader.call("mcp.mail.getAttachment", piece).await.expect("it may look");
        assert_eq!(piece["content_base64"], BASE64.encode(b"%PDF"));
    });
}

#[test]
fn files_are_attached() {
    run(async {
        let scene = Scene::new().await;
        let content = noise(2_500_000);
        std::fs::write(scene.daemon.file("photo ä.bin"), &content).expect("there is room");
        std::fs::write(scene.daemon.file("notes.md"), "# Notes\n").expect("there is room");
        let draft = json!({ "account_id": "alice", "to": ["bob@example.org"], "subject": "Photos", "body": "Here.",
            "attachments": ["/photo ä.bin", "/notes.md"] });
        let drafted = scene.client.ok("mcp.mail.draft", draft).await;
        let asked = json!({ "account_id": "alice", "folder": drafted["folder"], "uid": drafted["uid"] });
        let read = scene.client.ok("mcp.mail.getMessage", asked).await;
        let attached = read["attachments"].as_array().expect("attachments");
        let names: Vec<_> = attached.iter().map(|one| one["filename"].as_str().unwrap_or_default()).collect();
        assert_eq!(names, ["photo ä.bin", "notes.md"], "{read}");
        assert_eq!(attached[1]["mime_type"], "text/markdown", "{read}");
        let asked = json!({ "account_id": "alice", "folder": drafted["folder"], "uid": drafted["uid"],
            "part": attached[0]["part"], "save_to": "/back.bin" });
        scene.client.ok("mcp.mail.getAttachment", asked).await;
        assert!(
            std::fs::read(scene.daemon.file("back.bin")).expect("it is there") == content,
            "it came back"
        );

        for path in ["/missing.txt", "/../../etc/passwd"] {
            let draft = json!({ "account_id": "alice", "body": "Here.", "attachments": [path] });
            let error = scene.client.call("mcp.mail.draft", draft).await.expect_err("it cannot be attached");
            assert!(
                error["message"].as_str().is_some_and(|text| text.contains("missing")
                    || text.contains("path")
                    || text.contains("..")),
                "{error}"
            );
        }
        std::fs::File::create(scene.daemon.file("huge.bin"))
            .and_then(|file| file.set_len(21 << 20))
            .expect("a file");
        let draft = json!({ "account_id": "alice", "body": "Here.", "attachments": ["/huge.bin"] });
        let error = scene.client.call("mcp.mail.draft", draft).await.expect_err("it is too long");
        assert!(error["code"] == -32602 && error["message"].to_string().contains("huge.bin"), "{error}");
    });
}

#[test]
fn forty_megabytes_pass_through_and_are_not_held() {
    run(async {
        let scene = Scene::new().await;
        let content = noise(40_000_000);
        scene.dovecot.deliver("alice", "INBOX", &with_attachment("big.bin", &content));
        let status = |name: &str| {
            let text =
                std::fs::read_to_string(format!("/proc/{}/status", scene.daemon.pid())).expect("it lives");
            let line = text.lines().find(|line| line.starts_with(name)).expect("its memory").to_owned();
            line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number")
        };
        scene.client.ok("mcp.mail.listMessages", json!({ "account_id": "alice", "folder": "INBOX" })).await;
        // From here on the peak is counted anew (proc(5), clear_refs).
        std::fs::write(format!("/proc/{}/clear_refs", scene.daemon.pid()), "5").expect("it is ours");
        let before = status("VmRSS:");
        let answer = scene.client.ok("mcp.mail.getAttachment", saved("/big.bin")).await;
        let peak = status("VmHWM:") - before;
        assert_eq!(answer["saved"]["bytes"], content.len());
        assert!(std::fs::read(scene.daemon.file("big.bin")).expect("it is there") == content, "all of it");
        assert!(peak < 30_000, "{peak} KiB more at the peak, of 40 MB");
    });
}
