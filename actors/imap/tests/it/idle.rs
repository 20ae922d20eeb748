//! News of a folder: at once, again after a loss, and no longer than somebody listens.

use imap::{Change, Count, Flag, FlagChange};
use tokio::time::timeout;

use crate::dovecot::{Dovecot, LIMIT, fill};
use crate::proxy::Proxy;

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
    let mut changes = account.watch("INBOX").unwrap();
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
    let mut changes = account.watch("INBOX").unwrap();
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
async fn what_happened_meanwhile_is_said_to_be_missed() {
    let server = Dovecot::start_in_lines();
    let proxy = Proxy::start(server.imap).await;
    let (watcher, writer) = (server.account_at("alice", proxy.port, LIMIT), server.account("alice"));
    // A server numbers the changes of a folder from the first one on.
    fill(&writer, "INBOX", 1).await;
    let mut changes = watcher.watch("INBOX").unwrap();
    assert!(matches!(next(&mut changes).await, Change::Watching { messages: 1, missed: false, .. }));
    for (more, expected) in [(0, false), (1, true)] {
        proxy.close();
        assert!(matches!(next_but_flags(&mut changes).await, Change::Lost(_)));
        // Nobody gets through until it is opened again.
        fill(&writer, "INBOX", more).await;
        proxy.reopen();
        let again = loop {
            match next_but_flags(&mut changes).await {
                Change::Lost(_) => {}
                change => break change,
            }
        };
        assert!(matches!(again, Change::Watching { missed, .. } if missed == expected), "{more}: {again:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_watched_for_nobody() {
    let server = Dovecot::start_in_lines();
    let proxy = Proxy::start(server.imap).await;
    let account = server.account_at("alice", proxy.port, LIMIT);
    account.list_folders(Count::Nothing).await.unwrap();
    let (mut first, mut second) = (account.watch("INBOX").unwrap(), account.watch("Drafts").unwrap());
    next(&mut first).await;
    next(&mut second).await;
    proxy.open(3).await;
    drop(first);
    timeout(LIMIT, proxy.open(2)).await.expect("its connection is closed");
    // The account goes, and with it everything that runs for it; whoever listens still is told so.
    drop(account);
    assert_eq!(timeout(LIMIT, second.next()).await.expect("it ends"), None);
    timeout(LIMIT, proxy.open(0)).await.expect("its connections are closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_there_is_said_so() {
    let server = Dovecot::start();
    let account = server.account("alice");
    let mut changes = account.watch("nowhere").unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn so_many_are_watched_and_no_more() {
    let server = Dovecot::start();
    let account = server.account("alice");
    let mut watched: Vec<_> = (0..8).map(|_| account.watch("INBOX").unwrap()).collect();
    assert!(matches!(account.watch("INBOX"), Err(imap::Error::Invalid { .. })));
    next(&mut watched[7]).await;
    drop(watched);
    let again = async {
        while account.watch("INBOX").is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, again).await.expect("what is not watched any more makes room");
}
