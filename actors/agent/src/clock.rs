//! Begins runs that are due by the clock. How far each schedule has been looked after is in the journal, together with the
//! run, so that none is begun twice and what was missed while nothing ran is known.

use std::time::Duration;

use jiff::Timestamp;
use protocol::Error;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use serde_json::{Value, json};
use supervisor::{ChildSpec, Slot, Tasks};
use workflow::model::{Overlap, Schedule};
use workflow::schedule::Due;

use crate::library::Known;
use crate::record::Owner;
use crate::service::{Agent, id_of, ticket};

/// A clock may be set, and a machine may sleep: it is looked this often.
const LOOK: Duration = Duration::from_secs(30);

/// How late a run begins that was not missed: a busy machine wakes up late.
const LATE_MS: i64 = 10_000;

/// Between tries where the journal or the lock cannot be had.
const AGAIN: Duration = Duration::from_secs(5);

struct Clock;

/// The clock as a child.
pub(crate) fn child(agent: &Agent) -> ChildSpec {
    let agent = agent.clone();
    ChildSpec::worker("agent-clock", &Slot::vacant(), move |context| {
        (Clock, (agent.clone(), context.tasks()))
    })
}

impl Actor for Clock {
    type Msg = ();
    type State = Tasks;
    type Arguments = (Agent, Tasks);

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        (agent, tasks): Self::Arguments,
    ) -> Result<Tasks, ActorProcessingErr> {
        tasks.spawn(async move {
            let mut changes = agent.library().changes();
            loop {
                changes.borrow_and_update();
                agent.clerk().look();
                let wait = match look(&agent).await {
                    Ok(next) => next.map_or(LOOK, |next| from_now(next).min(LOOK)),
                    Err(error) => {
                        tracing::debug!(%error, "schedules are not looked after here");
                        AGAIN
                    }
                };
                tokio::select! {
                    _ = changes.changed() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
        });
        Ok(tasks)
    }
}

fn from_now(time: Timestamp) -> Duration {
    let ms = time.as_millisecond() - Timestamp::now().as_millisecond();
    // A moment later than the time itself, so that it is over then.
    Duration::from_millis(u64::try_from(ms).unwrap_or_default() + 1)
}

/// Begins what is due; when the next is.
async fn look(agent: &Agent) -> Result<Option<Timestamp>, Error> {
    let set = agent.library().set();
    let mut next: Option<Timestamp> = None;
    for known in set.values().filter_map(|known| known.as_ref().ok()) {
        for (place, schedule) in known.workflow.on.iter().flat_map(|on| on.schedule.iter().enumerate()) {
            let Ok(due) = Due::of(schedule) else { continue };
            agent.clerk().ready().await?;
            look_at(agent, known, place, schedule, &due).await?;
            let then = due.after(Timestamp::now());
            next = match (next, then) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
    }
    Ok(next)
}

async fn look_at(
    agent: &Agent,
    known: &Known,
    place: usize,
    schedule: &Schedule,
    due: &Due,
) -> Result<(), Error> {
    let id = &known.workflow.id;
    let says = serde_json::to_string(&(&schedule.cron, &schedule.timezone)).map_err(Error::internal)?;
    let now = Timestamp::now();
    let Some(last) = agent.journal().looked_after(id, place, &says).await? else {
        // From here on.
        let now = now.as_millisecond();
        return agent.journal().make_due(None, id, place, &says, now).await.map(drop);
    };
    let since = Timestamp::from_millisecond(last).unwrap_or(now);
    let Some(then) = due.last(since, now) else { return Ok(()) };
    let late = now.as_millisecond() - then.as_millisecond();
    let may = schedule.catch_up.map_or(0, workflow::Span::ms).max(LATE_MS);
    let run = if late > may {
        tracing::warn!(workflow = id, due = %then, "a run was missed and is too late to be made up for");
        None
    } else {
        made(agent, known, place, schedule, then).await?
    };
    let begin = run.as_ref().map(ticket);
    let made = agent.journal().make_due(run, id, place, &says, then.as_millisecond()).await?;
    if let Some(begin) = begin.filter(|_| made) {
        agent.clerk().begin(begin);
    }
    Ok(())
}

/// The run that is due, if it is to be.
async fn made(
    agent: &Agent,
    known: &Known,
    place: usize,
    schedule: &Schedule,
    then: Timestamp,
) -> Result<Option<crate::record::NewRun>, Error> {
    let workflow = &known.workflow;
    let before = agent.journal().active_of(&workflow.id, "schedule").await?;
    let mut known = known.clone();
    match schedule.overlap {
        Overlap::Skip if !before.is_empty() => {
            tracing::info!(workflow = workflow.id, due = %then, "left out: the run before it is still under way");
            return Ok(None);
        }
        Overlap::Replace => {
            for one in before {
                agent.stop(&one).await?;
            }
        }
        // It waits for its turn, of which there is one.
        Overlap::Queue if workflow.concurrency.is_none() => {
            let mut one = workflow::Workflow::clone(workflow);
            one.concurrency = Some(1);
            known.definition = serde_json::to_string(&one).map_err(Error::internal)?.into();
            known.workflow = one.into();
        }
        Overlap::Skip | Overlap::Queue | Overlap::Allow => {}
    }
    let Some(owner) = agent.owner() else {
        let owner = &agent.settings().owner;
        tracing::warn!(workflow = workflow.id, owner, "nobody of this name is known (agent.owner): not run");
        return Ok(None);
    };
    let inputs = schedule.inputs.clone().map_or(Value::Null, Value::Object);
    let cause = json!({ "by": "schedule", "due": then.to_string() });
    let id = id_of(&format!("schedule:{}:{place}:{then}", workflow.id));
    match Agent::new_run(&known, Owner::of(&owner), inputs, cause, &id, None) {
        Ok(new) => Ok(Some(new)),
        Err(error) => {
            tracing::warn!(workflow = workflow.id, %error, "a run that is due cannot be made");
            Ok(None)
        }
    }
}
