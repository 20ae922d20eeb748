//! What holds for every input: decoding in pieces, pages, names of files, conversations, and messages that we build.

use std::collections::HashSet;

use mime::{
    Address, Attachment, Bcc, Compose, Date, Decoder, Encoding, Message, MessageId, Names, Part, Preference,
    Threaded, compose, page, safe_name, subject_base, thread,
};
use proptest::prelude::*;

fn part(id: usize, filename: Option<String>) -> Part {
    let described = mime::Described { mime_type: ("application", "pdf"), ..Default::default() };
    Part { id: id.to_string(), filename, ..Part::described(&described) }
}

fn encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![
        Just(Encoding::Identity),
        Just(Encoding::Base64),
        Just(Encoding::QuotedPrintable),
        Just(Encoding::Uuencode),
        Just(Encoding::Unknown("x".to_owned())),
    ]
}

/// Text that a header can hold.
fn line() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,60}", "[ a-zäöüß€日本語Ж🎉\"=?_()<>,;:\\\\]{0,120}", "[a-z ]{900}"]
        .prop_map(|text| text.trim().to_owned())
}

fn address() -> impl Strategy<Value = Address> {
    let name = prop::option::of("[a-zA-ZäéЖ日🎉 ,.()\"<>@'=?_\\\\-]{1,40}");
    (name, "[a-z0-9][a-z0-9._+-]{0,20}[a-z0-9]@[a-z0-9]{1,10}\\.(com|example)")
        .prop_filter_map("well-formed", |(name, email)| Address::new(name.as_deref(), &email).ok())
}

