//! Further tries: when one is due, and how the last failure is kept.

use std::time::Duration;

use serde_json::Value;
use store::Outlasts;
use workflow::model::Again;
use workflow::{Kind, Scope, Step, patience};

use super::machine::{Machine, failed, holds, new_row};
use crate::failure::{Failure, Flow, Stop};
use crate::journal::now;
use crate::record::{Event, Row, StepState};

impl Machine {
    /// A step of steps that has a time, or further tries, or a winner: those are written down.
    pub(super) async fn block_tried(
        &self,
        step: &Step,
        kind: Kind<'_>,
        scope: &mut Scope,
        path: &str,
    ) -> Flow<Value> {
        loop {
            let known = self.row(path);
            let row = match known {
                Some(row) if row.state == StepState::Failed => return Err(failed(&row).into()),
                Some(row) if row.state == StepState::Again => {
                    self.until(row.until_ms.unwrap_or_default()).await?;
                    let next = Row {
                        state: StepState::Begun,
                        attempt: row.attempt + 1,
                        begun_ms: now(),
                        until_ms: None,
                        ..row
                    };
                    self.put(next.clone(), Vec::new(), None, Outlasts::Crash).await?;
                    next
                }
                Some(row) => row,
                None => {
                    let row = new_row(path, kind.word());
                    self.put(row.clone(), Vec::new(), None, Outlasts::Crash).await?;
                    row
                }
            };
            let inner = if row.attempt == 1 { path.to_owned() } else { format!("{path}#{}", row.attempt) };
            let is_done = row.state == StepState::Done;
            let work = self.block(kind, scope, path, &inner);
            let outcome = match step.timeout.filter(|_| !is_done) {
                None => work.await,
                Some(timeout) => {
                    let left = row.begun_ms + timeout.ms() - now();
                    let left = Duration::from_millis(u64::try_from(left).unwrap_or_default());
                    if let Ok(outcome) = tokio::time::timeout(left, work).await {
                        outcome
                    } else {
                        self.agent.journal().abandon(self.run.seq, &inner).await?;
                        Err(Failure::new("timeout", format!("it took longer than {timeout}")).at(path).into())
                    }
                }
            };
            match outcome {
                Ok(value) if is_done => return Ok(row.outcome.unwrap_or(value)),
                Ok(value) => {
                    let done = Row { state: StepState::Done, outcome: Some(value.clone()), ..row };
                    self.put(done, Vec::new(), None, Outlasts::Crash).await?;
                    return Ok(value);
                }
                Err(Stop::Failed(failure)) => self.failed(step, scope, row, *failure, true).await?,
                Err(stop) => return Err(stop),
            }
        }
    }

    /// Writes down a failure: as the last one, which is returned, or with when the next try is due.
    pub(crate) async fn failed(
        &self,
        step: &Step,
        scope: &Scope,
        row: Row,
        failure: Failure,
        may_repeat: bool,
    ) -> Flow<()> {
        let failure = failure.at(&row.path);
        let failure = Failure {
            message: self.masks.text(&failure.message),
            data: self.masks.value(*failure.data).into(),
            ..failure
        };
        let again = step.retry.as_ref().filter(|_| may_repeat).map(workflow::model::Retry::full);
        let wait = match &again {
            Some(again) if Self::wants(again, scope, &failure).map_err(|why| why.at(&row.path))? => {
                patience::wait(again, row.attempt, fastrand::f64())
            }
            _ => None,
        };
        let path = row.path.clone();
        if let Some(wait) = wait {
            let until = now() + i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            let text =
                format!("try {} failed ({}); the next one in {wait:.1?}", row.attempt, failure.message);
            let row =
                Row { state: StepState::Again, until_ms: Some(until), outcome: Some(failure.value()), ..row };
            self.put(row, vec![Event::new(&path, "retrying", text)], None, Outlasts::Crash).await
        } else {
            let event = Event::new(&path, "step_failed", format!("{}: {}", failure.kind, failure.message));
            let row = Row { state: StepState::Failed, outcome: Some(failure.value()), until_ms: None, ..row };
            self.put(row, vec![event], None, Outlasts::Crash).await?;
            Err(failure.into())
        }
    }

    fn wants(again: &Again, scope: &Scope, failure: &Failure) -> Result<bool, Failure> {
        again
            .when
            .as_ref()
            .map_or(Ok(true), |when| holds(when, &scope.clone().with("error", &failure.value())))
    }
}
