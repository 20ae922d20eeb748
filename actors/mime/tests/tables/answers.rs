//! What an answer has on it.

use mime::{Address, Answer, Date, Envelope, Headers, Mailbox, MessageId, Reach, quote, reply};

fn address(email: &str) -> Address {
    email.parse().expect("well-formed")
}

fn date() -> Date {
    Date {
        at: "2026-11-01T09:00:00Z".parse().expect("a time"),
        offset: jiff::tz::Offset::from_seconds(3600).expect("one"),
    }
}

/// What an answer to this header has on it.
fn answered(header: &str, reach: Reach) -> mime::Compose {
    let (_, envelope, _) = Headers::parse(header.as_bytes());
    let own = [address("me@x.example"), address("me@old.example")];
    reply(
        &envelope,
        Answer {
            from: address("me@x.example"),
            own: &own,
            reach,
            text: "Yes.\n".to_owned(),
            quoted: None,
            message_id: MessageId::new("new@x.example").expect("an id"),
            date: date(),
        },
    )
}

#[test]
fn who_gets_an_answer() {
    let given = |list: &[Address]| list.iter().map(Address::email).collect::<Vec<_>>().join(" ");
    for (header, reach, to, cc) in [
        ("From: a@x.example\nTo: me@x.example", Reach::Author, "a@x.example", ""),
        (
            "From: a@x.example\nReply-To: list@x.example\nTo: me@x.example",
            Reach::Author,
            "list@x.example",
            "",
        ),
        (
            "From: a@x.example\nTo: me@x.example, b@x.example\nCc: c@x.example",
            Reach::Author,
            "a@x.example",
            "",
        ),
        (
            "From: a@x.example\nTo: ME@x.example, b@x.example\nCc: c@x.example, me@old.example, A@X.example, b@x.example",
            Reach::All,
            "a@x.example",
            "b@x.example c@x.example",
        ),
        (
            "From: a@x.example\nReply-To: a@x.example, b@x.example\nTo: b@x.example, c@x.example",
            Reach::All,
            "a@x.example b@x.example",
            "c@x.example",
        ),
        ("From: me@x.example\nTo: a@x.example\nCc: b@x.example", Reach::Author, "a@x.example", ""),
        ("From: me@x.example\nTo: a@x.example\nCc: b@x.example", Reach::All, "a@x.example", "b@x.example"),
        ("From: me@x.example\nTo: me@x.example", Reach::Author, "me@x.example", ""),
        (
            "From: a@x.example\nBcc: hidden@x.example\nTo: undisclosed-recipients:;",
            Reach::All,
            "a@x.example",
            "",
        ),
        ("From: not an address\nTo: b@x.example", Reach::All, "", "b@x.example"),
        ("Subject: nobody", Reach::All, "", ""),
    ] {
        let answer = answered(header, reach);
        assert_eq!((given(&answer.to), given(&answer.cc)), (to.to_owned(), cc.to_owned()), "{header:?}");
        assert!(answer.bcc.is_empty());
    }
}

#[test]
fn which_conversation_an_answer_belongs_to() {
    let many: String = (0..40).map(|n| format!(" <m{n}@x>")).collect::<Vec<_>>().concat();
    for (header, parent, references) in [
        ("Message-ID: <b@x>\nReferences: <r@x> <a@x>", Some("b@x"), "r@x a@x b@x".to_owned()),
        ("Message-ID: <b@x>\nIn-Reply-To: <a@x>", Some("b@x"), "a@x b@x".to_owned()),
        ("Message-ID: <b@x>\nIn-Reply-To: <a@x> <c@x>", Some("b@x"), "b@x".to_owned()),
        ("Message-ID: <b@x>\nReferences: <b@x> <a@x> <a@x>", Some("b@x"), "a@x b@x".to_owned()),
        ("Message-ID: broken id", None, String::new()),
        ("Message-ID: bare-id", Some("bare-id"), "bare-id".to_owned()),
        ("Message-ID: <fol\n ded@x>", Some("folded@x"), "folded@x".to_owned()),
        ("Subject: no id\nReferences: <a@x>", None, "a@x".to_owned()),
    ] {
        let answer = answered(header, Reach::Author);
        let ids = answer.references.iter().map(MessageId::as_str).collect::<Vec<_>>().join(" ");
        assert_eq!(
            (answer.in_reply_to.as_ref().map(MessageId::as_str), ids),
            (parent, references),
            "{header:?}"
        );
    }
    let answer = answered(&format!("Message-ID: <last@x>\nReferences:{many}"), Reach::Author);
    let ids: Vec<_> = answer.references.iter().map(MessageId::as_str).collect();
    assert_eq!((ids.len(), ids[0], ids[1], ids[19]), (20, "m0@x", "m22@x", "last@x"));
}

#[test]
fn what_is_quoted() {
    let envelope = Envelope {
        from: vec![Mailbox { name: Some("Taro".to_owned()), email: "t@x.example".to_owned() }],
        date: Some(date()),
        ..Envelope::default()
    };
    let text = "Hello,\n\n> earlier\n\nBye\n-- \nTaro\nACME\n";
    let quoted = "On 2026-11-01 10:00 +01:00, Taro wrote:\n> Hello,\n>\n>> earlier\n>\n> Bye\n";
    assert_eq!(quote(&envelope, text), quoted);
    assert_eq!(quote(&Envelope::default(), ""), "somebody wrote:\n");
    let long = quote(&envelope, &"x\n".repeat(1000));
    assert_eq!((long.lines().count(), long.lines().last()), (302, Some("> […]")));
}

#[test]
fn addresses_that_can_be_written_to() {
    for (text, name, email) in [
        ("a@x.example", None, "a@x.example"),
        ("Alice <a@x.example>", Some("Alice"), "a@x.example"),
        ("\"Doe, John\" <j.d+tag@x.example>", Some("Doe, John"), "j.d+tag@x.example"),
        ("Jörg <j@x.example>", Some("Jörg"), "j@x.example"),
        ("root@localhost", None, "root@localhost"),
    ] {
        let address: Address = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((address.name(), address.email()), (name, email));
    }
    for (text, said) in [
        ("alice", "is no mail address"),
        ("", "is no mail address"),
        ("a@", "is no mail address"),
        ("@x.example", "is no mail address"),
        ("a..b@x.example", "is no mail address"),
        ("a b@x.example", "is no mail address"),
        ("a@x..example", "is no mail address"),
        ("a@-x.example", "is no mail address"),
        ("a@x.example, b@x.example", "is not one address"),
        ("a@x.example\r\nBcc: b@x.example", "line break"),
        ("дмитрий@пример.рф", "outside ASCII"),
    ] {
        let error = text.parse::<Address>().expect_err(text).to_string();
        assert!(error.contains(said), "{text:?}: {error}");
    }
}
