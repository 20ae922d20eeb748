//! News of a folder: at once, again after a loss, and no longer than somebody listens.

use std::time::Duration;

use imap::{Change, Flag, FlagChange};
use tokio::time::timeout;

use crate::dovecot::{Dovecot, LIMIT, fill};

async fn next(changes: &mut imap::Changes) -> Change {
    timeout(LIMIT, changes.next()).await.expect("news come at once").expect("the account is there")
}

/// The next news of this kind: servers tell flags when and how they like.
async fn next_but_flags(changes: &mut imap::Changes) -> Change {
    loop {
        match next(changes).await {
            Change::Flags => {}
            change => return change,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn news_come_at_once() {
    let server = Dovecot::start();
    let account = server.account("alice");
    let mut changes = account.watch("INBOX");
    let first = next(&mut changes).await;
    assert!(matches!(first, Change::Watching { messages: 0, uid_validity: 1.., .. }), "{first:?}");
    let uids = fill(&account, "INBOX", 1).await;
    assert_eq!(next_but_flags(&mut changes).await, Change::Arrived { messages: 1 });
    account.set_flags("INBOX", None, &uids, FlagChange::Add, &[Flag::Seen]).await.unwrap();
    assert_eq!(next(&mut changes).await, Change::Flags);
    account.erase("INBOX", None, &uids).await.unwrap();
    assert_eq!(next_but_flags(&mut changes).await, Change::Removed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loss_is_told_and_repaired() {
    let mut server = Dovecot::start();
    let account = server.account("alice");
    let mut changes = account.watch("INBOX");
    assert!(matches!(next(&mut changes).await, Change::Watching { messages: 0, .. }));
    server.restart();
    assert!(matches!(next(&mut changes).await, Change::Lost(_)));
    // What comes before it is watched again is found by looking: it says how many there are.
    let again = loop {
        match next(&mut changes).await {
            Change::Lost(_) => {}
            change => break change,
        }
    };
    assert!(matches!(again, Change::Watching { .. }), "{again:?}");
    fill(&account, "INBOX", 1).await;
    assert_eq!(next_but_flags(&mut changes).await, Change::Arrived { messages: 1 });
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_watched_for_nobody() {
    let server = Dovecot::start();
    let account = server.account("alice");
    let mut changes = account.watch("INBOX");
    next(&mut changes).await;
    let connected = || server.doveadm(&["who", "-1"]).lines().filter(|line| line.contains("imap")).count();
    assert_eq!(connected(), 1);
    drop(changes);
    drop(account);
    let gone = async {
        while connected() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, gone).await.expect("its connection is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_there_is_said_so() {
    let server = Dovecot::start();
    let account = server.account("alice");
    let mut changes = account.watch("nowhere");
    let lost = next(&mut changes).await;
    assert!(
        matches!(&lost, Change::Lost(imap::Error::NoSuchFolder { folder, .. }) if folder == "nowhere"),
        "{lost:?}"
    );
    // Made meanwhile, it is watched.
    account.create_folder("nowhere").await.unwrap();
    loop {
        match next(&mut changes).await {
            Change::Lost(_) => {}
            change => break assert!(matches!(change, Change::Watching { .. }), "{change:?}"),
        }
    }
}
