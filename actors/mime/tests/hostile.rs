//! What no bytes may do: end the process, hang it, or make it keep more than was sent.

use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use mime::{Message, Names, Preference, Problem, html_as_text};
use proptest::prelude::*;

/// Far above what each takes (a second where nothing is optimised), far below what something quadratic would.
const PATIENCE: Duration = Duration::from_mins(1);

/// Reads all that can be read of a message.
fn read(bytes: &[u8]) -> Vec<Problem> {
    let message = Message::parse(bytes);
    let bodies = message.bodies(Preference::Both);
    assert!(bodies.plain.as_ref().is_some_and(|text| text.len() <= 8 << 20));
    let mut names = Names::default();
    for part in message.parts() {
        let (found, raw) = message.part(&part.id).expect("its number leads to a part");
        assert_eq!(found.mime_type, part.mime_type);
        assert!(mime::decode_part(part, raw).0.len() as u64 <= part.decoded_size_max().min(part.size));
        assert!(!names.give(part).is_empty());
    }
    let (mut nested, calendars) = (message.nested(), message.calendars());
    assert!(nested.len() + calendars.len() <= 2000);
    nested.retain(|one| one.parts.is_empty());
    message.problems().iter().chain(&bodies.problems).cloned().collect()
}

/// The same, in time.
#[track_caller]
fn read_in_time(what: &str, bytes: &[u8]) -> Vec<Problem> {
    let begun = Instant::now();
    let problems = read(bytes);
    let took = begun.elapsed();
    assert!(took < PATIENCE, "{what} took {took:?}");
    problems
}

#[test]
fn messages_that_nest_themselves_end_nothing() {
    let deep =
        read_in_time("messages in messages", "Content-Type: message/rfc822\n\n".repeat(100_000).as_bytes());
    assert!(deep.iter().any(|problem| matches!(problem, Problem::TooDeep { .. })), "{deep:?}");
    let multipart = |n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n");
    let multiparts = (0..50_000).map(multipart).collect::<Vec<_>>().concat();
    let deep = read_in_time("multiparts in multiparts", multiparts.as_bytes());
    assert!(deep.iter().any(|problem| matches!(problem, Problem::TooDeep { .. })), "{deep:?}");
}

#[test]
fn many_of_anything_are_bounded() {
    let many = format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(200_000));
    assert!(read_in_time("parts", many.as_bytes()).contains(&Problem::TooManyParts));
    assert_eq!(Message::parse(many.as_bytes()).parts().len(), 1000);
    let fields = format!("{}\n\nx", "X: y\n".repeat(300_000));
    assert!(read_in_time("fields", fields.as_bytes()).contains(&Problem::HeaderCut));
    let folded = format!("Subject: x\n{}\nx", " y\n".repeat(300_000));
    assert!(read_in_time("folded lines", folded.as_bytes()).contains(&Problem::HeaderCut));
    let to = format!("To: {}\n\nx", "a@example.com,".repeat(15_000));
    read_in_time("addresses", to.as_bytes());
    assert_eq!(Message::parse(to.as_bytes()).envelope().to.len(), 2000);
}

#[test]
fn what_is_too_long_is_cut_and_told() {
    let problems = read_in_time("a long text", "line of text\n".repeat(6 << 20).as_bytes());
    assert!(problems.contains(&Problem::MessageCut), "{problems:?}");
    assert!(problems.contains(&Problem::BodyCut { part: "1".to_owned() }), "{problems:?}");
    let page = format!("Content-Type: text/html\n\n<p>{}", "word ".repeat(300_000));
    assert!(read_in_time("a long page", page.as_bytes()).contains(&Problem::HtmlCut));
}

#[test]
fn long_values_take_linear_time() {
    for (what, piece) in [
        ("words without an end", "=?a?Q?x"),
        ("words without an encoding", "=?a??"),
        ("words", "=?a?Q?x?= "),
        ("words in one another", "=?=?"),
        ("comments", "("),
        ("quotes", "\""),
        ("backslashes", "\\"),
        ("brackets", "<"),
        ("groups", "a:"),
        ("ids", "<a@b>"),
        ("letters", "\u{e9}"),
        ("blanks", " "),
        ("semicolons", ";a*0*=x"),
        ("pieces", "; a*1*=x"),
        ("stars", "*0*="),
        ("marks of answers", "Re: "),
        ("names of lists", "[a]"),
    ] {
        let long = piece.repeat(120 * 1024 / piece.len());
        let fields = ["Subject", "From", "References", "Date", "Content-Type", "Content-Disposition"];
        for field in fields {
            read_in_time(what, format!("{field}: x{long}\n\nbody").as_bytes());
        }
        let begun = Instant::now();
        let _ = (mime::subject_base(&long), mime::reply_subject(&long));
        assert!(begun.elapsed() < PATIENCE, "the subject of {what}");
    }
}

