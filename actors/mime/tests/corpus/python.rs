//! The same messages read by Python's email package, which has been read by everybody for twenty years: subject, author,
//! date, number of parts, names of attachments and the plain text are the same, or differences.txt says why they are not.
//!
//! Besides ours these are the messages that other packages test themselves with: tests/fetch brings them from their
//! registries, into a folder outside the clone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mime::{Address, Attachment, Compose, Mailbox, Message, MessageId, Preference};
use serde_json::{Value, json};

use crate::{messages, tests};

/// All folders that have messages: ours, and those of others.
fn folders() -> Vec<(&'static str, PathBuf)> {
    let fetched = output(&mut Command::new(tests().join("fetch")));
    let fetched = Path::new(fetched.trim());
    vec![
        ("ours", tests().join("eml")),
        ("mail-parser-crate", mail_parser_messages()),
        ("mail-parser-python", fetched.join("mail-parser-python")),
        ("cpython", fetched.join("cpython")),
    ]
}

/// The messages in the source of the crate that we build with. They are in folders of their own there.
fn mail_parser_messages() -> PathBuf {
    let metadata =
        output(Command::new(env!("CARGO")).args(["metadata", "--format-version", "1", "--locked"]));
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo speaks JSON");
    let mut packages = metadata["packages"].as_array().expect("packages").iter();
    let package = packages.find(|package| package["name"] == "mail-parser").expect("it is a dependency");
    let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
    manifest.with_file_name("resources").join("eml")
}

fn output(command: &mut Command) -> String {
    let output =
        command.stderr(Stdio::inherit()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

/// Every message that is there by its folder and name.
fn corpus() -> BTreeMap<String, Vec<u8>> {
    let mut corpus = BTreeMap::new();
    for (whose, folder) in folders() {
        let below = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        for folder in below.filter(|path| path.is_dir()).chain([folder.clone()]) {
            let inner = folder.file_name().expect("a name").to_string_lossy().into_owned();
            for (name, bytes) in messages(&folder) {
                corpus.insert(format!("{whose}/{inner}/{name}"), bytes);
            }
        }
    }
    for (at, draft) in drafts().iter().enumerate() {
        let built = mime::compose(draft, mime::Bcc::LeftOut).expect("it can be built");
        corpus.insert(format!("built/{at}"), built);
    }
    corpus
}

/// Messages that we build, which Python has to read too.
fn drafts() -> Vec<Compose> {
    let address = |text: &str| text.parse::<Address>().expect("well-formed");
    let id = |id: &str| MessageId::new(id).expect("an id");
    let plain = Compose {
        from: address("\"Müller, Jörg (Verkauf)\" <jm@example.de>"),
        reply_to: vec![address("list@example.de")],
        to: vec![
            address("山田太郎 <taro@example.jp>"),
            address("b@example.com"),
            address("\"a \\\"b\\\" c\" <c@example.com>"),
        ],
        cc: vec![address("Дмитрий <d@example.ru>")],
        bcc: vec![address("hidden@example.com")],
        subject: "Angebot für März – 50 € 🎉 und noch viel mehr Text, damit das Feld gefaltet werden muss"
            .to_owned(),
        text: "Grüße,\n.\nFrom here\n=3D\n  indented\n".to_owned(),
        html: None,
        attachments: Vec::new(),
        in_reply_to: Some(id("one@example.com")),
        references: vec![id("zero@example.com"), id("one@example.com")],
        message_id: id("built@example.com"),
        date: mime::Date {
            at: "2026-11-01T09:00:00Z".parse().expect("a time"),
            offset: jiff::tz::Offset::UTC,
        },
    };
    let file = |name: &str, mime_type: &str, bytes: &[u8], shown: Option<&str>| Attachment {
        name: name.to_owned(),
        mime_type: mime_type.to_owned(),
        bytes: bytes.to_vec(),
        content_id: shown.map(id),
    };
    let html = Some("<p>Grüße</p><img src=\"cid:logo@example.com\">\n".to_owned());
    let pdf = file("Rechnung für März; \"Kopie\".pdf", "application/pdf", &[0, 1, 255, b'\n', b'\r'], None);
    let logo = file("logo.png", "image/png", b"\x89PNG", Some("logo@example.com"));
    let long = file(&format!("{}.txt", "日".repeat(80)), "text/plain", b"one\ntwo\n", None);
    let mail = file("mail.eml", "message/rfc822", b"Subject: inner\r\n\r\nInner\r\n", None);
    let with = |html: Option<&String>, attachments: &[&Attachment]| Compose {
        html: html.cloned(),
        attachments: attachments.iter().map(|file| (*file).clone()).collect(),
        ..plain.clone()
    };
    vec![
        with(html.as_ref(), &[]),
        with(html.as_ref(), &[&logo]),
        with(html.as_ref(), &[&logo, &pdf, &long]),
        with(None, &[&pdf, &mail]),
        with(None, &[&mail]),
        plain,
    ]
}

/// What Python says of each, one line of JSON for each line with a name.
fn python(corpus: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut list = String::new();
    for (at, (name, bytes)) in corpus.iter().enumerate() {
        let path = folder.path().join(at.to_string());
        std::fs::write(&path, bytes).expect("written");
        list.extend([name.as_str(), "\t", &path.to_string_lossy(), "\n"]);
    }
    let names = folder.path().join("names");
    std::fs::write(&names, list).expect("written");
    let told = output(Command::new("python3").arg(tests().join("reference.py")).arg(&names));
    told.lines()
        .map(|line| {
            let told: Value = serde_json::from_str(line).expect("JSON");
            (told["name"].as_str().expect("a name").to_owned(), told)
        })
        .collect()
}

/// The same of ours.
fn ours(bytes: &[u8]) -> Value {
    let message = Message::parse(bytes);
    let envelope = message.envelope();
    let emails = |list: &[Mailbox]| {
        let emails = list.iter().map(|mailbox| mailbox.email.clone());
        emails.filter(|email| email.contains('@')).collect::<Vec<_>>()
    };
    let names: Vec<_> = message.parts().iter().filter_map(|part| part.filename.clone()).collect();
    let text =
        message.parts().iter().find(|part| part.mime_type == "text/plain" && !mime::is_attachment(part));
    let text = text.and_then(|part| message.part(&part.id)).map(|(part, raw)| {
        let unflowed = mime::Part { flowed: false, ..part.clone() };
        mime::text_of(&unflowed, raw).text
    });
    json!({
        "subject": envelope.subject.as_deref().map(squeezed),
        "from": emails(&envelope.from),
        "to": emails(&envelope.to),
        "date": envelope.date.map(|date| date.to_string()),
        "parts": message.parts().iter().map(|part| part.mime_type.clone()).collect::<Vec<_>>(),
        "names": names.iter().map(|name| squeezed(name)).collect::<Vec<_>>(),
        "text": text.as_deref().map(squeezed),
    })
}

/// Blanks and ends of lines are a matter of taste.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What may differ and why: a line `NAME FIELDS: REASON`. A name may end with `*`.
fn differences() -> Vec<(String, BTreeSet<String>)> {
    let text = std::fs::read_to_string(tests().join("differences.txt")).expect("it is beside this");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let (head, reason) = line.split_once(": ").unwrap_or_else(|| panic!("{line}: no reason"));
            assert!(reason.len() > 10, "{line}: no reason");
            let (name, fields) = head.split_once(' ').unwrap_or_else(|| panic!("{line}: no fields"));
            (name.to_owned(), fields.split(',').map(|field| field.trim().to_owned()).collect())
        })
        .collect()
}

