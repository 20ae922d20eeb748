//! Folders: whatever they are called, for whatever they are.

use imap::{Count, Error, Page, Query, Role};

use crate::dovecot::{Dovecot, fill};

const ODD: &[&str] = &[
    "Entwürfe",
    "日本語/下書き",
    "a & b",
    "with \"quotes\"",
    "back\\slash",
    "percent%",
    "star*",
    "{5}",
    "😀",
    "a(b)c",
    "tab\tand\u{7f}",
];

#[tokio::test]
async fn folders_with_odd_names_are_folders() {
    let server = Dovecot::start();
    let account = server.account("alice");
    for name in ODD {
        if name.contains('\t') {
            assert!(matches!(account.create_folder(name).await, Err(Error::Refused { .. })), "{name:?}");
            continue;
        }
        account.create_folder(name).await.unwrap_or_else(|error| panic!("{name:?}: {error}"));
        let uids = fill(&account, name, 2).await;
        let found = account.search(name, None, &Query::All, Page { offset: 0, limit: 9 }).await.unwrap();
        assert_eq!((found.total, found.uids), (2, vec![uids[1], uids[0]]), "{name:?}");
    }
    let folders = account.list_folders(Count::Messages).await.unwrap();
    for name in ODD.iter().filter(|name| !name.contains('\t')) {
        let folder = folders.iter().find(|folder| folder.name == *name).unwrap_or_else(|| panic!("{name}"));
        let counts = folder.counts.unwrap();
        assert_eq!((counts.messages, counts.unseen, counts.uid_next), (2, 2, 3), "{name}");
        assert!(counts.uid_validity > 0 && folder.selectable && folder.delimiter == Some('/'));
    }
    let parent = folders.iter().find(|folder| folder.name == "日本語").unwrap();
    assert!(parent.attributes.iter().any(|attribute| attribute == "\\HasChildren"), "{parent:?}");
}

#[tokio::test]
async fn what_folders_are_for() {
    let server = Dovecot::start();
    let account = server.account("alice");
    let folders = account.list_folders(Count::Nothing).await.unwrap();
    let role = |name: &str| folders.iter().find(|folder| folder.name == name).and_then(|folder| folder.role);
    assert_eq!(role("INBOX"), Some(Role::Inbox));
    assert_eq!(role("Deleted Items"), Some(Role::Trash));
    assert_eq!(role("Drafts"), Some(Role::Drafts));
    assert_eq!(account.folder_of(Role::Sent).await.unwrap().as_deref(), Some("Sent"));
    assert_eq!(account.folder_of(Role::Junk).await.unwrap(), None);
    assert!(folders.iter().all(|folder| folder.counts.is_none()));
}

#[tokio::test]
async fn what_is_no_folder() {
    let server = Dovecot::start();
    let account = server.account("alice");
    let page = Page { offset: 0, limit: 1 };
    let error = account.search("nowhere", None, &Query::All, page).await.unwrap_err();
    assert!(matches!(&error, Error::NoSuchFolder { folder, .. } if folder == "nowhere"), "{error:?}");
    for name in ["", "a\0b", &"x".repeat(2000)] {
        assert!(matches!(account.create_folder(name).await, Err(Error::Invalid { .. })));
    }
    account.create_folder("mine").await.unwrap();
    let taken = account.create_folder("mine").await.unwrap_err();
    assert!(
        matches!(&taken, Error::Refused { understood: true, said, .. } if said.contains("exists")),
        "{taken:?}"
    );
}
