//! Tasks end with their owner.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::Notify;

use super::kit::{Debt, Diary, NEVER};
use crate::{Joined, Tasks};

#[tokio::test]
async fn tasks_end_with_their_owner() {
    let diary = Diary::default();
    let tasks = Tasks::named("test");
    let begun = Arc::new(Notify::new());
    let (debt, begins) = (Debt("begun", diary.clone()), Arc::clone(&begun));
    tasks.spawn(async move {
        let _debt = debt;
        begins.notify_one();
        std::future::pending::<()>().await;
    });
    begun.notified().await;
    let debt = Debt("never begun", diary.clone());
    let unbegun = tasks.spawn(async move {
        let _debt = debt;
    });
    assert_eq!(tasks.len(), 2);
    drop(tasks);
    while !unbegun.is_finished() {
        tokio::task::yield_now().await;
    }
    let mut paid: Vec<_> = diary.take().split("paid ").map(|name| name.trim().to_owned()).collect();
    paid.sort();
    assert_eq!(paid, ["", "begun", "never begun"]);
}

#[tokio::test(start_paused = true)]
async fn joining_waits_and_then_aborts() {
    let tasks = Tasks::named("test");
    tasks.spawn(tokio::time::sleep(Duration::from_secs(1)));
    assert_eq!(tasks.join_all(NEVER).await, Joined { aborted: 0 });
    tasks.spawn(std::future::pending());
    tasks.spawn(async { panic!("is no reason to wait") });
    assert_eq!(tasks.join_all(NEVER).await, Joined { aborted: 1 });
    assert!(tasks.is_empty());
}

#[tokio::test]
async fn blocking_work_is_waited_for() {
    let tasks = Tasks::named("test");
    let (go_on, goes_on) = mpsc::channel::<()>();
    tasks.spawn_blocking(move || goes_on.recv().unwrap());
    assert_eq!(tasks.len(), 1);
    go_on.send(()).unwrap();
    assert_eq!(tasks.join_all(NEVER).await, Joined { aborted: 0 });
}

#[tokio::test]
async fn a_task_that_panics_is_told_of_and_its_owner_goes_on() {
    use super::kit::{Reader, patient, start};
    use crate::{ChildSpec, Slot, What};
    let slot = Slot::vacant();
    let spec = ChildSpec::worker("owner", &slot, |context| (Owner, context.tasks()));
    let tree = start(patient("root").child(spec)).await;
    let mut events = Reader::of(&tree);
    slot.cast(()).unwrap();
    let lost = What::TaskFailed { text: "lost 1 page".into() };
    events.until("root/owner", |what| *what == lost).await;
    let owner = tree.actor("owner").unwrap();
    assert_eq!((owner.failed, owner.restarts), (1, 0));
}

struct Owner;

impl ractor::Actor for Owner {
    type Msg = ();
    type State = Tasks;
    type Arguments = Tasks;

    async fn pre_start(
        &self,
        _: ractor::ActorRef<()>,
        tasks: Tasks,
    ) -> Result<Tasks, ractor::ActorProcessingErr> {
        Ok(tasks)
    }

    async fn handle(
        &self,
        _: ractor::ActorRef<()>,
        (): (),
        tasks: &mut Tasks,
    ) -> Result<(), ractor::ActorProcessingErr> {
        tasks.spawn(async { panic!("lost {} page", 1) });
        Ok(())
    }
}
