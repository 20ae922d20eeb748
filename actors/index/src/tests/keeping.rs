//! The index is what the files are.

use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::World;
use crate::Mode;

fn made(world: &World) -> usize {
    world.model.made.load(Ordering::SeqCst)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_is_read_and_nothing_else() {
    let world = World::new().await;
    world.file("/a.txt", "roses").file("/b.txt", "trains").file("/deep/c.txt", "bread");
    world.current().await;
    assert_eq!((made(&world), world.index.status(&["/"]).unwrap().files), (3, 3));
    world.current().await;
    assert_eq!(made(&world), 3, "nothing changed");
    world.file("/a.txt", "tulips");
    fs::remove_file(world.host("/b.txt")).unwrap();
    world.file("/d.txt", "cheese");
    world.current().await;
    assert_eq!(made(&world), 5);
    assert_eq!(world.paths("tulips", Mode::Keyword).await, ["/a.txt"]);
    assert_eq!(world.paths("trains roses", Mode::Keyword).await, Vec::<String>::new());
    assert_eq!(world.index.status(&["/"]).unwrap().files, 3);
    assert_eq!(world.index.status(&["/deep"]).unwrap().files, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_folder_is_not_read_again() {
    let world = World::new().await;
    for n in 0..50 {
        world.file(&format!("/old/{n}.txt"), format!("sentence number {n}"));
    }
    world.current().await;
    let (files, _) = world.index.done();
    fs::rename(world.host("/old"), world.host("/new")).unwrap();
    world.current().await;
    assert_eq!((made(&world), world.index.done().0), (50, files));
    let found = world.paths("number 17", Mode::Keyword).await;
    assert_eq!(found[0], "/new/17.txt");
    assert_eq!(world.index.status(&["/old"]).unwrap().files, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_is_there_after_every_end_and_never_made_again() {
    let mut world = World::new().await;
    world.file("/a.txt", "roses in the garden").file("/b.txt", "trains to Berlin");
    world.current().await;
    for _ in 0..3 {
        world = world.again().await;
        world.current().await;
        assert_eq!(made(&world), 2);
        assert_eq!(world.paths("garden roses", Mode::Semantic).await[0], "/a.txt");
    }
    // Parts on the disk are a cache.
    let folder = world.state().join("index");
    world = world.again().await;
    fs::remove_dir_all(&folder).unwrap();
    world = world.again().await;
    world.current().await;
    assert_eq!(made(&world), 2);
    assert_eq!(world.paths("garden roses", Mode::Semantic).await[0], "/a.txt");
}

/// A world whose model is another one since it was started, of as many dimensions, and whose vectors are held back.
async fn with_another_model() -> World {
    let world = World::new().await;
    world.file("/a.txt", "roses").file("/b.txt", "trains");
    world.current().await;
    world.model.version.store(1, Ordering::SeqCst);
    // The first tells which model it is.
    *world.model.held.lock().unwrap() = Some((1, 1));
    world.again().await
}

fn let_go(world: &World) {
    *world.model.held.lock().unwrap() = None;
    world.model.go.notify_all();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_model_makes_all_vectors_anew_while_the_earlier_one_answers() {
    let world = with_another_model().await;
    for _ in 0..3 {
        let answer = world.ask("roses", Mode::Semantic).await.unwrap();
        assert_eq!((answer.hits[0].path.as_str(), answer.without_meaning), ("/a.txt", None));
    }
    let beside = || world.index.status(&["/"]).unwrap();
    while beside().wanting != 1 {
        world.index.news().await;
    }
    assert_eq!(beside().vectors, 2, "beside one another");
    assert_eq!(world.paths("roses", Mode::Semantic).await[0], "/a.txt");
    let_go(&world);
    world.file("/c.txt", "bread");
    world.current().await;
    assert_eq!(made(&world), 2 + 3);
    let asked = world.model.asked.load(Ordering::SeqCst);
    assert_eq!(world.paths("bread", Mode::Semantic).await[0], "/c.txt");
    assert_eq!(world.model.asked.load(Ordering::SeqCst), asked, "the earlier one is no longer asked");
    // And so it stays.
    let world = world.again().await;
    world.current().await;
    assert_eq!((made(&world), world.index.status(&["/"]).unwrap().vectors), (2 + 3, 3));
    let folders = fs::read_dir(world.state().join("index")).unwrap().count();
    assert_eq!(folders, 1, "the earlier one's parts are gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_model_goes_on_after_an_end() {
    let world = with_another_model().await;
    assert_eq!(world.paths("roses", Mode::Semantic).await[0], "/a.txt");
    let_go(&world);
    *world.model.held.lock().unwrap() = None;
    let world = world.again().await;
    // Nobody saves anything and nobody asks.
    world.current().await;
    let goes_on = async {
        while made(&world) < 4 || world.index.status(&["/"]).unwrap().wanting > 0 {
            world.index.news().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), goes_on).await.expect("it goes on by itself");
    assert_eq!(world.index.status(&["/"]).unwrap().vectors, 2);
    assert_eq!(world.paths("trains", Mode::Semantic).await[0], "/b.txt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_changed_and_changed_back_makes_nothing_anew() {
    let world = with_another_model().await;
    assert_eq!(world.paths("roses", Mode::Semantic).await[0], "/a.txt");
    world.model.version.store(0, Ordering::SeqCst);
    let_go(&world);
    let world = world.again().await;
    world.current().await;
    let before = made(&world);
    assert_eq!(world.paths("roses", Mode::Semantic).await[0], "/a.txt");
    assert_eq!(made(&world), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_looked_into_is_not_forgotten() {
    let world = World::new().await;
    world.file("/shut/a.txt", "roses").file("/open/b.txt", "trains");
    world.current().await;
    // As if /shut could not be opened for a moment.
    let (shut, aside) = (world.host("/shut"), world.state().join("aside"));
    fs::rename(&shut, &aside).unwrap();
    world.unread.lock().unwrap().push("/shut".to_owned());
    world.current().await;
    assert_eq!(world.index.status(&["/"]).unwrap().files, 2);
    world.unread.lock().unwrap().clear();
    world.current().await;
    assert_eq!(world.index.status(&["/"]).unwrap().files, 1, "and gone it is when that is seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unwatched_is_forgotten_and_what_is_renewed_is_read() {
    let world = World::new().await;
    world.file("/docs/a.txt", "roses").file("/other/b.txt", "trains");
    world.index.watch("/docs", true).await.unwrap().done().await;
    world.index.watch("/other", true).await.unwrap().done().await;
    assert_eq!(world.index.status(&["/"]).unwrap().watched, ["/docs", "/other"]);
    assert_eq!(world.index.unwatch("/docs").await.unwrap(), (1, 1));
    assert_eq!(world.paths("roses", Mode::Keyword).await, Vec::<String>::new());
    let (before, _) = world.index.done();
    for ticket in world.index.renew("/").await.unwrap() {
        ticket.done().await;
    }
    assert_eq!(world.index.done().0, before + 1);
    assert_eq!(world.paths("trains", Mode::Keyword).await, ["/other/b.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_skipped_with_a_reason() {
    let world = World::new().await;
    world.file("/a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").file("/b.txt", "").file("/c.txt", "words");
    world.file("/long.txt", "x".repeat(2 * 1024 * 1024));
    world.current().await;
    let status = world.index.status(&["/"]).unwrap();
    assert_eq!((status.files, status.skipped), (1, 3));
}
