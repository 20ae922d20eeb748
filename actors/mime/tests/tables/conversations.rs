//! Which messages are one conversation.

use mime::{Message, Threaded, thread};

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
