//! What comes out for what goes in, one line for each case.

use mime::{
    Address, Answer, Date, Described, Disposition, Encoding, Envelope, Headers, Mailbox, Message, MessageId,
    Part, Preference, Reach, Threaded, body_parts, has_attachments, html_as_text, is_attachment, quote,
    reply, reply_subject, subject_base, thread,
};

#[test]
fn base_subjects() {
    for (subject, base) in [
        ("Budget", "Budget"),
        ("Re: Budget", "Budget"),
        ("RE: re:  FW: Budget", "Budget"),
        ("Re[2]: Budget", "Budget"),
        ("Re(3): Budget", "Budget"),
        ("Re^2: Budget", "Budget"),
        ("[list] Re: [list] Budget", "Budget"),
        ("Budget (fwd)", "Budget"),
        ("Budget (FWD) (fwd)", "Budget"),
        ("[fwd: Budget]", "Budget"),
        ("[Fwd: Re: [x] Budget] (fwd)", "Budget"),
        ("AW: WG: Haushalt", "Haushalt"),
        ("Antw: SV: Begroting", "Begroting"),
        ("回复：预算", "预算"),
        ("  Budget \t 2026 ", "Budget 2026"),
        ("Regarding: Budget", "Regarding: Budget"),
        ("Release: 2", "Release: 2"),
        ("[list]", "[list]"),
        ("Re:", ""),
        ("", ""),
        ("Re", "Re"),
        ("Iß: x", "Iß: x"),
    ] {
        assert_eq!(subject_base(subject), base, "{subject:?}");
    }
}

#[test]
fn subjects_of_answers() {
    for (subject, answer) in [
        ("Budget", "Re: Budget"),
        ("Re: Budget", "Re: Budget"),
        ("RE: Re: AW: Budget", "Re: Budget"),
        ("[list] Budget", "Re: [list] Budget"),
        ("Fwd: Budget", "Re: Fwd: Budget"),
        ("", "Re:"),
        ("Re:", "Re:"),
    ] {
        assert_eq!(reply_subject(subject), answer, "{subject:?}");
    }
}

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

/// Conversations as `0 1.1 2.2; 3`: the index of each message and, if it is not the first, its depth.
fn conversations(messages: &[(&str, &[&str], &str)]) -> String {
    let references: Vec<Vec<String>> =
        messages.iter().map(|(_, ids, _)| ids.iter().map(|id| (*id).to_owned()).collect()).collect();
    let messages: Vec<_> = messages
        .iter()
        .zip(&references)
        .zip(0..)
        .map(|(((id, _, subject), references), at)| Threaded {
            message_id: (!id.is_empty()).then_some(*id),
            references,
            subject,
            at,
        })
        .collect();
    let one = |link: &mime::Link| match link.depth {
        0 => link.index.to_string(),
        depth => format!("{}.{depth}", link.index),
    };
    let threads = thread(&messages);
    let threads = threads.iter().map(|thread| thread.messages.iter().map(one).collect::<Vec<_>>().join(" "));
    threads.collect::<Vec<_>>().join("; ")
}

#[test]
fn conversations_by_references() {
    let a: (&str, &[&str], &str) = ("a", &[], "Budget");
    for (messages, expected) in [
        (vec![a, ("b", &["a"], "Re: Budget"), ("c", &["a", "b"], "Re: Budget")], "0 1.1 2.2"),
        (
            vec![a, ("b", &["a"], "Re: Budget"), ("c", &["a"], "Re: Budget"), ("d", &["b"], "")],
            "0 1.1 3.2 2.1",
        ),
        // Answers to what is not here take its place.
        (vec![("b", &["gone"], "Re: Budget"), ("c", &["gone"], "Re: Budget")], "0 1"),
        (vec![("c", &["a", "b"], ""), ("a", &[], "")], "1 0.1"),
        // Only an answer that lost its references joins by subject.
        (vec![a, ("b", &[], "Re: Budget")], "0 1.1"),
        (vec![a, ("b", &[], "Budget")], "0; 1"),
        (vec![a, ("b", &["other"], "Re: Budget")], "0; 1"),
        (vec![("a", &[], ""), ("b", &[], "Re:")], "0; 1"),
        // Rings, the same id twice, no id, and who answers himself.
        (vec![("a", &["b"], ""), ("b", &["a"], "")], "1 0.1"),
        (vec![("a", &["a"], "")], "0"),
        (vec![a, ("a", &[], "Budget")], "0; 1"),
        (vec![("", &[], "x"), ("", &[], "y")], "0; 1"),
    ] {
        assert_eq!(conversations(&messages), expected, "{messages:?}");
    }
    assert_eq!(conversations(&[]), "");
}

