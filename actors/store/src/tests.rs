//! The store as its callers see it.

use rusqlite::params;

use super::*;

fn open() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

fn insert(name: &'static str) -> impl FnOnce(&Connection) -> rusqlite::Result<()> + Send {
    move |db| {
        db.execute(
            "INSERT INTO tokens (name, hash, created_ms) VALUES (?1, ?2, 0)",
            params![name, name.as_bytes()],
        )
        .map(drop)
    }
}

fn names(store: &Store) -> Vec<String> {
    store
        .read_blocking(|db| {
            db.prepare("SELECT name FROM tokens ORDER BY name")?.query_map([], |row| row.get(0))?.collect()
        })
        .unwrap()
}

#[test]
fn what_was_acknowledged_is_there_for_another_process() {
    let (dir, store) = open();
    store.write_blocking(insert("a")).unwrap();
    let other = Store::open(dir.path()).unwrap();
    assert_eq!(names(&other), ["a"]);
    other.write_blocking(insert("b")).unwrap();
    assert_eq!(names(&store), ["a", "b"]);
}

#[tokio::test]
async fn one_failing_change_leaves_the_others_of_its_batch() {
    let (_dir, store) = open();
    let (a, again, b) =
        tokio::join!(store.write(insert("a")), store.write(insert("a")), store.write(insert("b")));
    assert!(a.is_ok() && b.is_ok());
    assert!(matches!(again, Err(StoreError::Change(_))));
    assert_eq!(names(&store), ["a", "b"]);
}

#[tokio::test]
async fn a_panicking_change_is_rolled_back_and_the_writer_lives() {
    let (_dir, store) = open();
    let outcome = store
        .write(|db| -> rusqlite::Result<()> {
            insert("half")(db)?;
            panic!("in the middle")
        })
        .await;
    assert!(matches!(outcome, Err(StoreError::Closed)));
    store.write(insert("after")).await.unwrap();
    assert_eq!(names(&store), ["after"]);
}

#[test]
fn readers_cannot_write() {
    let (_dir, store) = open();
    assert!(store.read_blocking(|db| insert("x")(db)).is_err());
}

#[test]
fn a_newer_file_is_refused_by_name() {
    let (dir, store) = open();
    store.write_blocking(|db| db.pragma_update(None, "user_version", 99)).unwrap();
    drop(store);
    let error = Store::open(dir.path()).err().unwrap().to_string();
    assert!(error.contains("newer llmbasedos") && error.contains("99"), "{error}");
}

#[tokio::test]
async fn what_outlasts_a_crash_only_is_committed_too_and_by_turns() {
    let (dir, store) = open();
    for (name, outlasts) in
        [("a", Outlasts::Crash), ("b", Outlasts::PowerCut), ("c", Outlasts::Crash), ("d", Outlasts::Crash)]
    {
        store.write_to(outlasts, insert(name)).await.unwrap();
        assert!(names(&Store::open(dir.path()).unwrap()).contains(&name.to_owned()));
    }
    let mode = |db: &Connection| db.pragma_query_value(None, "synchronous", |row| row.get::<_, u32>(0));
    // 1 is NORMAL, 2 is FULL: a change sees what its own commit will do.
    assert_eq!(store.write_to(Outlasts::Crash, mode).await.unwrap(), 1);
    assert_eq!(store.write(mode).await.unwrap(), 2);
}