fn draft() -> impl Strategy<Value = Compose> {
    let list = || prop::collection::vec(address(), 0..4);
    let bytes = || {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            "[ -~\r\n=.-]{0,300}".prop_map(String::into_bytes)
        ]
    };
    let kind = prop_oneof![Just("application/pdf"), Just("text/csv"), Just("image/png"), Just("text/plain")];
    let file = ("[a-zäЖ日 .\"'();=%*-]{1,60}", kind, bytes(), any::<bool>());
    let text = "([ -~äЖ日🎉\t]{0,100}(\n|\r\n)){0,8}(\\.\n|From here\n|--=_abc_0_mixed\n)?";
    (
        address(),
        list(),
        list(),
        list(),
        line(),
        text,
        prop::option::of("[<>a-zäö&; \n]{1,200}"),
        prop::collection::vec(file, 0..4),
    )
        .prop_map(|(from, to, cc, bcc, subject, text, html, files)| Compose {
            from,
            reply_to: Vec::new(),
            to,
            cc,
            bcc,
            subject,
            text,
            html,
            attachments: files
                .into_iter()
                .enumerate()
                .map(|(at, (name, kind, bytes, shown))| Attachment {
                    name: format!("f{name}"),
                    mime_type: kind.to_owned(),
                    bytes,
                    content_id: shown.then(|| MessageId::new(&format!("c{at}@x.example")).expect("an id")),
                })
                .collect(),
            in_reply_to: MessageId::new("<one@x.example>").ok(),
            references: (0..20).filter_map(|n| MessageId::new(&format!("r{n}@x.example")).ok()).collect(),
            message_id: MessageId::new("abc@x.example").expect("an id"),
            date: Date {
                at: "2026-11-01T09:00:00Z".parse().expect("a time"),
                offset: jiff::tz::Offset::from_seconds(-12600).expect("an offset"),
            },
        })
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn decoding_does_not_depend_on_the_pieces(
        encoding in encoding(),
        bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..400), "[A-Za-z0-9+/=\r\n \t!]{0,400}".prop_map(String::into_bytes)],
        cuts in prop::collection::vec(0..50_usize, 0..30),
    ) {
        let (mut whole, mut out) = (Decoder::new(&encoding), Vec::new());
        whole.push(&bytes, &mut out);
        let fine = whole.finish(&mut out);
        let (mut pieces, mut rest, mut again) = (Decoder::new(&encoding), bytes.as_slice(), Vec::new());
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece, &mut again);
            prop_assert!(again.len() <= bytes.len() - after.len());
            rest = after;
        }
        pieces.push(rest, &mut again);
        prop_assert_eq!(pieces.finish(&mut again), fine);
        prop_assert_eq!(&again, &out);
        prop_assert!(out.len() <= bytes.len());
    }

    #[test]
    fn pages_are_the_text(text in "[a-zä日🎉\n]{0,300}", max in 0..40_usize) {
        let (mut at, mut joined) = (Some(0), String::new());
        while let Some(offset) = at {
            let page = page(&text, offset, max);
            prop_assert!(page.text.len() <= max.max(4) && page.offset == offset && page.total == text.len());
            prop_assert!(page.next.is_none_or(|next| next > offset));
            joined.push_str(&page.text);
            at = page.next;
        }
        prop_assert_eq!(joined, text);
    }

    #[test]
    fn a_page_from_anywhere_is_text(text in "[a-zä日🎉]{0,60}", offset in any::<usize>(), max in any::<usize>()) {
        let page = page(&text, offset, max);
        prop_assert_eq!(&text[page.offset..page.offset + page.text.len()], page.text);
    }

    #[test]
    fn names_are_safe_and_each_is_given_once(names in prop::collection::vec(prop::option::of("\\PC{0,300}|[./\\\\ ~-]{0,6}|(con|nul|com1)(\\.[a-z]{0,3})?|\\x00\u{202e}a"), 1..8)) {
        let (mut given, mut seen) = (Names::default(), HashSet::new());
        for (at, name) in names.into_iter().enumerate() {
            let part = part(at, name);
            let name = given.give(&part);
            prop_assert!(!name.is_empty() && name.len() <= 200, "{name:?}");
            prop_assert!(!name.contains(['/', '\\', ':', '\0', '\u{202e}']) && !name.contains(char::is_control), "{name:?}");
            prop_assert!(!name.starts_with(['.', '-', ' ']) && !name.ends_with(['.', ' ']), "{name:?}");
            prop_assert!(!matches!(name.split('.').next(), Some("con" | "nul" | "com1")), "{name:?}");
            prop_assert!(seen.insert(name.to_lowercase()), "{name:?} twice");
            // A safe name is left as it is.
            prop_assert_eq!(safe_name(Some(&name), &part), name);
        }
    }

    #[test]
    fn every_message_is_in_one_conversation(
        links in prop::collection::vec((prop::option::of(0..12_usize), prop::collection::vec(0..12_usize, 0..5), 0..3_i64), 0..12),
    ) {
        let ids: Vec<String> = (0..12).map(|n| format!("{n}@x")).collect();
        let references: Vec<Vec<String>> =
            links.iter().map(|(_, references, _)| references.iter().map(|n| ids[*n].clone()).collect()).collect();
        let messages: Vec<_> = links.iter().zip(&references).map(|((id, _, at), references)| Threaded {
            message_id: id.map(|n| ids[n].as_str()), references, subject: "Re: x", at: *at,
        }).collect();
        let threads = thread(&messages);
        let mut indexes: Vec<_> = threads.iter().flat_map(|thread| &thread.messages).map(|link| link.index).collect();
        indexes.sort_unstable();
        prop_assert_eq!(indexes, (0..messages.len()).collect::<Vec<_>>());
        for one in &threads {
            prop_assert!(one.messages.windows(2).all(|pair| pair[1].depth <= pair[0].depth + 1));
            prop_assert_eq!(one.messages[0].depth, 0);
        }
    }

    #[test]
    fn a_base_subject_is_its_own_base(subject in "(re: ?|fwd?: |\\[[a-z]{0,3}\\] ?|aw: |\\(fwd\\)|[a-z ]{0,5}){0,8}") {
        let base = subject_base(&subject);
        prop_assert_eq!(subject_base(&base), base.clone());
        prop_assert_eq!(subject_base(&mime::reply_subject(&subject)), subject_base(&format!("Re: {subject}")));
    }

    #[test]
    fn what_is_built_is_read_again(draft in draft()) {
        let bytes = compose(&draft, Bcc::Written).expect("it can be built");
        let message = Message::parse(&bytes);
        let envelope = message.envelope();
        prop_assert_eq!(message.problems(), &[]);
        prop_assert_eq!(squeezed(envelope.subject.as_deref().unwrap_or_default()), squeezed(&draft.subject));
        for (read, built) in [
            (&envelope.from, &vec![draft.from.clone()]), (&envelope.to, &draft.to), (&envelope.cc, &draft.cc), (&envelope.bcc, &draft.bcc),
        ] {
            let read: Vec<_> = read.iter().map(|one| (one.name.as_deref().map(squeezed), one.email.as_str())).collect();
            let built: Vec<_> = built.iter().map(|one| (one.name().map(squeezed), one.email())).collect();
            prop_assert_eq!(read, built);
        }
        prop_assert_eq!(envelope.message_id.as_deref(), Some("abc@x.example"));
        prop_assert_eq!(&envelope.in_reply_to, &["one@x.example"]);
        prop_assert_eq!(envelope.references.len(), 20);
        prop_assert_eq!(envelope.date, Some(draft.date));
        let bodies = message.bodies(Preference::Both);
        prop_assert_eq!(bodies.problems, &[]);
        prop_assert_eq!(squeezed(&bodies.plain.unwrap_or_default()), squeezed(&draft.text));
        prop_assert_eq!(bodies.html.as_deref().map(squeezed), draft.html.as_deref().map(squeezed));
        let names: HashSet<_> = message.parts().iter().filter_map(|part| part.filename.as_deref().map(squeezed)).collect();
        let built: HashSet<_> = draft.attachments.iter().map(|file| squeezed(&file.name)).collect();
        prop_assert_eq!(names, built);
        for file in draft.attachments.iter().filter(|file| !file.mime_type.starts_with("text/")) {
            let mut found = message.parts().iter().filter(|part| part.mime_type == file.mime_type);
            let same = found.any(|part| {
                let (part, raw) = message.part(&part.id).expect("its number");
                mime::decode_part(part, raw).0 == file.bytes
            });
            prop_assert!(same, "{}", file.name);
        }
        // Every line of it can pass every server (RFC 5322 2.1.1).
        prop_assert!(bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 999));
        prop_assert!(bytes.windows(2).all(|pair| pair[1] != b'\n' || pair[0] == b'\r'), "a bare line feed");
        prop_assert_eq!(&compose(&draft, Bcc::Written).expect("it can be built"), &bytes, "twice the same");
        let sent = compose(&draft, Bcc::LeftOut).expect("it can be built");
        prop_assert!(Message::parse(&sent).envelope().bcc.is_empty());
    }

    #[test]
    fn nobody_can_add_a_field(draft in draft(), text in "[a-z]{0,5}(\r\n|\n|\r|\0|\u{85})Bcc: evil@x.example", which in 0..4_u8) {
        let mut draft = draft;
        match which {
            0 => draft.subject = text,
            1 => draft.attachments.push(Attachment { name: text, mime_type: "a/b".to_owned(), bytes: Vec::new(), content_id: None }),
            2 => {
                prop_assert!(Address::new(Some(&text), "a@x.example").is_err());
                prop_assert!(text.parse::<Address>().is_err());
                return Ok(());
            }
            _ => {
                prop_assert!(MessageId::new(&text).is_err());
                prop_assert!(Address::new(None, &text).is_err());
                return Ok(());
            }
        }
        prop_assert!(compose(&draft, Bcc::LeftOut).is_err());
    }
}
