//! Walks through the steps: conditions, further tries, what is caught and what is done in the end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use protocol::dispatch::BoxFuture;
use protocol::{Caller, Cause};
use serde_json::Value;
use store::Outlasts;
use workflow::mask::Masks;
use workflow::model::{Catch, Condition};
use workflow::{Kind, Scope, Step, Workflow, expr};

use crate::failure::{Failure, Flow, Stop};
use crate::journal::now;
use crate::live::Live;
use crate::record::{Event, Row, Run, State, StepState};
use crate::service::Agent;

/// How often the oldest events are looked for that can be forgotten.
const TRIM_EVERY: usize = 512;

/// A clock may be set while something waits; it is looked at this often.
const LOOK: Duration = Duration::from_mins(1);

/// A run under way.
pub(crate) struct Machine {
    pub(crate) agent: Agent,
    pub(crate) run: Run,
    pub(crate) workflow: Workflow,
    pub(crate) caller: Arc<Caller>,
    pub(crate) live: Arc<Live>,
    pub(crate) rows: Mutex<HashMap<String, Row>>,
    pub(crate) masks: Masks,
    pub(crate) scope: Scope,
    pub(crate) told: AtomicUsize,
}

/// `base/id`.
pub(crate) fn join(base: &str, id: &str) -> String {
    if base.is_empty() { id.to_owned() } else { format!("{base}/{id}") }
}

pub(crate) fn holds(condition: &Condition, scope: &Scope) -> Result<bool, Failure> {
    expr::holds(condition.source(), scope).map_err(template)
}

pub(crate) fn template(why: String) -> Failure {
    Failure::new("template", why)
}

impl Machine {
    // === The journal, as the walk sees it ===

