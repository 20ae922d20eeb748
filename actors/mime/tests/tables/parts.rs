//! What kind of part is which.

use mime::{Described, Disposition, Encoding, Part, Preference, body_parts, has_attachments, is_attachment};

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
