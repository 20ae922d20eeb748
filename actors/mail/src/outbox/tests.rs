//! What is written down of a message, and what a process makes of what another one left.

use std::sync::Arc;

use tempfile::TempDir;

use super::*;

fn open(folder: &TempDir) -> Outbox {
    Outbox::new(Store::open(folder.path()).unwrap())
}

/// The outbox of a process that has ended.
fn of_the_dead(folder: &TempDir) -> Outbox {
    let work = Work { process: "4194999 1".to_owned(), ids: Mutex::default(), done: Notify::new() };
    Outbox { store: Store::open(folder.path()).unwrap(), work: Arc::new(work) }
}

fn entry(key: Option<&str>, asked: u8) -> Arc<Entry> {
    Arc::new(Entry {
        account: "alice".to_owned(),
        key: key.map(str::to_owned),
        asked: [asked; 32],
        caller: "test".to_owned(),
        message_id: format!("{}@x", fastrand::u64(..)),
        subject: "Hello".to_owned(),
        recipients: vec![Recipient::new("bob@x".to_owned())],
        copy: Some(b"copy".to_vec()),
    })
}

async fn new(outbox: &Outbox, entry: Arc<Entry>) -> Working {
    match outbox.begin(entry).await.unwrap() {
        Begun::New(working) => working,
        _ => panic!("it is new"),
    }
}

fn told(state: State) -> Vec<Recipient> {
    let outcome = if state == State::Sent { Outcome::Accepted } else { Outcome::NotSent };
    vec![Recipient { address: "bob@x".to_owned(), outcome, reply: None }]
}

#[tokio::test]
async fn a_key_is_one_message() {
    let folder = TempDir::new().unwrap();
    let outbox = open(&folder);
    let working = new(&outbox, entry(Some("k"), 1)).await;
    assert!(matches!(outbox.begin(entry(Some("k"), 1)).await.unwrap(), Begun::UnderWay));
    assert!(matches!(outbox.begin(entry(Some("k"), 2)).await.unwrap(), Begun::Other));
    outbox.ended(working.id(), State::Sent, &told(State::Sent), None).await.unwrap();
    drop(working);
    let again = outbox.begin(entry(Some("k"), 1)).await.unwrap();
    assert!(matches!(again, Begun::Before(record) if record.state == State::Sent && record.copy_pending));
    // Another account's key is another key.
    let other =
        Arc::new(Entry { account: "carol".to_owned(), ..Arc::into_inner(entry(Some("k"), 2)).unwrap() });
    new(&outbox, other).await;
}

#[tokio::test]
async fn what_a_dead_process_left() {
    let folder = TempDir::new().unwrap();
    let dead = of_the_dead(&folder);
    let waiting = new(&dead, entry(Some("waiting"), 1)).await;
    let handing = new(&dead, entry(Some("handing"), 2)).await;
    dead.handing_over(handing.id(), &told(State::HandingOver)).await.unwrap();
    let sent = new(&dead, entry(Some("sent"), 3)).await;
    dead.ended(sent.id(), State::Sent, &told(State::Sent), None).await.unwrap();
    let left = new(&dead, entry(Some("left"), 4)).await;
    drop((waiting, handing, sent, left));

    let outbox = open(&folder);
    // Even before it is settled.
    let handing = outbox.begin(entry(Some("handing"), 2)).await.unwrap();
    assert!(matches!(&handing, Begun::Before(record)
        if record.state == State::Unknown && record.recipients[0].outcome == Outcome::Unknown));
    let working = new(&outbox, entry(Some("waiting"), 1)).await;
    outbox.settle("alice").await.unwrap();
    let states: Vec<_> = outbox.latest("alice", 10).await.unwrap().iter().map(|one| one.state).collect();
    assert_eq!(states.len(), 4);
    for (state, count) in [(State::Waiting, 1), (State::Unknown, 1), (State::Sent, 1), (State::NotSent, 1)] {
        assert_eq!(states.iter().filter(|one| **one == state).count(), count, "{state:?} in {states:?}");
    }
    let filed: Vec<_> = outbox.to_file("alice").await.unwrap();
    assert_eq!(filed.iter().map(|(_, _, bytes)| bytes.as_slice()).collect::<Vec<_>>(), [b"copy"]);
    drop(working);
    // Given up without a word: as if its process had ended.
    new(&outbox, entry(Some("waiting"), 1)).await;
}

#[tokio::test]
async fn the_same_message_without_a_key_is_the_same_for_a_day() {
    let folder = TempDir::new().unwrap();
    let outbox = open(&folder);
    let first = entry(None, 1);
    let working = new(&outbox, Arc::clone(&first)).await;
    outbox.ended(working.id(), State::Sent, &told(State::Sent), None).await.unwrap();
    drop(working);
    assert!(matches!(outbox.begin(entry(None, 1)).await.unwrap(), Begun::Before(_)));
    new(&outbox, entry(None, 2)).await;
    let day = 24 * 3_600_000;
    outbox
        .store
        .write(move |db| db.execute("UPDATE mail_outbox SET at_ms = at_ms - ?1", [day]))
        .await
        .unwrap();
    new(&outbox, entry(None, 1)).await;
}

#[tokio::test]
async fn what_is_old_is_forgotten_but_not_what_is_still_to_be_filed() {
    let folder = TempDir::new().unwrap();
    let outbox = open(&folder);
    for (key, filed) in [("filed", true), ("pending", false)] {
        let working = new(&outbox, entry(Some(key), 1)).await;
        outbox.ended(working.id(), State::Sent, &told(State::Sent), None).await.unwrap();
        if filed {
            outbox.filed(working.id(), "Sent", None).await.unwrap();
        }
    }
    let old = 91 * 24 * 3_600_000_i64;
    outbox
        .store
        .write(move |db| db.execute("UPDATE mail_outbox SET at_ms = at_ms - ?1", [old]))
        .await
        .unwrap();
    outbox.settle("alice").await.unwrap();
    let left = outbox.latest("alice", 10).await.unwrap();
    assert_eq!(left.iter().map(|one| one.copy_pending).collect::<Vec<_>>(), [true]);
}