#[test]
fn python_reads_the_same_or_the_table_says_why_not() {
    let corpus = corpus();
    assert!(corpus.len() >= 200, "{} messages", corpus.len());
    let (told, known) = (python(&corpus), differences());
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for (name, bytes) in &corpus {
        let (ours, theirs) = (ours(bytes), &told[name]);
        for (field, value) in ours.as_object().expect("an object") {
            if *value == theirs[field] {
                continue;
            }
            let matching = known.iter().position(|(known, fields)| {
                let named = known.strip_suffix('*').map_or(known == name, |head| name.starts_with(head));
                named && fields.contains(field)
            });
            match matching {
                Some(at) => _ = used.insert((at, field.clone())),
                None => wrong.push(format!("{name} {field}\n  ours   {value}\n  python {}", theirs[field])),
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ that the table does not know:\n{}", wrong.len(), wrong.join("\n"));
    let listed = known
        .iter()
        .enumerate()
        .flat_map(|(at, (name, fields))| fields.iter().map(move |field| (at, name.clone(), field.clone())));
    // CPython's own messages are not installed everywhere.
    let stale = listed
        .filter(|(at, name, field)| !used.contains(&(*at, field.clone())) && !name.starts_with("cpython/"));
    let stale: Vec<_> = stale.map(|(_, name, field)| format!("{name} {field}")).collect();
    assert!(stale.is_empty(), "the table has what does not differ any more: {stale:?}");
}

#[test]
fn other_peoples_messages_are_read_to_the_end() {
    for (name, bytes) in corpus() {
        let message = Message::parse(&bytes);
        let bodies = message.bodies(Preference::Both);
        assert!(bodies.plain.is_some(), "{name}");
        for part in message.parts() {
            assert!(message.part(&part.id).is_some(), "{name}: part {} is not found by its number", part.id);
        }
    }
}
