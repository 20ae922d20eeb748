//! A line that breaks at each step of each question: an answer that is right, or an error, in time; and the next
//! question is answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use imap::{Account, Count, Error, Flag, FlagChange, Outcome, Page, Query, Section};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::dovecot::{Dovecot, LIMIT, fill, message};
use crate::proxy::{Fault, Proxy};

/// How long a server is waited for that has stopped.
const SHORT: Duration = Duration::from_secs(3);
/// Lines of a login: the capabilities before it, the mechanism, the password, the capabilities after it, and who we are.
const LOGIN: usize = 5;
/// Cases at one time: they mostly wait.
const AT_ONCE: usize = 24;

const ALL: Page = Page { offset: 0, limit: 100 };
const FAULTS: [Fault; 4] = [Fault::CutBefore, Fault::CutAfter, Fault::Stall, Fault::Garble];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    List,
    Search,
    Summaries,
    Body,
    Flags,
    Copy,
    Trash,
    Append,
}

/// Every question and how many lines it has, on a connection that is logged in.
const QUESTIONS: [(Question, usize); 8] = [
    (Question::List, 1),
    (Question::Search, 2),
    (Question::Summaries, 2),
    (Question::Body, 2),
    (Question::Flags, 2),
    (Question::Copy, 2),
    (Question::Trash, 3),
    // Of which the message is eleven.
    (Question::Append, 14),
];

/// Asks it of a folder with the messages 1 and 2; the answer in short.
async fn ask(account: &Account, question: Question, folder: &str) -> Result<String, Error> {
    match question {
        Question::List => {
            let folders = account.list_folders(Count::Messages).await?;
            let ours = folders.iter().find(|one| one.name == folder).and_then(|one| one.counts);
            Ok(format!("{:?}", ours.map(|counts| counts.messages)))
        }
        Question::Search => Ok(format!(
            "{:?}",
            account.search(folder, None, &Query::Subject("1".to_owned()), ALL).await?.uids
        )),
        Question::Summaries => {
            let found = account.summaries(folder, None, &[1, 2]).await?;
            let uids: Vec<_> = found.messages.iter().map(|message| message.uid).collect();
            Ok(format!("{uids:?} {:?} {:?}", found.gone, found.unreadable))
        }
        Question::Body => {
            let body = account.body(folder, None, 1, &Section::Part("1".to_owned()), 0)?.all(1000).await?;
            Ok(String::from_utf8_lossy(&body).trim_end().to_owned())
        }
        Question::Flags => {
            account.set_flags(folder, None, &[1], FlagChange::Add, &[Flag::Answered]).await?;
            Ok(String::new())
        }
        Question::Copy => Ok(format!("{:?}", account.copy(folder, None, &[1], folder).await?.uids)),
        Question::Trash => Ok(format!("{:?}", account.trash(folder, None, &[1]).await?.uids.len())),
        Question::Append => Ok(format!(
            "{:?}",
            account.append(folder, &[], None, message("new", "ü\r\nx")).await?.map(|put| put.uid)
        )),
    }
}

/// The folder of one case.
fn folder(question: Question, fault: Fault, line: usize, cold: bool) -> String {
    format!("{question:?}-{fault:?}-{line}-{cold}")
}

