//! The index is what the files are.

use std::fs;
use std::sync::atomic::Ordering;

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
    assert_eq!((made(&world), world.index.status("/").unwrap().files), (3, 3));
    world.current().await;
    assert_eq!(made(&world), 3, "nothing changed");
    world.file("/a.txt", "tulips");
    fs::remove_file(world.host("/b.txt")).unwrap();
    world.file("/d.txt", "cheese");
    world.current().await;
    assert_eq!(made(&world), 5);
    assert_eq!(world.paths("tulips", Mode::Keyword).await, ["/a.txt"]);
    assert_eq!(world.paths("trains roses", Mode::Keyword).await, Vec::<String>::new());
    assert_eq!(world.index.status("/").unwrap().files, 3);
    assert_eq!(world.index.status("/deep").unwrap().files, 1);
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
    assert_eq!(world.index.status("/old").unwrap().files, 0);
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

#[tokio::test(flavor = "multi_thread")]
async fn another_model_makes_all_vectors_anew() {
    let world = World::new().await;
    world.file("/a.txt", "roses").file("/b.txt", "trains");
    world.current().await;
    world.model.version.store(1, Ordering::SeqCst);
    let world = world.again().await;
    world.file("/c.txt", "bread");
    world.current().await;
    assert_eq!(world.paths("bread", Mode::Semantic).await[0], "/c.txt");
    assert_eq!(made(&world), 2 + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unwatched_is_forgotten_and_what_is_renewed_is_read() {
    let world = World::new().await;
    world.file("/docs/a.txt", "roses").file("/other/b.txt", "trains");
    world.index.watch("/docs", true).await.unwrap().done().await;
    world.index.watch("/other", true).await.unwrap().done().await;
    assert_eq!(world.index.status("/").unwrap().watched, ["/docs", "/other"]);
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
    let status = world.index.status("/").unwrap();
    assert_eq!((status.files, status.skipped), (1, 3));
}
