//! Messages between folders: where they are afterwards, and that no other is touched.

use bytes::Bytes;
use imap::{Account, Error, Flag, FlagChange, Page, Query, Section};

use crate::dovecot::{Dovecot, fill, message};

const INBOX: &str = "INBOX";

async fn uids(account: &Account, folder: &str) -> Vec<u32> {
    let found = account.search(folder, None, &Query::All, Page { offset: 0, limit: 100 }).await.unwrap();
    let mut uids = found.uids;
    uids.sort_unstable();
    uids
}

#[tokio::test]
async fn copied_and_moved() {
    let server = Dovecot::start();
    let account = server.account("alice");
    account.create_folder("Ablage & Büro").await.unwrap();
    let all = fill(&account, INBOX, 4).await;
    let copied = account.copy(INBOX, None, &all[..2], "Ablage & Büro").await.unwrap();
    assert_eq!((copied.uids.as_slice(), copied.left_behind), (&[(1, 1), (2, 2)][..], false));
    assert_eq!(uids(&account, INBOX).await, all);
    let moved = account.move_to(INBOX, None, &[all[3], 99], "Ablage & Büro").await.unwrap();
    assert_eq!((moved.uids.as_slice(), moved.uid_validity), (&[(4, 3)][..], copied.uid_validity));
    assert_eq!(
        (uids(&account, INBOX).await, uids(&account, "Ablage & Büro").await),
        (vec![1, 2, 3], vec![1, 2, 3])
    );
    let nowhere = account.move_to(INBOX, None, &all[..1], "nowhere").await.unwrap_err();
    assert!(matches!(&nowhere, Error::NoSuchFolder { folder, .. } if folder == "nowhere"), "{nowhere:?}");
    assert!(matches!(account.move_to(INBOX, None, &all[..1], INBOX).await, Err(Error::Invalid { .. })));
    assert_eq!(uids(&account, INBOX).await, [1, 2, 3]);
}

#[tokio::test]
async fn thrown_away_and_erased() {
    let server = Dovecot::start();
    let account = server.account("alice");
    let all = fill(&account, INBOX, 4).await;
    // Somebody else marked this one; it must outlive all that follows.
    account.set_flags(INBOX, None, &all[..1], FlagChange::Add, &[Flag::Deleted]).await.unwrap();
    let thrown = account.trash(INBOX, None, &all[1..3]).await.unwrap();
    assert_eq!((thrown.folder.as_str(), thrown.uids.len()), ("Deleted Items", 2));
    account.erase(INBOX, None, &all[3..]).await.unwrap();
    assert_eq!(uids(&account, INBOX).await, [1]);
    assert!(matches!(account.trash("Deleted Items", None, &[1]).await, Err(Error::Invalid { .. })));
    account.erase("Deleted Items", None, &[1]).await.unwrap();
    assert_eq!(uids(&account, "Deleted Items").await, [2]);
}

#[tokio::test]
async fn put_in() {
    let server = Dovecot::start();
    let account = server.account("alice");
    // Bytes that no string could have, and a line that looks like a command.
    let odd = Bytes::from_static(b"Subject: \xff\xfe\r\n\r\n\x80\r\nA1 LOGOUT\r\n)\r\n{5}\r\n");
    let put = account.append("Drafts", &[Flag::Draft], None, odd.clone()).await.unwrap().unwrap();
    let body = account.body("Drafts", Some(put.uid_validity), put.uid, &Section::Whole, 0).unwrap();
    assert_eq!(body.all(1000).await.unwrap(), odd);
    let large = message("large", &"0123456789abcdef\r\n".repeat(300_000));
    let put = account.append("Drafts", &[], None, large.clone()).await.unwrap().unwrap();
    let body = account.body("Drafts", None, put.uid, &Section::Whole, 0).unwrap();
    assert_eq!(body.all(usize::MAX).await.unwrap(), large);
    assert!(matches!(account.append("Drafts", &[], None, Bytes::new()).await, Err(Error::Invalid { .. })));
    let nowhere = account.append("nowhere", &[], None, odd).await.unwrap_err();
    assert!(matches!(&nowhere, Error::NoSuchFolder { folder, .. } if folder == "nowhere"), "{nowhere:?}");
}

#[tokio::test]
async fn a_full_mailbox_is_said_to_be_full() {
    let server = Dovecot::start();
    let account = server.account("carol");
    let error = account.append(INBOX, &[], None, message("large", &"x".repeat(100_000))).await.unwrap_err();
    assert!(matches!(&error, Error::OverQuota { said } if said.contains("Quota")), "{error:?}");
    // The connection is as good as before.
    assert!(account.append(INBOX, &[], None, message("small", "x")).await.unwrap().is_some());
}