/// One case; `false` when the question has fewer lines.
async fn check(server: Arc<Dovecot>, question: Question, fault: Fault, line: usize, cold: bool) -> bool {
    let name = folder(question, fault, line, cold);
    let direct = server.account_at("alice", server.imap, LIMIT);
    fill(&direct, &name, 2).await;
    let right = match question {
        Question::List => "Some(2)",
        Question::Search => "[2]",
        Question::Summaries => "[1, 2] [] []",
        Question::Body => "text 0",
        Question::Flags => "",
        Question::Copy => "[(1, 3)]",
        Question::Trash => "1",
        Question::Append => "Some(3)",
    };
    let proxy = Proxy::start(server.imap).await;
    let account = server.account_at("alice", proxy.port, SHORT);
    if !cold {
        account.capabilities().await.unwrap();
    }
    proxy.arm(line, fault);
    let begun = Instant::now();
    let answer = ask(&account, question, &name).await;
    let took = begun.elapsed();
    if !proxy.disarm() {
        assert_eq!(answer.as_deref(), Ok(right), "{name}: nothing broke");
        return false;
    }
    assert!(took < SHORT * 3, "{name}: {took:?} for {answer:?}");
    match &answer {
        Ok(answer) => assert_eq!(answer, right, "{name}"),
        Err(Error::Lost { outcome, .. } | Error::Timeout { outcome, .. }) => {
            let there = direct.search(&name, None, &Query::All, ALL).await.unwrap().total;
            let answered = Query::Flag(Flag::Answered);
            let changed = there != 2 || direct.search(&name, None, &answered, ALL).await.unwrap().total > 0;
            assert!(*outcome == Outcome::Unknown || !changed, "{name}: something was done: {answer:?}");
        }
        Err(
            Error::Unreachable { .. }
            | Error::Refused { .. }
            | Error::Authentication { .. }
            | Error::NoSuchFolder { .. },
        ) => {}
        Err(error) => panic!("{name}: {error:?}"),
    }
    // What was unsure is not asked again; anything else is answered.
    let uids = ask(&account, Question::Search, &name).await;
    let uids = uids.unwrap_or_else(|error| panic!("{name}: the next question after {answer:?}: {error}"));
    assert!(uids.contains('2'), "{name}: {uids}");
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_survives_a_line_that_breaks() {
    let server = Arc::new(Dovecot::start_in_lines());
    let mut cases = Vec::new();
    for (question, lines) in QUESTIONS {
        // The login is the same for all.
        let with_login = (question == Question::List).then_some((true, lines + LOGIN));
        for (cold, lines) in [(false, lines)].into_iter().chain(with_login) {
            for (fault, line) in
                FAULTS.into_iter().flat_map(|fault| (1..=lines + 1).map(move |line| (fault, line)))
            {
                cases.push((question, fault, line, cold, line <= lines));
            }
        }
    }
    // Before anything else is asked, so that what is listed does not change meanwhile.
    let direct = server.account_at("alice", server.imap, LIMIT);
    for (question, fault, line, cold, _) in &cases {
        direct.create_folder(&folder(*question, *fault, *line, *cold)).await.unwrap();
    }
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (question, fault, line, cold, breaks) in cases {
        let (server, places) = (Arc::clone(&server), Arc::clone(&places));
        running.spawn(async move {
            let _place = places.acquire().await.unwrap();
            let broke = check(server, question, fault, line, cold).await;
            assert_eq!(broke, breaks, "{question:?}: whether it has a line {line}");
        });
    }
    while let Some(case) = running.join_next().await {
        case.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_again_is_not_noticed() {
    let mut server = Dovecot::start();
    let account = server.account("alice");
    let uids = fill(&account, "INBOX", 3).await;
    for _ in 0..2 {
        server.restart();
        assert_eq!(account.search("INBOX", None, &Query::All, ALL).await.unwrap().total, uids.len());
        server.restart();
        // What changes something is asked once, and a dead line is found before it is.
        account.set_flags("INBOX", None, &uids, FlagChange::Add, &[Flag::Seen]).await.unwrap();
        server.restart();
        assert!(account.append("Drafts", &[], None, message("x", "y")).await.unwrap().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_callers_share_two_connections() {
    let server = Dovecot::start_in_lines();
    let direct = server.account("alice");
    let uids = fill(&direct, "INBOX", 20).await;
    let proxy = Proxy::start(server.imap).await;
    let account = server.account_at("alice", proxy.port, LIMIT);
    let mut callers = JoinSet::new();
    for n in 0..20 {
        let (account, uids) = (account.clone(), uids.clone());
        callers.spawn(async move {
            for _ in 0..5 {
                let found =
                    account.search("INBOX", None, &Query::Subject(format!("number {n}")), ALL).await.unwrap();
                assert!(found.uids.contains(&uids[n]));
                let summaries = account.summaries("INBOX", Some(found.uid_validity), &uids).await.unwrap();
                assert_eq!(summaries.messages.len(), 20);
                let part = Section::Part("1".to_owned());
                let body = account.body("INBOX", None, uids[n], &part, 0).unwrap().all(100).await.unwrap();
                assert_eq!(String::from_utf8(body).unwrap().trim_end(), format!("text {n}"));
            }
        });
    }
    while let Some(done) = callers.join_next().await {
        done.unwrap();
    }
    assert_eq!(proxy.open_max(), 2);
}

/// Whoever stops waiting leaves nothing behind that the next one reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_leaves_does_no_harm() {
    let server = Dovecot::start();
    let account = server.account("alice");
    let uids = fill(&account, "INBOX", 10).await;
    for n in 0..60_u64 {
        let question = account.summaries("INBOX", None, &uids);
        drop(tokio::time::timeout(Duration::from_micros(n * 100), question).await);
        let one = uids[usize::try_from(n).unwrap() % uids.len()];
        let found = account.summaries("INBOX", None, &[one]).await.unwrap();
        assert_eq!(found.messages.iter().map(|message| message.uid).collect::<Vec<_>>(), [one]);
    }
}
