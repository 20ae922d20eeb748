//! Directories and links that trade places while they are being read.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::json;
use serde_json::value::RawValue;

use super::World;

/// What the original lost 69 of 571 reads to.
const READS: usize = 100_000;

/// Swaps two names for as long as `work` runs; how often that was.
fn while_swapping(world: &World, one: &str, other: &str, work: impl FnOnce()) -> u64 {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            let (one, other) = (world.host(one), world.host(other));
            let mut swaps = 0;
            while !stop.load(Ordering::Relaxed) {
                renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).unwrap();
                swaps += 1;
            }
            swaps
        });
        {
            let _stop = Stop(&stop);
            work();
        }
        swapper.join().unwrap()
    })
}

/// Stops the swapper also when the work fails.
struct Stop<'s>(&'s AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_swapped_directory_never_gives_the_outside_away() {
    let mut world = World::new();
    world.racing = true;
    world.file("swap/canary.txt", "inside").link("other", "../outside");
    let params = RawValue::from_string(json!(["/swap/canary.txt"]).to_string()).unwrap();
    let (mut inside, mut refused) = (0, 0);
    let swaps = while_swapping(&world, "swap", "other", || {
        for _ in 0..READS {
            match world.call_raw("read", params.clone()) {
                Ok(text) => {
                    assert!(text.contains(r#""content":"inside""#), "{text}");
                    inside += 1;
                }
                Err(error) => {
                    assert_eq!(super::kind_of(&error), "outside", "{error:?}");
                    refused += 1;
                }
            }
        }
    });
    assert_eq!(inside + refused, READS);
    // The race must have been one: both sides were met many times.
    assert!(
        swaps > 1000 && inside > 100 && refused > 100,
        "{swaps} swaps, {inside} inside, {refused} refused"
    );
}

#[test]
fn a_swapped_file_never_gives_the_outside_away_nor_is_written_through() {
    let mut world = World::new();
    world.racing = true;
    world.file("swap", "inside").link("other", "../outside/canary.txt");
    let before = world.outside();
    while_swapping(&world, "swap", "other", || {
        // Every change waits for the disk, so fewer turns are as long a race.
        for n in 0..60 {
            for (method, params) in [
                ("read", json!(["/swap"])),
                ("stat", json!({"path": "/swap", "etag": true})),
                ("append", json!(["/swap", "x"])),
                ("write", json!(["/swap", format!("inside {n}")])),
                ("grep", json!(["/", "CANARY"])),
                ("edit", json!(["/swap", [{"old": "CANARY", "new": "inside"}]])),
            ] {
                let said = match world.call(method, &params) {
                    Ok(result) => result.to_string(),
                    Err(error) => format!("{error:?}"),
                };
                assert_eq!(
                    world.discloses(&said).filter(|secret| secret != "CANARY"),
                    None,
                    "{method}: {said}"
                );
                assert!(!said.contains("CANARY!"), "{method}: {said}");
            }
        }
    });
    assert_eq!(world.outside(), before);
}

#[test]
fn a_walk_stays_inside_whatever_is_swapped_under_it() {
    let mut world = World::new();
    world.racing = true;
    for n in 0..20 {
        world.file(&format!("swap/d{n}/f"), "inside");
    }
    world.link("other", "../outside");
    let before = world.outside();
    while_swapping(&world, "swap", "other", || {
        for _ in 0..300 {
            for (method, params) in [
                ("find", json!(["/", "*"])),
                ("tree", json!({})),
                ("grep", json!(["/", "(CAN)ARY|inside"])),
                ("list", json!(["/swap"])),
            ] {
                if let Ok(result) = world.call(method, &params) {
                    let text = result.to_string();
                    assert_eq!(world.discloses(&text), None, "{method}: {text}");
                }
            }
        }
    });
    assert_eq!(world.outside(), before);
}

#[test]
fn deleting_a_swapped_tree_deletes_nothing_outside() {
    let mut world = World::new();
    world.racing = true;
    let before = world.outside();
    world.link("other", "../outside");
    for _ in 0..30 {
        for n in 0..10 {
            world.file(&format!("tree/swap/canary_directory/{n}"), "").directory("tree/b");
        }
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (one, other) = (world.host("tree/swap"), world.host("other"));
                while !done.load(Ordering::Relaxed) {
                    // Fails as soon as the tree is gone.
                    let _ = renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE);
                }
            });
            let _stop = Stop(&done);
            let _ = world.call("delete", &json!({"path": "/tree", "recursive": true, "permanent": true}));
        });
        assert_eq!(world.outside(), before);
        let _ = std::fs::remove_dir_all(world.host("tree"));
        let _ = std::fs::remove_dir_all(world.host("other"));
        let _ = std::fs::remove_file(world.host("other"));
        world.link("other", "../outside");
    }
}
