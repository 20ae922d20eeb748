//! What callers see while actors come and go.

use std::time::Duration;

use super::kit::{Debt, Diary, NEVER, Reader, Tell, patient, start};
use crate::{Backoff, CallError, Reason};

#[tokio::test(start_paused = true)]
async fn between_death_and_restart_nobody_is_there() {
    let diary = Diary::default();
    let a = diary.probe("a");
    let undelivered = a.slot.cast(Tell::End).unwrap_err();
    assert_eq!(undelivered.reason, Reason::Vacant);
    assert!(matches!(undelivered.message, Tell::End), "the message comes back");
    assert_eq!(a.slot.call(Tell::Answer, NEVER).await, Err(CallError::Unavailable));

    let backoff = Backoff { immediate: 0, first: Duration::from_secs(5), ..Backoff::default() };
    let tree = start(patient("root").child(a.spec().backoff(backoff))).await;
    assert!(a.answers().await);

    let mut events = Reader::of(&tree);
    a.tell(Tell::Panic);
    events.waits_ms("root/a", 1).await;
    assert!(!a.slot.is_filled());
    assert_eq!(a.slot.call(Tell::Answer, NEVER).await, Err(CallError::Unavailable));
    events.started("root/a").await;
    assert!(a.answers().await);
}

#[tokio::test]
async fn what_waits_in_the_mailbox_of_a_dead_actor_is_dropped() {
    for fault in [|| Tell::Panic, || Tell::Err] {
        let diary = Diary::default();
        let a = diary.probe("a");
        let tree = start(patient("root").child(a.spec())).await;
        let mut events = Reader::of(&tree);
        diary.take();

        let go_on = a.hold().await;
        a.tell(fault());
        a.tell(Tell::Owe(Debt("rent", diary.clone())));
        a.tell(Tell::Owe(Debt("bail", diary.clone())));
        let slot = a.slot.clone();
        let call = slot.call(Tell::Answer, NEVER);
        assert_eq!(tree.actor("a").unwrap().depth, 3);
        let (answer, ()) = tokio::join!(call, async { go_on.notify_one() });
        assert_eq!(answer, Err(CallError::Died), "the caller learns it at once");
        events.started("root/a").await;
        assert_eq!(diary.take(), "paid rent paid bail -a +a");
        assert_eq!(tree.actor("a").unwrap().depth, 0);
        assert!(a.answers().await);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_not_waited_for() {
    let diary = Diary::default();
    let a = diary.probe("a");
    let _tree = start(patient("root").child(a.spec())).await;
    let _go_on = a.hold().await;
    let answer = a.slot.call(Tell::Answer, Duration::from_millis(50)).await;
    assert_eq!(answer, Err(CallError::TimedOut));
}

#[tokio::test]
async fn an_actor_can_write_to_itself() {
    let diary = Diary::default();
    let a = diary.probe("a");
    let tree = start(patient("root").child(a.spec())).await;
    assert_eq!(a.slot.call(Tell::AnswerLater, NEVER).await, Ok("yes"));
    assert!(a.answers().await);
    assert_eq!(tree.actor("a").unwrap().depth, 0, "messages that nobody counted do not throw it off");
}
