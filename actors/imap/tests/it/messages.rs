//! Messages: at a glance, whole and in parts; and looking changes nothing.

use base64::Engine as _;
use imap::{Count, Error, Flag, FlagChange, PIECE, Page, Query, Section};

use crate::dovecot::{Dovecot, fill, message, with_attachment};

const INBOX: &str = "INBOX";

#[tokio::test]
async fn messages_at_a_glance() {
    let server = Dovecot::start();
    let account = server.account("alice");
    let received = "2026-11-01T10:11:12Z".parse().unwrap();
    let file = vec![7; 5000];
    let sent = with_attachment("the report", &file);
    let flags = [Flag::Flagged, Flag::Keyword("$Work".to_owned())];
    let first = account.append(INBOX, &flags, Some(received), sent.clone()).await.unwrap().unwrap();
    let second = account.append(INBOX, &[], None, message("plain", "text")).await.unwrap().unwrap();
    let wanted = [second.uid, 99, first.uid, second.uid];
    let found = account.summaries(INBOX, Some(first.uid_validity), &wanted).await.unwrap();
    assert_eq!(
        (found.uid_validity, &found.gone[..], &found.unreadable[..]),
        (first.uid_validity, &[99][..], &[][..])
    );
    let [plain, report] = found.messages.as_slice() else { panic!("{:?}", found.messages) };
    assert_eq!((plain.uid, report.uid), (second.uid, first.uid), "in the order in which they were asked for");
    assert_eq!((report.received, report.size as usize), (Some(received), sent.len()));
    assert_eq!(report.flags.iter().filter(|flag| **flag != Flag::Recent).count(), 2);
    assert!(flags.iter().all(|flag| report.flags.contains(flag)), "{:?}", report.flags);
    let header = String::from_utf8(report.header.to_vec()).unwrap();
    assert!(header.contains("Subject: the report\r\n") && header.ends_with("\r\n\r\n"), "{header}");
    let structure = report.structure.as_ref().unwrap();
    assert!(structure.has_attachment() && !plain.structure.as_ref().unwrap().has_attachment());
    let pdf = structure.all().find(|part| part.mime_type == "application/pdf").unwrap();
    assert_eq!((pdf.path.as_str(), pdf.encoding.as_str()), ("2", "base64"));
    assert_eq!(pdf.disposition_parameters, [("filename".to_owned(), "a.pdf".to_owned())]);
    for wrong in [&[][..], &[0], &vec![1; 501]] {
        assert!(matches!(account.summaries(INBOX, None, wrong).await, Err(Error::Invalid { .. })));
    }
}

#[tokio::test]
async fn messages_come_as_they_are() {
    let server = Dovecot::start();
    let account = server.account("alice");
    // Larger than two pieces and no multiple of one.
    let file: Vec<u8> = (0..PIECE * 2).map(|n| (n % 251) as u8).collect();
    let sent = with_attachment("large", &file);
    let uid = account.append(INBOX, &[], None, sent.clone()).await.unwrap().unwrap().uid;
    let get = async |section: &Section, offset| {
        account.body(INBOX, None, uid, section, offset)?.all(usize::MAX).await
    };
    assert_eq!(get(&Section::Whole, 0).await.unwrap(), sent);
    assert_eq!(get(&Section::Whole, 700_000).await.unwrap(), sent[700_000..]);
    assert_eq!(get(&Section::Whole, u32::try_from(sent.len()).unwrap()).await.unwrap(), b"");
    let header = get(&Section::Header, 0).await.unwrap();
    assert!(sent.starts_with(&header) && header.ends_with(b"\r\n\r\n"));
    assert_eq!(get(&Section::Part("1".to_owned()), 0).await.unwrap(), b"See attached.");
    let part = get(&Section::Part("2".to_owned()), 0).await.unwrap();
    let text: Vec<u8> = part.into_iter().filter(|b| !b.is_ascii_whitespace()).collect();
    assert_eq!(base64::engine::general_purpose::STANDARD.decode(text).unwrap(), file);
    assert!(
        get(&Section::PartHeader("2".to_owned()), 0)
            .await
            .unwrap()
            .starts_with(b"Content-Type: application/pdf")
    );
    assert_eq!(get(&Section::Part("7.7".to_owned()), 0).await.unwrap(), b"");
    let too_long = account.body(INBOX, None, uid, &Section::Whole, 0).unwrap().all(1000).await;
    assert!(matches!(too_long, Err(Error::Invalid { .. })));
    let mut small = account.body(INBOX, None, uid, &Section::Whole, 10).unwrap();
    assert_eq!(small.next_of(5).await.unwrap().unwrap(), sent[10..15]);
    let mut gone = account.body(INBOX, None, 99, &Section::Whole, 0).unwrap();
    assert!(matches!(gone.next().await, Err(Error::NoSuchMessage { uid: 99, .. })));
}