#[test]
fn html_that_grows_is_made_text_in_time() {
    for (what, piece) in [
        ("divs", "<div>"),
        ("lists", "<ul><li>"),
        ("quotes", "<blockquote>x"),
        ("tables", "<table><tr><td>"),
        ("cells", "<td>x"),
        ("rows", "<tr><td>x"),
        ("bold", "<b><i><font color=red>x"),
        ("paragraphs", "<p>x"),
        ("links", "<a href=http://example.com/>x"),
        ("formatting in paragraphs", "<p><b a=1><b a=2><i>x</p>"),
        ("attributes", "<p a=b c=d e=f"),
        ("entities", "&amp;"),
        ("entities without an end", "&"),
        ("open brackets", "<"),
        ("comments", "<!--"),
        ("definitions", "<dl><dt>x<dd>"),
        ("pictures", "<img alt=x>"),
        ("headings", "<h1>x"),
        ("verbatim", "<pre> x\n"),
        ("one word", "x"),
        ("hidden", "<div style=display:none>x"),
    ] {
        // With the table around it cells are cells.
        for around in ["", "<table><tr>"] {
            let html = format!("{around}{}", piece.repeat(80 * 1024 / piece.len()));
            let begun = Instant::now();
            let (text, _) = html_as_text(&html);
            let took = begun.elapsed();
            assert!(took < PATIENCE, "{what} took {took:?}");
            assert!(text.len() <= 40 * html.len(), "{what}: {} bytes of {}", text.len(), html.len());
        }
    }
}

static CORPUS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/eml");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("one").path()).collect();
    paths.sort();
    let mail = paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "eml"));
    mail.map(|path| std::fs::read(path).expect("a message")).collect()
});

/// One change of a message: where, in thousandths, and what.
#[derive(Debug, Clone)]
enum Change {
    Put(usize, Vec<u8>),
    Cut(usize, usize),
    Twice(usize, usize),
    Flip(usize, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let words: Vec<&[u8]> = vec![
        b"\n\n",
        b"\r",
        b"\0",
        b"--b0\n",
        b"--b0--\n",
        b"Content-Type: message/rfc822\n\n",
        b"=?utf-8?B?",
        b"?=",
        b"\"",
        b"Content-Transfer-Encoding: base64\n",
        b";",
        b"*0*=",
        b"=",
        b"\xff",
        b"<",
        b"\x1b$B",
        b"\\",
        b"(",
        b"\n ",
    ];
    prop_oneof![
        (0..1000_usize, proptest::sample::select(words))
            .prop_map(|(at, word)| Change::Put(at, word.to_vec())),
        (0..1000_usize, 1..200_usize).prop_map(|(at, length)| Change::Cut(at, length)),
        (0..1000_usize, 1..200_usize).prop_map(|(at, length)| Change::Twice(at, length)),
        (0..1000_usize, any::<u8>()).prop_map(|(at, byte)| Change::Flip(at, byte)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let place = |at: usize| bytes.len() * at / 1000;
        match change {
            Change::Put(at, word) => {
                let at = place(*at);
                bytes.splice(at..at, word.iter().copied());
            }
            Change::Cut(at, length) => {
                let at = place(*at);
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            Change::Twice(at, length) => {
                let at = place(*at);
                let piece = bytes[at..(at + length).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            Change::Flip(at, byte) => {
                let at = place(*at);
                if let Some(there) = bytes.get_mut(at) {
                    *there = *byte;
                }
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(700))]

    #[test]
    fn damaged_messages_are_read(which in any::<prop::sample::Index>(), changes in prop::collection::vec(change(), 1..12)) {
        read(&changed(which.get(&CORPUS).clone(), &changes));
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        read(&bytes);
        let _ = mime::Headers::parse(&bytes);
    }

    #[test]
    fn any_markup_is_made_text(html in "(<[a-z/! =\"]{0,9}>?|[a-z &;#<>]{0,5}|<(table|tr|td|ul|li|p|pre|div)>){0,60}") {
        let _ = html_as_text(&html);
    }
}