#[test]
fn the_corpus_has_one_conversation() {
    let read = |n: usize| {
        std::fs::read(format!("{}/tests/eml/thread-{n}.eml", env!("CARGO_MANIFEST_DIR"))).expect("one")
    };
    let bytes: Vec<_> = (0..5).map(read).collect();
    let messages: Vec<_> = bytes.iter().map(|bytes| Message::parse(bytes)).collect();
    let threaded = messages.iter().rev().map(|message| {
        let envelope = message.envelope();
        Threaded {
            message_id: envelope.message_id.as_deref(),
            references: envelope.ancestors(),
            subject: envelope.subject.as_deref().unwrap_or_default(),
            at: envelope.date.map_or(0, |date| date.at.as_second()),
        }
    });
    let threads = thread(&threaded.collect::<Vec<_>>());
    assert_eq!(threads.len(), 1);
    assert_eq!(threads[0].messages.iter().map(|link| link.depth).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

type Params<'a> = &'a [(&'a str, &'a str)];

#[test]
fn what_a_server_describes_is_what_is_read() {
    let (none, mixed): (Params<'_>, &[&str]) = (&[], &["multipart/mixed"]);
    for (mime_type, params, disposition, within, filename, attached) in [
        (("TEXT", "PLAIN"), &[("CHARSET", "utf-8")] as Params<'_>, None, mixed, None, false),
        (("text", "plain"), none, Some(("attachment", none)), mixed, None, true),
        (("text", "plain"), &[("name", "a.txt")], None, mixed, Some("a.txt"), true),
        (
            ("text", "html"),
            &[("name", "a.html")],
            Some(("INLINE", none)),
            &["multipart/alternative"],
            Some("a.html"),
            false,
        ),
        (
            ("application", "pdf"),
            &[("name", "=?utf-8?Q?gr=C3=BC=C3=9Fe.pdf?=")],
            None,
            mixed,
            Some("grüße.pdf"),
            true,
        ),
        (
            ("application", "pdf"),
            none,
            Some(("ATTACHMENT", &[("FILENAME*", "utf-8''gr%C3%BC%C3%9Fe.pdf")])),
            mixed,
            Some("grüße.pdf"),
            true,
        ),
        (
            ("application", "pdf"),
            none,
            Some(("attachment", &[("filename*0*", "utf-8''gr%C3"), ("filename*1*", "%BC.pdf")])),
            mixed,
            Some("grü.pdf"),
            true,
        ),
        (
            ("application", "pdf"),
            none,
            Some(("attachment", &[("filename", "a\"b\\c;d.pdf")])),
            mixed,
            Some("a\"b\\c;d.pdf"),
            true,
        ),
        (("application", "pgp-signature"), none, None, &["multipart/signed"], None, false),
        (
            ("image", "png"),
            none,
            Some(("inline", none)),
            &["multipart/alternative", "multipart/related"],
            None,
            false,
        ),
        (("image", "png"), none, None, mixed, None, true),
        (("message", "rfc822"), none, None, mixed, None, true),
        (("message", "delivery-status"), none, None, &["multipart/report"], None, false),
        (("text", "calendar"), &[("method", "request")], None, &["multipart/alternative"], None, false),
        (("text", "x\r\nX: y"), none, None, mixed, None, false),
    ] {
        let described = Described {
            id: "2",
            mime_type,
            params,
            disposition,
            content_id: Some("<logo>"),
            encoding: "BASE64",
            size: 9,
            within,
        };
        let part = Part::described(&described);
        assert_eq!((part.filename.as_deref(), is_attachment(&part)), (filename, attached), "{described:?}");
        assert_eq!(has_attachments(std::slice::from_ref(&part)), attached);
        assert_eq!(
            (part.content_id.as_deref(), part.encoding, part.size),
            (Some("logo"), Encoding::Base64, 9)
        );
    }
    let part = Part::described(&Described {
        mime_type: ("image", "png"),
        disposition: Some(("form-data", none)),
        ..Described::default()
    });
    assert_eq!(part.disposition, Some(Disposition::Attachment));
}

#[test]
fn which_parts_are_the_text() {
    let part = |(id, kind, within): &(&str, &str, &[&str])| {
        let (kind, subtype) = kind.split_once('/').expect("a type");
        Part::described(&Described { id, mime_type: (kind, subtype), within, ..Described::default() })
    };
    let (mixed, alternative, related) = ("multipart/mixed", "multipart/alternative", "multipart/related");
    let plain = "text/plain";
    for (parts, text, html) in [
        (vec![("1", plain, &[] as &[&str])], "1", "1"),
        (vec![("1", plain, &[alternative]), ("2", "text/html", &[alternative])], "1", "2"),
        (
            vec![
                ("1", plain, &[alternative]),
                ("2.1", "text/html", &[alternative, related]),
                ("2.2", "image/png", &[alternative, related]),
            ],
            "1",
            "2.1",
        ),
        (
            vec![
                ("1.1", plain, &[mixed, alternative]),
                ("1.2", "text/html", &[mixed, alternative]),
                ("2", plain, &[mixed]),
            ],
            "1.1 2",
            "1.2 2",
        ),
        (
            vec![
                ("1.1", plain, &[mixed, alternative]),
                ("1.2", "text/html", &[mixed, alternative]),
                ("2.1", "text/html", &[mixed, alternative]),
            ],
            "1.1 2.1",
            "1.2 2.1",
        ),
        (vec![("1", "text/html", &[mixed]), ("2", plain, &[mixed])], "1 2", "1 2"),
    ] {
        let parts: Vec<_> = parts.iter().map(part).collect();
        let ids = |wanted| {
            body_parts(&parts, wanted).iter().map(|part| part.id.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            (ids(Preference::Plain), ids(Preference::Html)),
            (text.to_owned(), html.to_owned()),
            "{parts:?}"
        );
    }
}

#[test]
fn html_as_it_is_seen() {
    for (html, text) in [
        ("<p>One<p>Two", "One\n\nTwo\n"),
        ("a<br>b<br/>c", "a\nb\nc\n"),
        ("<ul><li>One<li>Two<ul><li>Deeper</ul></ul>", "* One\n* Two\n  * Deeper\n"),
        ("<ol start=3><li>x<li>y</ol>", "3. x\n4. y\n"),
        ("<a href='https://x.example/'>here</a>", "[here][1]\n\n[1]: https://x.example/\n"),
        ("<a href='javascript:x()'>here</a>", "here\n"),
        ("<img src=http://x/y.png alt='A cat'><img src=pixel.gif>", "[A cat]\n"),
        ("<b>bold</b> <i>it</i> <font color=red>red</font>", "bold it red\n"),
        ("&lt;b&gt; &amp; &euro; &#8364;", "<b> & € €\n"),
        ("<div style='Display : NONE'>no</div>yes", "yes\n"),
        ("<p style=display:none>no<p>yes", "yes\n"),
        ("<p hidden>no<b>no</b></p>yes", "yes\n"),
        ("<td style='font-size:0px'><div style='font-size:13px'>yes</div>", "yes\n"),
        ("<div style='max-height:0;overflow:hidden'>no<div>no</div>no</div>yes", "yes\n"),
        ("<body style=display:none>yes", "yes\n"),
        ("<style>p{}</style><script>x</script><title>t</title>yes", "yes\n"),
        ("<input type=hidden value=x>yes", "yes\n"),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a b\nc d\n"),
        ("<table>stray<tr>x<td>cell</table>", "stray\nx     cell\n"),
        ("</div></p></td>yes</table>", "yes\n"),
        ("\u{200c}\u{a0}\u{200c}<p>yes", "yes\n"),
        ("", ""),
    ] {
        assert_eq!(html_as_text(html).0, text, "{html:?}");
    }
    let paragraphs = html_as_text(&"<p>x".repeat(500)).0;
    assert_eq!(paragraphs.matches('x').count(), paragraphs.lines().filter(|line| *line == "x").count());
}