    pub(crate) fn rows(&self) -> MutexGuard<'_, HashMap<String, Row>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn row(&self, path: &str) -> Option<Row> {
        self.rows().get(path).cloned()
    }

    /// Writes down how a step is. `state` is how the run is with it.
    pub(crate) async fn put(
        &self,
        row: Row,
        events: Vec<Event>,
        state: Option<State>,
        outlasts: Outlasts,
    ) -> Flow<()> {
        let most = self.agent.settings().steps;
        {
            let rows = self.rows();
            if rows.len() >= most && !rows.contains_key(&row.path) {
                let message =
                    format!("the run has done {most} steps, which is as many as agent.steps allows");
                return Err(Failure::new("too_many_steps", message).at(&row.path).into());
            }
        }
        let count = events.len();
        let last = self.agent.journal().step(self.run.seq, &row, events, state, outlasts).await?;
        self.rows().insert(row.path.clone(), row);
        self.live.tell(last);
        let told = self.told.fetch_add(count, Ordering::Relaxed);
        if told / TRIM_EVERY != (told + count) / TRIM_EVERY {
            self.agent.journal().trim(self.run.seq, self.agent.settings().log_lines).await?;
        }
        Ok(())
    }

    /// Whether it may go on.
    pub(crate) fn go_on(&self) -> Flow<()> {
        match self.live.stop.cause() {
            None => Ok(()),
            Some(Cause::Shutdown) => Err(Stop::Shutdown),
            Some(_) => Err(Stop::Asked),
        }
    }

    /// Resolves when it is to stop.
    pub(crate) async fn stopped(&self) -> Stop {
        match self.live.stop.cancelled().await {
            Cause::Shutdown => Stop::Shutdown,
            _ => Stop::Asked,
        }
    }

    /// Waits until a time of the clock.
    pub(crate) async fn until(&self, ms: i64) -> Flow<()> {
        loop {
            let left = ms - now();
            if left <= 0 {
                return self.go_on();
            }
            let left = Duration::from_millis(u64::try_from(left).unwrap_or_default()).min(LOOK);
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                stop = self.stopped() => return Err(stop),
            }
        }
    }

    // === The whole ===

    /// Everything, and what it comes to.
    pub(crate) async fn whole(&self) -> Flow<Value> {
        let mut scope = self.scope.clone();
        let limit = self
            .workflow
            .timeout
            .map(|timeout| self.run.started_ms.unwrap_or_else(now) + timeout.ms() - now());
        let steps = self.list(&self.workflow.steps, &mut scope, String::new());
        let mut outcome = match limit {
            None => steps.await,
            Some(left) => {
                let left = Duration::from_millis(u64::try_from(left).unwrap_or_default());
                if let Ok(outcome) = tokio::time::timeout(left, steps).await {
                    outcome
                } else {
                    self.agent.journal().abandon(self.run.seq, "").await?;
                    Err(Failure::new("timeout", "the run took longer than its `timeout`").into())
                }
            }
        };
        if let Err(Stop::Failed(failure)) = outcome {
            outcome = self.caught(self.workflow.catch.as_ref(), *failure, &mut scope, "").await;
        }
        if !self.workflow.finally.is_empty()
            && !matches!(outcome, Err(Stop::Asked | Stop::Shutdown | Stop::Lost(_)))
        {
            let ended = self.list(&self.workflow.finally, &mut scope, "finally".to_owned()).await;
            outcome = ended.and(outcome);
        }
        outcome?;
        let output = match &self.workflow.outputs {
            Some(outputs) => {
                expr::render(outputs, &scope).map_err(|why| template(format!("outputs: {why}")))?
            }
            None => scope.group("steps"),
        };
        self.within(self.masks.value(output), "outputs")
    }

    /// A value that is not too large to keep.
    pub(crate) fn within(&self, value: Value, path: &str) -> Flow<Value> {
        let most = self.agent.settings().output_kb * 1024;
        let length = value.to_string().len() as u64;
        if length <= most {
            return Ok(value);
        }
        let message = format!(
            "it comes to {length} bytes, and {most} are kept at most (agent.output_kb): write it into a file, or let \
             `outputs` say what of it is needed"
        );
        Err(Failure::new("too_large", message).at(path).into())
    }

    // === Lists ===

    // === One step ===

    pub(super) async fn step(&self, step: &Step, scope: &mut Scope, base: &str) -> Flow<Value> {
        self.go_on()?;
        let path = join(base, &step.id);
        if let Some(condition) = &step.condition
            && !holds(condition, scope).map_err(|failure| failure.at(&path))?
        {
            scope.set_in("steps", &step.id, &Value::Null);
            return Ok(Value::Null);
        }
        let mut outcome = match &step.for_each {
            Some(over) => self.each(step, over, scope, &path).await,
            None => self.tried(step, scope, &path).await,
        };
        if let Err(Stop::Failed(failure)) = outcome {
            outcome = self.caught(step.catch.as_ref(), *failure, scope, &path).await;
        }
        if !step.finally.is_empty() && !matches!(outcome, Err(Stop::Asked | Stop::Shutdown | Stop::Lost(_))) {
            let ended = self.list(&step.finally, scope, join(&path, "finally")).await;
            outcome = ended.and(outcome);
        }
        let mut value = outcome?;
        if let Some(outputs) = &step.outputs {
            let own = scope.clone().with("result", &value);
            let made =
                expr::render(outputs, &own).map_err(|why| template(format!("outputs: {why}")).at(&path))?;
            value = self.within(self.masks.value(made), &path)?;
        }
        scope.set_in("steps", &step.id, &value);
        Ok(value)
    }

    /// What is done about a failure, if anything is.
    async fn caught(
        &self,
        catch: Option<&Catch>,
        failure: Failure,
        scope: &mut Scope,
        base: &str,
    ) -> Flow<Value> {
        let Some(catch) = catch else { return Err(failure.into()) };
        let (steps, when, name) = catch.parts();
        let mut own = scope.clone().with(name, &failure.value());
        if let Some(when) = when
            && !holds(when, &own.clone().with("error", &failure.value())).map_err(|why| why.at(base))?
        {
            return Err(failure.into());
        }
        let outcome = self.list(steps, &mut own, join(base, "catch")).await;
        scope.merge("steps", &own);
        scope.merge("vars", &own);
        outcome
    }

    // === Tries ===

    /// A step, as often as it may be tried.
    pub(super) fn tried<'a>(
        &'a self,
        step: &'a Step,
        scope: &'a mut Scope,
        path: &'a str,
    ) -> BoxFuture<'a, Flow<Value>> {
        async move {
            let Some(kind) = step.kind() else { return Ok(Value::Null) };
            if !is_block(&kind) {
                return self.leaf(step, kind, scope, path).await;
            }
            let competes = matches!(kind, Kind::Parallel(parallel) if parallel.compete);
            if step.retry.is_none() && step.timeout.is_none() && !competes {
                return self.block(kind, scope, path, path).await;
            }
            self.block_tried(step, kind, scope, path).await
        }
        .boxed()
    }
}

/// A step that begins now.
pub(crate) fn new_row(path: &str, kind: &str) -> Row {
    Row {
        path: path.to_owned(),
        kind: kind.to_owned(),
        state: StepState::Begun,
        attempt: 1,
        begun_ms: now(),
        until_ms: None,
        detail: None,
        outcome: None,
    }
}

/// The failure that a row has.
pub(crate) fn failed(row: &Row) -> Failure {
    let kept = row.outcome.clone().and_then(|value| serde_json::from_value(value).ok());
    kept.unwrap_or_else(|| Failure::new("unknown", "it failed")).at(&row.path)
}

/// Whether a step is made of steps.
fn is_block(kind: &Kind<'_>) -> bool {
    matches!(kind, Kind::Parallel(_) | Kind::Switch(_) | Kind::Steps(_))
}
