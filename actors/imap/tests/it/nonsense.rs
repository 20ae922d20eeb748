//! Servers that are old, strange, broken or hostile: an answer where there is one in what they say, an error otherwise.

use std::sync::Arc;
use std::time::Duration;

use imap::{Count, Error, FlagChange, Page, Query, Role, Section};

use crate::dovecot::LIMIT;
use crate::fake::Fake;

const ALL: Page = Page { offset: 0, limit: 100 };
const PLAIN: &str = "IMAP4rev1";

/// A message as it is fetched: its UID, and its structure as it is written.
fn fetched(uid: u32, structure: &str) -> String {
    format!(
        "* {uid} FETCH (UID {uid} FLAGS () RFC822.SIZE 9 {structure}BODY[HEADER.FIELDS (SUBJECT)] {{2}}\r\n\r\n)\r\n"
    )
}

const GOOD: &str = "BODYSTRUCTURE (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1) ";

#[tokio::test]
async fn a_message_that_cannot_be_read_hides_no_other() {
    let fake = Fake::start(PLAIN, |command| {
        if command.starts_with("UID SEARCH UID") {
            return Some("* SEARCH 3\r\n{tag} OK\r\n".to_owned());
        }
        if !command.starts_with("UID FETCH") {
            return None;
        }
        let structure = command.contains("BODYSTRUCTURE");
        let of = |uid| match uid {
            2 if structure => fetched(2, "BODYSTRUCTURE ((((\"TEXT\" oops) "),
            3 => fetched(3, "FLAGS  () "),
            uid => fetched(uid, if structure { GOOD } else { "" }),
        };
        Some((1..=4).map(of).collect::<String>() + "{tag} OK done\r\n")
    });
    let account = fake.clear();
    let found = account.summaries("INBOX", Some(7), &[1, 2, 3, 4, 5]).await.unwrap();
    let read: Vec<_> =
        found.messages.iter().map(|message| (message.uid, message.structure.is_some())).collect();
    assert_eq!(read, [(1, true), (2, false), (4, true)]);
    assert_eq!((found.unreadable, found.gone), (vec![3], vec![5]));
    assert_eq!(fake.connections(), 1, "what cannot be read does not end the session");
}

#[tokio::test]
async fn a_message_that_ends_the_connection_is_found() {
    let fake = Fake::start(PLAIN, |command| {
        let set = command.strip_prefix("UID FETCH ")?.split(' ').next()?;
        let ranges = set.split(',').filter_map(|range| {
            let (first, last) = range.split_once(':').unwrap_or((range, range));
            Some(first.parse::<u32>().ok()?..=last.parse::<u32>().ok()?)
        });
        let uids: Vec<u32> = ranges.flatten().collect();
        if uids.contains(&37) {
            return Some(String::new());
        }
        Some(uids.iter().map(|uid| fetched(*uid, GOOD)).collect::<String>() + "{tag} OK done\r\n")
    });
    let uids: Vec<u32> = (1..=60).collect();
    let found = fake.clear().summaries("INBOX", None, &uids).await.unwrap();
    assert_eq!((found.messages.len(), found.unreadable), (59, vec![37]));
    assert!(fake.connections() < 20, "{}", fake.connections());
}

#[tokio::test]
async fn an_old_server_is_enough() {
    let fake = Fake::start(PLAIN, |command| {
        let answer = |text: &str| Some(format!("{text}{{tag}} OK done\r\n"));
        match command {
            "LIST \"\" \"*\"" => answer(
                "* LIST () \".\" INBOX\r\n* LIST () \".\" \"INBOX.Trash\"\r\n* LIST (\\Noselect) NIL top\r\n\
                 * LIST () \".\" \"&bad\"\r\n* LIST () \".\" {5}\r\na\"b\\c\r\n",
            ),
            "STATUS \"INBOX\" (MESSAGES UNSEEN UIDVALIDITY UIDNEXT)" => {
                answer("* STATUS INBOX (MESSAGES 4 UNSEEN 1 UIDVALIDITY 7 UIDNEXT 9)\r\n")
            }
            command if command.starts_with("STATUS") => Some("{tag} NO [NOPERM] not yours\r\n".to_owned()),
            command if command.starts_with("UID SEARCH") => answer("* SEARCH 3 9 1\r\n* SEARCH 7 \r\n"),
            _ => None,
        }
    });
    let account = fake.clear();
    let folders = account.list_folders(Count::Messages).await.unwrap();
    let names: Vec<_> = folders.iter().map(|folder| (folder.name.as_str(), folder.role)).collect();
    let trash = Some(Role::Trash);
    assert_eq!(
        names,
        [
            ("INBOX", Some(Role::Inbox)),
            ("INBOX.Trash", trash),
            ("top", None),
            ("&bad", None),
            ("a\"b\\c", None)
        ]
    );
    let counts = folders[0].counts.unwrap();
    assert_eq!((counts.messages, counts.unseen, counts.uid_next), (4, 1, 9));
    assert!(folders[1].counts.is_none() && !folders[2].selectable);
    let found = account.search("&bad", None, &Query::All, Page { offset: 1, limit: 2 }).await.unwrap();
    assert_eq!((found.uid_validity, found.total, found.uids), (7, 4, vec![7, 3]));
    assert!(fake.seen().contains(&"EXAMINE \"&bad\"".to_owned()), "it is called as the server calls it");
    let umlaut = Query::Subject("ü".to_owned());
    assert_eq!(account.search("INBOX", None, &umlaut, ALL).await.unwrap().total, 4);
    let unsupported = |error: Error| matches!(error, Error::Unsupported { .. });
    assert!(unsupported(account.threads("INBOX", None, &Query::All).await.unwrap_err()));
    assert!(unsupported(account.erase("INBOX", None, &[1]).await.unwrap_err()));
    let moved = account.trash("INBOX", None, &[1]).await.unwrap();
    assert!(moved.left_behind && moved.folder == "INBOX.Trash" && moved.uids.is_empty());
    let seen = fake.seen();
    assert!(
        seen.iter().all(|command| !command.contains("EXPUNGE")),
        "nobody else's messages are removed: {seen:?}"
    );
    assert!(seen.iter().any(|command| command == "UID STORE 1 +FLAGS.SILENT (\\Deleted)"), "{seen:?}");
}