#[tokio::test]
async fn looking_marks_nothing_as_seen() {
    let server = Dovecot::start();
    let account = server.account("alice");
    let uids = fill(&account, INBOX, 3).await;
    account.summaries(INBOX, None, &uids).await.unwrap();
    for uid in &uids {
        for section in [Section::Whole, Section::Header, Section::Part("1".to_owned())] {
            account.body(INBOX, None, *uid, &section, 0).unwrap().all(usize::MAX).await.unwrap();
        }
    }
    let text = Query::Body("text".to_owned());
    assert_eq!(account.search(INBOX, None, &text, Page { offset: 0, limit: 9 }).await.unwrap().total, 3);
    account.list_folders(Count::Messages).await.unwrap();
    // The server's own word, on another connection.
    assert_eq!(server.doveadm(&["search", "-u", "alice", "mailbox", INBOX, "seen"]), "");
    let unseen = server.doveadm(&["search", "-u", "alice", "mailbox", INBOX, "unseen"]);
    assert_eq!(unseen.lines().count(), 3);
}

#[tokio::test]
async fn flags_change_as_they_are_told() {
    let server = Dovecot::start();
    let account = server.account("alice");
    let uids = fill(&account, INBOX, 2).await;
    let work = Flag::Keyword("Work".to_owned());
    let flags = async || {
        let found = account.summaries(INBOX, None, &uids).await.unwrap();
        let flags = found.messages.into_iter().map(|message| {
            let mut flags = message.flags;
            flags.retain(|flag| *flag != Flag::Recent);
            flags.sort_by_key(|flag| format!("{flag:?}"));
            flags
        });
        flags.collect::<Vec<_>>()
    };
    let set = async |uids: &[u32], change, flags: &[Flag]| {
        account.set_flags(INBOX, None, uids, change, flags).await
    };
    set(&uids, FlagChange::Add, &[Flag::Seen, work.clone()]).await.unwrap();
    assert_eq!(
        flags().await,
        [vec![work.clone(), Flag::Seen], vec![Flag::Flagged, work.clone(), Flag::Seen]]
    );
    set(&uids[..1], FlagChange::Remove, &[Flag::Seen]).await.unwrap();
    set(&uids[1..], FlagChange::Replace, &[Flag::Answered]).await.unwrap();
    assert_eq!(flags().await, [vec![work.clone()], vec![Flag::Answered]]);
    set(&[uids[0], 77], FlagChange::Remove, &[work]).await.unwrap();
    assert_eq!(flags().await, [vec![], vec![Flag::Answered]]);
    let hostile = Flag::Keyword("x) (\\Deleted".to_owned());
    for (uids, flag) in [(&uids[..], hostile), (&uids[..], Flag::Recent), (&[][..], Flag::Seen)] {
        assert!(matches!(set(uids, FlagChange::Add, &[flag]).await, Err(Error::Invalid { .. })));
    }
}

#[tokio::test]
async fn a_folder_that_was_made_anew_is_another() {
    let server = Dovecot::start();
    let account = server.account("alice");
    account.create_folder("old").await.unwrap();
    let uids = fill(&account, "old", 1).await;
    let page = Page { offset: 0, limit: 1 };
    let validity = account.search("old", None, &Query::All, page).await.unwrap().uid_validity;
    assert!(account.summaries("old", Some(validity), &uids).await.is_ok());
    server.doveadm(&["mailbox", "delete", "-u", "alice", "old"]);
    // UIDVALIDITY is a time in seconds: the next folder's is made another one.
    server.doveadm(&["mailbox", "create", "-u", "alice", "old"]);
    server.doveadm(&[
        "mailbox",
        "update",
        "-u",
        "alice",
        "--uid-validity",
        &(validity + 1).to_string(),
        "old",
    ]);
    fill(&server.account("alice"), "old", 1).await;
    let stale = |error: Error| matches!(error, Error::Stale { expected, found, .. } if (expected, found) == (validity, validity + 1));
    let known = Some(validity);
    assert!(stale(account.search("old", known, &Query::All, page).await.unwrap_err()));
    assert!(stale(account.summaries("old", known, &uids).await.unwrap_err()));
    assert!(stale(
        account.set_flags("old", known, &uids, FlagChange::Add, &[Flag::Deleted]).await.unwrap_err()
    ));
    assert!(stale(account.move_to("old", known, &uids, "Drafts").await.unwrap_err()));
    assert!(stale(account.erase("old", known, &uids).await.unwrap_err()));
    let mut body = account.body("old", known, uids[0], &Section::Whole, 0).unwrap();
    assert!(stale(body.next().await.unwrap_err()));
    assert_eq!(
        account.search("old", None, &Query::All, page).await.unwrap().total,
        1,
        "nothing was done to it"
    );
}
