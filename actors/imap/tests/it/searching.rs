//! Searching: what is found, in what order, and that texts stay texts.

use imap::{Account, Flag, Page, Query};
use jiff::civil::date;

use crate::dovecot::{Dovecot, fill, id, message, with_attachment};

const INBOX: &str = "INBOX";

async fn found(account: &Account, query: &Query) -> Vec<u32> {
    let page = Page { offset: 0, limit: 100 };
    let mut uids = account
        .search(INBOX, None, query, page)
        .await
        .unwrap_or_else(|error| panic!("{query:?}: {error}"))
        .uids;
    uids.sort_unstable();
    uids
}

#[tokio::test]
async fn every_condition() {
    let server = Dovecot::start();
    let account = server.account("alice");
    let received = "2026-02-03T12:00:00Z".parse().unwrap();
    let put =
        async |flags: &[Flag], message| account.append(INBOX, flags, Some(received), message).await.unwrap();
    let work = Flag::Keyword("Work".to_owned());
    put(&[Flag::Seen], message("Grüße aus Köln", "Der Preis: 5 €")).await;
    put(std::slice::from_ref(&work), message("a \"quoted\" subject", "back\\slash")).await;
    account.append(INBOX, &[], None, with_attachment("report", &[0; 3000])).await.unwrap();
    let text = |text: &str| text.to_owned();
    let not = |query| Query::Not(Box::new(query));
    for (query, expected) in [
        (Query::All, &[1, 2, 3][..]),
        (Query::Subject(text("grüße")), &[1]),
        (Query::Body(text("5 €")), &[1]),
        (Query::Text(text("köln")), &[1]),
        (Query::Subject(text("a \"quoted\"")), &[2]),
        (Query::Body(text("back\\slash")), &[2]),
        (Query::From(text("ADA@")), &[1, 2, 3]),
        (Query::To(text("charles")), &[1, 2]),
        (Query::Cc(text("charles")), &[]),
        (Query::Header(text("X-None"), String::new()), &[]),
        (Query::Header(text("Subject"), text("report")), &[3]),
        (Query::Since(date(2026, 2, 4)), &[3]),
        (Query::Before(date(2026, 2, 4)), &[1, 2]),
        (Query::SentSince(date(2026, 11, 1)), &[1, 2, 3]),
        (Query::SentBefore(date(2026, 11, 1)), &[]),
        (Query::Flag(Flag::Seen), &[1]),
        (not(Query::Flag(Flag::Seen)), &[2, 3]),
        (Query::Flag(work), &[2]),
        (Query::Larger(3000), &[3]),
        (Query::Smaller(3000), &[1, 2]),
        (Query::HasAttachment, &[3]),
        (Query::Uids(2, 99), &[2, 3]),
        (Query::Or(vec![Query::Uids(1, 1), Query::HasAttachment, Query::Uids(3, 3)]), &[1, 3]),
        (Query::Or(vec![]), &[]),
        (Query::And(vec![]), &[1, 2, 3]),
        (Query::And(vec![Query::To(text("charles")), not(Query::Subject(text("ü")))]), &[2]),
        (not(Query::And(vec![Query::Uids(1, 2), Query::From(text("ada"))])), &[3]),
        // What would be another command, or another condition, is only a text.
        (Query::Subject(text("\" OR ALL \"")), &[]),
        (Query::Subject(text("x\r\nA9 DELETE INBOX\r\n")), &[]),
        (Query::Subject(text("{3}")), &[]),
        (Query::Subject(text("report\" SEEN")), &[]),
        (Query::Subject("ß".repeat(600)), &[]),
    ] {
        assert_eq!(found(&account, &query).await, expected, "{query:?}");
    }
}

#[tokio::test]
async fn the_newest_come_first_a_page_at_a_time() {
    let server = Dovecot::start();
    let account = server.account("alice");
    let mut uids = fill(&account, INBOX, 10).await;
    // It came long ago and was put here last.
    let old = "2001-01-01T00:00:00Z".parse().unwrap();
    let late = account.append(INBOX, &[], Some(old), message("old", "x")).await.unwrap().unwrap().uid;
    uids.insert(0, late);
    uids.reverse();
    let mut pages = Vec::new();
    for offset in [0, 4, 8, 12] {
        let found = account.search(INBOX, None, &Query::All, Page { offset, limit: 4 }).await.unwrap();
        assert_eq!(found.total, 11);
        pages.push(found.uids);
    }
    assert_eq!(pages.concat(), uids);
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 3, 0]);
    let none = account.search(INBOX, None, &Query::All, Page { offset: 0, limit: 0 }).await.unwrap();
    assert_eq!((none.total, none.uids.len()), (11, 0));
}

#[tokio::test]
async fn what_belongs_together() {
    let server = Dovecot::start();
    let account = server.account("alice");
    let reply = |subject: &str, to: &str| {
        let original = String::from_utf8(message(subject, "text").to_vec()).unwrap();
        bytes::Bytes::from(format!(
            "In-Reply-To: <{to}@example.org>\r\nReferences: <{to}@example.org>\r\n{original}"
        ))
    };
    for message in [message("plan", "x"), message("other", "x"), reply("Re: plan", &id("plan"))] {
        account.append(INBOX, &[], None, message).await.unwrap();
    }
    let mut threads = account.threads(INBOX, None, &Query::All).await.unwrap().threads;
    threads.sort();
    assert_eq!(threads, [vec![1, 3], vec![2]]);
    let some = account.threads(INBOX, None, &Query::Subject("plan".to_owned())).await.unwrap().threads;
    assert_eq!(some, [vec![1, 3]]);
}