#[tokio::test]
async fn a_server_without_move_removes_what_was_copied_and_nothing_else() {
    let fake = Fake::start("IMAP4rev1 UIDPLUS", |command| {
        command.starts_with("UID COPY").then(|| "{tag} OK [COPYUID 8 1:2 5:6] done\r\n".to_owned())
    });
    let moved = fake.clear().move_to("INBOX", Some(7), &[1, 2], "x").await.unwrap();
    assert_eq!((moved.uid_validity, moved.uids, moved.left_behind), (Some(8), vec![(1, 5), (2, 6)], false));
    let seen = fake.seen();
    assert_eq!(
        seen[seen.len() - 3..],
        ["UID COPY 1:2 \"x\"", "UID STORE 1:2 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 1:2"]
    );
}

#[tokio::test]
async fn logins_that_go_wrong_tell_nobody_the_password() {
    let usual = |_: &str| None;
    let starttls = "ssl: false, starttls: true";
    let unreachable: fn(&Error) -> bool = |error| matches!(error, Error::Unreachable { .. });
    let refused: fn(&Error) -> bool =
        |error| matches!(error, Error::Authentication { said } if said.contains("***"));
    let in_clear =
        |command: &str| command.starts_with("LOGIN").then(|| "{tag} NO bad password hunter2\r\n".to_owned());
    let injected = |command: &str| {
        (command == "STARTTLS")
            .then(|| "{tag} OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nx OK\r\n".to_owned())
    };
    let no_tls = |command: &str| (command == "STARTTLS").then(|| "{tag} BAD what\r\n".to_owned());
    let cases = [
        (Fake::start(PLAIN, in_clear), "ssl: false", refused),
        (Fake::start("IMAP4rev1 LOGINDISABLED", usual), "ssl: false", unreachable),
        (Fake::start(PLAIN, no_tls), starttls, unreachable),
        (Fake::start(PLAIN, injected), starttls, unreachable),
        (Fake::greeting("* BYE busy\r\n", PLAIN, usual), "ssl: false", unreachable),
        (Fake::greeting("* PREAUTH welcome\r\n", PLAIN, usual), "ssl: false", unreachable),
        (Fake::greeting("SSH-2.0-OpenSSH\r\n* 1 EXISTS\r\n", PLAIN, usual), "ssl: false", unreachable),
    ];
    for (n, (fake, fields, fits)) in cases.into_iter().enumerate() {
        let account = fake.account(fields, LIMIT);
        let error = account.list_folders(Count::Nothing).await.unwrap_err();
        assert!(fits(&error), "{n}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{n}: {error:?}");
        let told = fake.seen().iter().any(|command| command.contains("hunter2"));
        assert_eq!(told, n == 0, "{n}: {:?}", fake.seen());
    }
}

