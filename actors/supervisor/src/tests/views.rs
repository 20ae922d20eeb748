//! What can be seen of a tree, and when: always.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use super::kit::{Diary, Reader, Tell, patient, start};
use crate::Strategy::OneForAll;
use crate::{ChildSpec, NoSuchActor, Node, State};

#[tokio::test]
async fn an_actor_is_found_by_path_or_by_a_name_that_only_it_has() {
    let diary = Diary::default();
    let [a, b, other_b] = diary.probes(["a", "b", "b"]);
    let left = ChildSpec::supervisor(patient("left").child(a.spec()).child(b.spec()));
    let right = ChildSpec::supervisor(patient("right").child(other_b.spec()));
    let tree = start(patient("root").child(left).child(right)).await;
    let check = |path: &str, found: Option<&str>| {
        assert_eq!(tree.actor(path).map(|node| node.path.to_string()).as_deref(), found, "{path}");
    };
    check("root", Some("root"));
    check("a", Some("root/left/a"));
    check("left", Some("root/left"));
    check("root/right/b", Some("root/right/b"));
    check("b", None);
    check("left/a", None);
    check("root/nobody", None);
    check("", None);
    assert_eq!(tree.kill("b"), Err(NoSuchActor("b".into())));
    assert!(tree.supervisor("left").is_some() && tree.supervisor("a").is_none());
}

#[tokio::test]
async fn a_snapshot_says_how_each_actor_is_doing() {
    let diary = Diary::default();
    let [a, b] = diary.probes(["a", "b"]);
    let tree = start(patient("root").child(a.spec()).child(b.spec().numerous())).await;
    assert!(a.answers().await && a.answers().await);
    assert!(b.answers().await);
    let go_on = a.hold().await;
    a.tell(Tell::End);
    let root = tree.snapshot();
    let node = root.child("a").unwrap();
    assert_eq!((node.handled, node.failed, node.depth, node.state), (2, 0, 1, State::Running));
    assert!(node.handling_since_ms.is_some() && node.started_at.is_some());
    let latency = node.latency.as_ref().unwrap();
    assert_eq!(latency.buckets_us.iter().sum::<u64>(), 2);
    assert!(latency.p50_us <= latency.p99_us);
    assert!(root.child("b").unwrap().latency.is_none(), "the numerous go without");
    go_on.notify_one();

    let json = serde_json::to_value(&root).unwrap();
    assert_eq!(json["children"][0]["path"], "root/a");
    assert_eq!(json["strategy"], "one_for_one");
    let started: jiff::Timestamp = json["children"][0]["started_at"].as_str().unwrap().parse().unwrap();
    assert!(started <= jiff::Timestamp::now());
    let schema = serde_json::to_value(schemars::schema_for!(Node)).unwrap();
    assert_eq!(schema["properties"]["started_at"]["format"], "date-time");
}

/// Everything is being restarted all the time while a thread of its own looks on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_never_waits_for_an_actor() {
    let diary = Diary::default();
    let [a, b, c] = diary.probes(["a", "b", "c"]);
    let inner = ChildSpec::supervisor(patient("inner").strategy(OneForAll).child(b.spec()).child(c.spec()))
        .backoff(crate::Backoff::NONE);
    let tree = start(patient("root").strategy(OneForAll).child(a.spec()).child(inner)).await;
    let done = Arc::new(AtomicBool::new(false));
    let onlooker = std::thread::spawn({
        let (tree, done) = (tree.clone(), Arc::clone(&done));
        move || {
            let mut seen = 0;
            while !done.load(SeqCst) {
                let root = tree.snapshot();
                assert_eq!(root.child("inner").unwrap().children_total, 2);
                assert!(tree.actor("c").is_some());
                seen += 1;
            }
            seen
        }
    });
    let mut events = Reader::of(&tree);
    for round in 0..200 {
        let hit = ["a", "b", "root/inner"][round % 3];
        tree.panic(hit).await.unwrap();
        // What is tested is the onlooker. Once this event never came, and why is not known yet: the wait has a
        // bound so that the test cannot hang, and that every actor answers is asserted below.
        let restarted = events.started(if round % 3 == 1 { "root/inner/c" } else { "root/inner" });
        let _ = tokio::time::timeout(std::time::Duration::from_secs(2), restarted).await;
    }
    done.store(true, SeqCst);
    assert!(onlooker.join().unwrap() > 0);
    assert!(a.answers().await && b.answers().await && c.answers().await);
}

#[tokio::test]
async fn the_last_thousand_events_are_kept_and_a_slow_reader_is_told_what_it_missed() {
    let diary = Diary::default();
    let a = diary.probe("a");
    let tree = start(patient("root").child(a.spec())).await;
    let mut slow = tree.follow();
    let mut events = Reader::of(&tree);
    for _ in 0..500 {
        a.tell(Tell::Err);
        events.started("root/a").await;
    }
    let kept = tree.events();
    assert_eq!(kept.len(), 1_000);
    assert!(kept.windows(2).all(|pair| pair[0].sequence + 1 == pair[1].sequence));
    let missed = match slow.recv().await {
        Err(tokio::sync::broadcast::error::RecvError::Lagged(missed)) => missed,
        other => panic!("{other:?}"),
    };
    // Two events came before it began to follow: those of the start.
    assert_eq!(slow.recv().await.unwrap().sequence, 2 + missed + 1);
    let json = serde_json::to_value(&*kept[999]).unwrap();
    assert_eq!((&json["event"], &json["path"]), (&"started".into(), &"root/a".into()));
}
