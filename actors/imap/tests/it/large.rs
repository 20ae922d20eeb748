//! A folder with a hundred thousand messages: every look at it takes a second at most, and little memory.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use imap::{Count, Flag, Page, Query};

use crate::dovecot::Dovecot;

const MESSAGES: u32 = 100_000;
/// What a person waits for without asking whether something is wrong; on a machine that builds something else, too.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The memory of this process, in bytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_folder() {
    let server = Dovecot::start();
    let mut mbox = String::new();
    for n in 0..MESSAGES {
        let _ = write!(
            mbox,
            "From ada@example.org Sun Nov  1 10:00:00 2026\nFrom: Ada <ada@example.org>\nSubject: number {n}\n\
             Message-ID: <{n}@example.org>\nDate: Sun, 1 Nov 2026 10:00:00 +0000\n\ntext {n}\n\n"
        );
    }
    server.import("alice", &mbox);
    drop(mbox);
    let account = server.account("alice");
    let page = |offset| Page { offset, limit: 25 };
    // The first look makes the server's own index.
    account.search("INBOX", None, &Query::All, page(0)).await.unwrap();
    let before = memory();
    let mut slow = Vec::new();
    let mut took = |what: &str, begun: Instant| {
        let took = begun.elapsed();
        eprintln!("{what}: {took:?}");
        if took > AT_ONCE {
            slow.push(format!("{what} took {took:?}"));
        }
    };
    let begun = Instant::now();
    let folders = account.list_folders(Count::Messages).await.unwrap();
    took("listing folders", begun);
    assert!(folders.iter().any(|folder| folder.counts.is_some_and(|counts| counts.messages == MESSAGES)));
    for (what, query, total) in [
        ("all", Query::All, MESSAGES),
        ("those not seen", Query::Not(Box::new(Query::Flag(Flag::Seen))), MESSAGES),
        ("some by UID", Query::Uids(500, 700), 201),
        ("large ones", Query::Larger(1_000_000), 0),
    ] {
        let begun = Instant::now();
        let found = account.search("INBOX", None, &query, page(0)).await.unwrap();
        took(what, begun);
        assert_eq!(found.total, total as usize, "{what}");
    }
    let begun = Instant::now();
    let found = account.search("INBOX", None, &Query::All, page(50_000)).await.unwrap();
    let messages = account.summaries("INBOX", Some(found.uid_validity), &found.uids).await.unwrap().messages;
    took("a page in the middle", begun);
    assert_eq!(messages.len(), 25);
    let grown = memory().saturating_sub(before);
    eprintln!("memory: {} KiB more", grown / 1024);
    assert!(grown < 64 * 1024 * 1024, "{grown} bytes");
    assert!(slow.is_empty(), "{slow:?}");
}