#[tokio::test]
async fn what_a_server_says_is_bounded() {
    let long = |answer: String| {
        Fake::start(PLAIN, move |command| command.starts_with("UID").then(|| answer.clone()))
    };
    let nested = format!(
        "* 1 FETCH (UID 1 BODYSTRUCTURE {}{})\r\n{{tag}} OK\r\n",
        "(".repeat(200_000),
        ")".repeat(200_000)
    );
    let lost: fn(&Error) -> bool = |error| matches!(error, Error::Lost { .. });
    let refused: fn(&Error) -> bool = |error| matches!(error, Error::Refused { .. });
    let none: fn(&Error) -> bool = |error| matches!(error, Error::NoSuchMessage { .. });
    for (answer, fits) in [
        ("* 1 FETCH (UID 1 BODY[] {4000000000}\r\n".to_owned(), lost),
        (format!("* 1 FETCH (UID 1 BODY[] {{{}}}\r\nx", 17 * 1024 * 1024), lost),
        (format!("* OK {}", "x".repeat(17 * 1024 * 1024)), lost),
        (nested, refused),
        ("* OK [ALERT]\u{e9}\r\n{tag} OK [ALERT]\u{e9}\r\n".to_owned(), none),
        ("wrong OK done\r\n".to_owned(), lost),
        ("* BYE go away\r\n".to_owned(), lost),
        ("{tag} NO [SERVERBUG] \u{1b}[31mred\r\n".to_owned(), refused),
        ("* 1 FETCH (UID 2 BODY[] \"x\")\r\n{tag} OK\r\n".to_owned(), none),
        ("+ what\r\n{tag} BAD \u{1b}\r\n".to_owned(), refused),
    ] {
        let fake = long(answer.clone());
        let mut body = fake.clear().body("INBOX", None, 1, &Section::Whole, 0).unwrap();
        let error = body.next().await.unwrap_err();
        let shown = answer.chars().take(60).collect::<String>();
        assert!(fits(&error), "{shown:?}: {error:?}");
        assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
    }
    // So many replies that they would fill the memory.
    let flood = "* 1 EXISTS\r\n".repeat(400_000) + "{tag} OK\r\n";
    let error = long(flood).clear().search("INBOX", None, &Query::All, ALL).await.unwrap_err();
    assert!(lost(&error), "{error:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let short = Duration::from_millis(300);
    let silent = Fake::start("IMAP4rev1 UIDPLUS", |command| {
        command.starts_with("UID").then(|| "* OK still here\r\n".to_owned())
    });
    let account = silent.account("ssl: false", short);
    let error = account.search("INBOX", None, &Query::All, ALL).await.unwrap_err();
    let nothing = imap::Outcome::NothingDone;
    assert!(
        matches!(&error, Error::Timeout { command: "UID SEARCH", outcome, .. } if *outcome == nothing),
        "{error:?}"
    );
    let flags = [imap::Flag::Seen];
    let error = account.set_flags("INBOX", None, &[1], FlagChange::Add, &flags).await.unwrap_err();
    let unknown = imap::Outcome::Unknown;
    assert!(
        matches!(&error, Error::Timeout { command: "UID STORE", outcome, .. } if *outcome == unknown),
        "{error:?}"
    );
    assert_eq!(silent.connections(), 2, "each on a connection of its own");
    let mute = Fake::greeting("* O", PLAIN, |_| None);
    let error = mute.account("ssl: false", short).list_folders(Count::Nothing).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { command: "the login", .. }), "{error:?}");
}

/// A connection that waits is kept alive, and is closed when nobody has wanted it for some minutes.
#[tokio::test]
async fn connections_that_wait() {
    let fake = Arc::new(Fake::start(PLAIN, |_| None));
    // Answers may take as long as they like while the clock jumps.
    let account = fake.account("ssl: false", Duration::from_hours(1));
    account.search("INBOX", None, &Query::All, ALL).await.unwrap();
    let before = fake.seen().len();
    while fake.seen().last().is_none_or(|command| command != "LOGOUT") {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(61)).await;
        tokio::time::resume();
        // While it is waited for here, what runs for the account runs.
        let heard = Arc::clone(&fake);
        tokio::task::spawn_blocking(move || heard.wait(Duration::from_millis(50))).await.unwrap();
    }
    let said = fake.seen().split_off(before);
    let (last, others) = said.split_last().unwrap();
    assert_eq!(last, "LOGOUT");
    assert!((1..=4).contains(&others.len()) && others.iter().all(|command| command == "NOOP"), "{said:?}");
}

/// What is longer than a server says that it takes is not sent.
#[tokio::test]
async fn a_limit_is_known_before_it_is_met() {
    let fake = Fake::start("IMAP4rev1 APPENDLIMIT=100", |_| None);
    let account = fake.clear();
    let error = account.append("INBOX", &[], None, "x".repeat(101).into()).await.unwrap_err();
    assert!(matches!(&error, Error::OverQuota { said } if said.contains("100")), "{error:?}");
    assert!(fake.seen().iter().all(|command| !command.starts_with("APPEND")), "{:?}", fake.seen());
    let put = account.append("INBOX", &[], None, "x".repeat(100).into()).await.unwrap();
    assert_eq!(put, None, "this server does not say where");
    let sent = fake.seen().pop().unwrap();
    assert!(sent.starts_with("APPEND \"INBOX\" () {100}\r\nxxx"), "{sent}");
}
