//! Number. (How fast a restart is: `tests/panics.rs`.)

use std::time::Instant;

use super::kit::{Diary, NEVER, Tell, patient, start};
use crate::{ChildSpec, Exit, Slot};

/// Some are stopped on request, some killed, some panic; the rest ends by itself.
/// Nothing of them may stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_sessions_leave_nothing_behind() {
    const SESSIONS: usize = 10_000;
    let diary = Diary::default();
    let sessions = patient("sessions").dynamic(SESSIONS);
    let handle = sessions.handle();
    let tree = start(patient("root").child(ChildSpec::supervisor(sessions))).await;
    let supervisor = || tree.root().below.as_ref().unwrap().find("sessions").unwrap();
    let probe = diary.probe("s");
    let mut slots = Vec::new();
    for number in 0..SESSIONS {
        let (slot, actor) = (Slot::vacant(), probe.clone());
        let spec = ChildSpec::once(format!("s{number}"), &slot, move |_| (actor, ()));
        handle.start_child(spec.numerous()).await.unwrap();
        slots.push(slot);
    }
    let node = tree.actor("sessions").unwrap();
    assert_eq!((node.children_total, node.children.len()), (SESSIONS, 100));
    assert!(tree.events().len() < 10, "they do not crowd out other events");

    for (number, slot) in slots.iter().enumerate() {
        match number % 5 {
            0 => handle.stop_child(&format!("s{number}")).await.unwrap(),
            1 => tree.kill(&format!("root/sessions/s{number}")).unwrap(),
            2 if number % 100 == 2 => slot.cast(Tell::Panic).unwrap(),
            _ => slot.cast(Tell::End).unwrap(),
        }
    }
    let deadline = Instant::now() + NEVER;
    while tree.actor("sessions").unwrap().children_total > 0 {
        assert!(Instant::now() < deadline, "they end");
        tokio::task::yield_now().await;
    }
    assert_eq!(supervisor().cell().unwrap().get_children().len(), 0, "nor in ractor's own tree");
    assert!(slots.iter().all(|slot| !slot.is_filled()));
    let lived = diary.take();
    assert_eq!(lived.matches("+s").count(), lived.matches("-s").count());
    assert_eq!(tree.stop(NEVER).await, Exit::Stopped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_sessions_stop_together() {
    let diary = Diary::default();
    let sessions = patient("sessions").dynamic(10_000);
    let handle = sessions.handle();
    let tree = start(patient("root").child(ChildSpec::supervisor(sessions))).await;
    for number in 0..10_000 {
        let actor = diary.probe("s");
        let spec = ChildSpec::once(format!("s{number}"), &Slot::vacant(), move |_| (actor, ()));
        handle.start_child(spec.numerous()).await.unwrap();
    }
    assert_eq!(tree.stop(NEVER).await, Exit::Stopped);
    let lived = diary.take();
    assert_eq!((lived.matches("+s").count(), lived.matches("-s").count()), (10_000, 10_000));
}
