//! Children that come and go.

use super::kit::{Diary, NEVER, Reader, Tell, patient, start};
use crate::{ChildError, ChildSpec, Exit, Restart, Slot, State, Tasks};

#[tokio::test]
async fn a_dynamic_child_lives_by_the_same_rules() {
    let diary = Diary::default();
    let [a, b, c] = diary.probes(["a", "b", "c"]);
    let spec = patient("root").dynamic(2).child(a.spec());
    let handle = spec.handle();
    let tree = start(spec).await;
    let mut events = Reader::of(&tree);
    handle.start_child(b.spec().restart(Restart::Transient)).await.unwrap();
    b.tell(Tell::Panic);
    events.started("root/b").await;
    events.started("root/b").await;

    assert!(matches!(handle.start_child(a.spec()).await, Err(ChildError::AlreadyThere(_))));
    assert!(matches!(handle.start_child(b.spec()).await, Err(ChildError::AlreadyThere(_))));
    handle.start_child(c.spec()).await.unwrap();
    let spare = diary.probe("spare");
    assert!(matches!(handle.start_child(spare.spec()).await, Err(ChildError::Full { max: 2 })));

    b.tell(Tell::End);
    events.stopped("root/b").await;
    handle.stop_child("c").await.unwrap();
    let children = handle.children().await.unwrap();
    assert_eq!(children.len(), 1, "what ended for good is no child any more");
    assert_eq!((tree.snapshot().children_total, &*children[0].id), (1, "a"));
    assert!(matches!(handle.restart_child("b").await, Err(ChildError::NoSuchChild(_))));
}

#[tokio::test]
async fn a_dynamic_child_that_does_not_start_was_never_there() {
    let diary = Diary::default();
    let a = diary.probe("a");
    a.bad_starts.store(1, std::sync::atomic::Ordering::SeqCst);
    let spec = patient("root").dynamic(1);
    let handle = spec.handle();
    let tree = start(spec).await;
    assert!(matches!(handle.start_child(a.spec()).await, Err(ChildError::NotStarted(_))));
    assert_eq!(tree.snapshot().children_total, 0);
    handle.start_child(a.spec()).await.unwrap();
    assert!(matches!(
        handle.start_child(ChildSpec { id: "a/b".into(), ..a.spec() }).await,
        Err(ChildError::Spec(_))
    ));
}

#[tokio::test]
async fn a_supervisor_can_be_a_dynamic_child() {
    let diary = Diary::default();
    let [a, b] = diary.probes(["a", "b"]);
    let spec = patient("root").dynamic(1);
    let handle = spec.handle();
    let tree = start(spec).await;
    let inner = ChildSpec::supervisor(patient("inner").child(a.spec()).child(b.spec()));
    handle.start_child(inner.restart(Restart::Temporary)).await.unwrap();
    assert!(a.answers().await);
    assert_eq!(tree.actor("root/inner/b").unwrap().state, State::Running);
    let mut events = Reader::of(&tree);
    tree.kill("inner").unwrap();
    events.failed("root/inner").await;
    assert!(!a.slot.is_filled() && !b.slot.is_filled());
    assert_eq!(handle.children().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_child_made_once_may_own_what_cannot_be_cloned() {
    let diary = Diary::default();
    let a = diary.probe("a");
    let spec = patient("root").dynamic(1);
    let handle = spec.handle();
    let _tree = start(spec).await;
    let connection = Box::new(a.clone());
    let once = ChildSpec::once("a", &Slot::vacant(), move |_| (*connection, ()));
    handle.start_child(once.numerous()).await.unwrap();
    assert_eq!(diary.take(), "+a");
}

#[tokio::test(start_paused = true)]
async fn dynamic_children_drain_together_and_before_the_fixed() {
    let diary = Diary::default();
    let [a, b, c] = diary.probes(["a", "b", "c"]);
    let spec = patient("root").dynamic(2).child(a.spec());
    let handle = spec.handle();
    let tree = start(spec).await;
    handle.start_child(b.spec()).await.unwrap();
    handle.start_child(c.spec()).await.unwrap();
    let _never = (b.hold().await, c.hold().await);
    diary.take();
    let begun = tokio::time::Instant::now();
    assert_eq!(tree.stop(NEVER).await, Exit::Stopped);
    assert_eq!(begun.elapsed().as_secs(), 5, "5 s for both, not for each");
    let lived = diary.take();
    assert!(lived == "-b -c -a" || lived == "-c -b -a", "{lived}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_may_ask_for_another_as_soon_as_it_runs() {
    let diary = Diary::default();
    let [first, later, asked] = diary.probes(["first", "later", "asked"]);
    let branch = patient("branch").dynamic(1);
    let (handle, tasks) = (branch.handle(), Tasks::named("test"));
    let (tell, mut told) = tokio::sync::mpsc::channel(1);
    let (asking, is_asked) = std::sync::mpsc::channel();
    let wanted = std::sync::Mutex::new(Some((asked.spec(), asking)));
    let probe = first.clone();
    let asks = ChildSpec::worker("first", &first.slot, move |_| {
        let (spec, asking) = wanted.lock().unwrap().take().unwrap();
        let (handle, tell) = (handle.clone(), tell.clone());
        tasks.spawn(async move {
            let mut answer = std::pin::pin!(handle.start_child(spec));
            let now =
                std::future::poll_fn(|context| std::task::Poll::Ready(answer.as_mut().poll(context))).await;
            asking.send(()).unwrap();
            let answer = match now {
                std::task::Poll::Ready(answer) => answer,
                std::task::Poll::Pending => answer.await,
            };
            tell.send(answer).await.unwrap();
        });
        (probe.clone(), ())
    });
    // It starts once that was asked, so that the supervisor has not started by then.
    let (probe, is_asked) = (later.clone(), std::sync::Mutex::new(is_asked));
    let starts = ChildSpec::worker("later", &later.slot, move |_| {
        is_asked.lock().unwrap().recv_timeout(NEVER).unwrap();
        (probe.clone(), ())
    });
    let tree = start(patient("root").child(ChildSpec::supervisor(branch.child(asks).child(starts)))).await;
    let answer = tokio::time::timeout(NEVER, told.recv()).await.unwrap();
    assert!(matches!(answer, Some(Ok(()))), "{answer:?}");
    assert!(asked.answers().await);
    assert_eq!(tree.actor("root/branch").unwrap().children_total, 3);
}
