//! Compression of what is said: that there is some, that nothing is lost by it, and that no bound is passed by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use imap::{Error, Page, Query, Section};
use supervisor::Tasks;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::dovecot::{Dovecot, LIMIT, with_attachment};
use crate::fake::Fake;

const OFFERED: &str = "IMAP4rev1 COMPRESS=DEFLATE";
const ALL: Page = Page { offset: 0, limit: 100 };

/// What went over a line.
#[derive(Default)]
struct Counted {
    there: AtomicU64,
    back: AtomicU64,
}

/// Counts what goes to the server and what comes back; the port that does.
async fn counting(server: u16, tasks: &Tasks) -> (u16, Arc<Counted>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let counted = Arc::<Counted>::default();
    let shared = Arc::clone(&counted);
    tasks.spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            tokio::join!(
                pass(from_client, to_server, &shared.there),
                pass(from_server, to_client, &shared.back)
            );
        }
    });
    (port, counted)
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, counted: &AtomicU64) {
    let mut bytes = vec![0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        counted.fetch_add(read as u64, Ordering::SeqCst);
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

/// Bytes that look like any others.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

#[tokio::test]
async fn fewer_bytes_are_sent_than_are_said() {
    let server = Dovecot::start();
    let tasks = Tasks::named("counting");
    // In base64 a third more.
    for (content, share) in [(noise(800_000), 85), (b"to be or not to be, ".repeat(40_000), 10)] {
        let (port, counted) = counting(server.imap, &tasks).await;
        let account = server.account_at("alice", port, LIMIT);
        let message = with_attachment("large", &content);
        assert!(message.len() > 1_000_000);
        let uid = account.append("Drafts", &[], None, message.clone()).await.unwrap().unwrap().uid;
        let there = counted.there.load(Ordering::SeqCst);
        let back_before = counted.back.load(Ordering::SeqCst);
        let body = account.body("Drafts", None, uid, &Section::Whole, 0).unwrap();
        assert!(body.all(usize::MAX).await.unwrap() == message, "it is another");
        let back = counted.back.load(Ordering::SeqCst) - back_before;
        let most = message.len() as u64 * share / 100;
        assert!(there < most && back < most, "{there} there and {back} back of {}", message.len());
    }
}

#[tokio::test]
async fn a_server_is_asked_to_where_it_says_that_it_can() {
    let usual = |_: &str| None;
    let refused = |command: &str| {
        command.starts_with("COMPRESS").then(|| "{tag} NO [COMPRESSIONACTIVE] it is\r\n".to_owned())
    };
    let not_understood =
        |command: &str| command.starts_with("COMPRESS").then(|| "{tag} BAD what\r\n".to_owned());
    // What is said behind a refusal is said as before.
    let and_more =
        |command: &str| command.starts_with("COMPRESS").then(|| "{tag} NO no\r\n* 5 EXISTS\r\n".to_owned());
    for (fake, asked) in [
        (Fake::start(OFFERED, usual), true),
        (Fake::start(OFFERED, refused), true),
        (Fake::start(OFFERED, not_understood), true),
        (Fake::start(OFFERED, and_more), true),
        (Fake::start("IMAP4rev1 COMPRESS=ZSTD", usual), false),
    ] {
        let account = fake.clear();
        for _ in 0..3 {
            account.search("INBOX", None, &Query::All, ALL).await.unwrap();
        }
        let seen = fake.seen();
        assert_eq!(seen.iter().any(|command| command == "COMPRESS DEFLATE"), asked, "{seen:?}");
        assert_eq!(fake.connections(), 1, "{seen:?}");
    }
}

#[tokio::test]
async fn what_is_no_deflate_ends_the_connection() {
    let fake = Fake::start(OFFERED, |command| {
        // A block of a kind that there is not.
        command.starts_with("COMPRESS").then(|| "{tag} OK begin\r\n\u{7}".to_owned())
    });
    let error = fake.clear().search("INBOX", None, &Query::All, ALL).await.unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
}

/// A thousand bytes come for each that is sent, and the bounds hold for what comes.
#[tokio::test]
async fn a_bomb_is_none() {
    for endless in [
        "* OK {forever}x",
        "* 1 FETCH (UID 1 BODY[] {16000000}\r\n{forever}x",
        "{forever}* 1 EXISTS\r\n",
        "{forever}+ \r\n",
        "{forever}x\r\n",
        "* 1 FETCH (UID 1 BODYSTRUCTURE {forever}(",
        "* SEARCH{forever} 1",
    ] {
        let fake = Fake::start(OFFERED, |command| command.starts_with("UID").then(|| endless.to_owned()));
        let account = fake.clear();
        let mut body = account.body("INBOX", None, 1, &Section::Whole, 0).unwrap();
        let error = body.next().await.unwrap_err();
        assert!(matches!(error, Error::Lost { .. }), "{endless:?}: {error:?}");
        assert!(fake.seen().iter().any(|command| command == "COMPRESS DEFLATE"));
    }
}

/// Nor does a task that always finds more to read outlast its deadline.
#[tokio::test]
async fn a_flood_ends_at_the_deadline() {
    for endless in ["{forever}* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n", "* SEARCH{forever} 1"] {
        let fake = Fake::start(OFFERED, |command| command.starts_with("UID").then(|| endless.to_owned()));
        let account = fake.account("ssl: false", Duration::from_millis(300));
        let begun = Instant::now();
        let error = account.search("INBOX", None, &Query::All, ALL).await.unwrap_err();
        assert!(matches!(error, Error::Lost { .. } | Error::Timeout { .. }), "{endless:?}: {error:?}");
        assert!(begun.elapsed() < LIMIT / 2, "{endless:?}: {:?}", begun.elapsed());
    }
}
