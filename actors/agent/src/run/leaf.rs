//! Steps that do something: what they are about to do is written down before, and what came of it after.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::Outlasts;
use workflow::{Kind, Scope, Step, inputs};

use super::machine::{Machine, failed, new_row};
use super::work::{Call, Work};
use crate::doors::{self, Became};
use crate::failure::{Failure, Flow, Stop};
use crate::record::{Event, Row, StepState};

/// As much of what a step is about to do as is kept for whoever must decide about it.
pub(super) const DETAIL_CHARS: usize = 2000;

/// Models take their time.
const MODEL_SECONDS: u64 = 600;

impl Machine {
    /// A step that does something, as often as it may be tried.
    pub(crate) async fn leaf(
        &self,
        step: &Step,
        kind: Kind<'_>,
        scope: &mut Scope,
        path: &str,
    ) -> Flow<Value> {
        let value = self.effect(step, kind, scope, path).await?;
        if let (Kind::Set(_), Value::Object(vars)) = (kind, &value) {
            for (name, value) in vars {
                scope.set_in("vars", name, value);
            }
        }
        Ok(value)
    }

    async fn effect(&self, step: &Step, kind: Kind<'_>, scope: &Scope, path: &str) -> Flow<Value> {
        loop {
            let known = self.row(path);
            let mut row = match known {
                Some(row) => match row.state {
                    StepState::Done => return Ok(row.outcome.unwrap_or_default()),
                    StepState::Failed => return Err(failed(&row).into()),
                    StepState::Again => {
                        self.until(row.until_ms.unwrap_or_default()).await?;
                        let attempt = row.attempt + 1;
                        Row { attempt, ..new_row(path, kind.word()) }
                    }
                    StepState::Begun | StepState::Asks | StepState::Granted => row,
                },
                None => new_row(path, kind.word()),
            };
            self.go_on()?;
            let begun_before = self.row(path).is_some_and(|known| known.state == StepState::Begun);
            let work = match self.work(step, kind, scope, path, row.begun_ms) {
                Ok(work) => work,
                Err(failure) => {
                    self.failed(step, scope, row, failure, false).await?;
                    continue;
                }
            };
            let asks = row.state == StepState::Asks;
            if asks && !matches!(work, Work::Ask(_)) {
                self.answered(path, row.until_ms).await?;
                continue;
            }
            if begun_before && !work.repeatable() {
                self.ask_about(row, &work, "llmbasedos ended in the middle of it").await?;
                continue;
            }
            if !asks {
                row.state = StepState::Begun;
            }
            let held = matches!(work, Work::Docker(_)).then(|| self.container_key(path, row.attempt));
            match self.perform(step, &work, row.clone(), path).await? {
                Performed::Decided => {}
                Performed::Became(Became::Done(value)) => {
                    let value = self.masks.value(value);
                    match self.within(value, path) {
                        Ok(value) => {
                            let mut events = Vec::new();
                            if let Work::Pure(_, event) = work {
                                events.push(self.masked(event));
                            } else {
                                events.push(Event::new(path, "step_completed", kind.word()));
                            }
                            row.state = StepState::Done;
                            row.until_ms = None;
                            row.outcome = Some(value.clone());
                            self.put(row, events, None, Outlasts::Crash).await?;
                            self.release_of(held).await;
                            return Ok(value);
                        }
                        Err(Stop::Failed(failure)) => {
                            let known = self.failed(step, scope, row, *failure, false).await;
                            self.release_of(held).await;
                            known?;
                        }
                        Err(stop) => return Err(stop),
                    }
                }
                Performed::Became(Became::Failed(failure)) => {
                    // What did not end in time may have been done all the same.
                    let may_repeat = failure.kind != "timeout" || work.repeatable();
                    let known = self.failed(step, scope, row, failure, may_repeat).await;
                    self.release_of(held).await;
                    known?;
                }
                Performed::Became(Became::Unknown(why)) if work.repeatable() => {
                    tracing::debug!(run = self.run.id, path, why, "done again, which is safe");
                    self.put(row, Vec::new(), None, Outlasts::Crash).await?;
                }
                Performed::Became(Became::Unknown(why)) => self.ask_about(row, &work, &why).await?,
                Performed::Became(Became::Later(_, failure)) => {
                    self.failed(step, scope, row, failure, true).await?;
                }
            }
        }
    }

    fn masked(&self, event: Event) -> Event {
        Event {
            text: self.masks.text(&event.text),
            data: event.data.map(|data| self.masks.value(data)),
            ..event
        }
    }

    fn limit(&self, step: &Step, kind_seconds: Option<u64>) -> Duration {
        let seconds = kind_seconds.unwrap_or(0).max(self.agent.settings().call_seconds);
        step.timeout.map_or(Duration::from_secs(seconds), workflow::Span::duration)
    }

    /// Does it.
    async fn perform(&self, step: &Step, work: &Work, mut row: Row, path: &str) -> Flow<Performed> {
        let detail: String = self.masks.text(&work.line()).chars().take(DETAIL_CHARS).collect();
        row.detail = Some(detail).filter(|detail| !detail.is_empty());
        let begins = |what: &str| vec![Event::new(path, "step_started", what)];
        // What cannot be repeated must be known to have been begun even after a power cut.
        let outlasts = if work.repeatable() { Outlasts::Crash } else { Outlasts::PowerCut };
        match work {
            Work::Pure(value, _) => Ok(Became::Done(value.clone()).into()),
            Work::Fail(failure) => Ok(Became::Failed(failure.clone()).into()),
            Work::Until(ms) => {
                row.until_ms = Some(*ms);
                self.put(row, begins("waits"), None, Outlasts::Crash).await?;
                self.until(*ms).await?;
                Ok(Became::Done(Value::Null).into())
            }
            Work::Ask(question) => {
                self.ask(row, question).await?;
                Ok(Performed::Decided)
            }
            Work::Call(call) => {
                self.put(row, begins(&call.method), None, outlasts).await?;
                let limit = self.limit(step, call.chat.is_some().then_some(MODEL_SECONDS));
                let became = self.undisturbed(self.call(call, limit), work.repeatable()).await?;
                Ok(became.into())
            }
            Work::Http(request, _) => {
                self.put(
                    row,
                    begins(&format!("{} {}", request.method, self.masks.text(&request.url))),
                    None,
                    outlasts,
                )
                .await?;
                let limit = request.timeout.unwrap_or_else(|| self.limit(step, None));
                let became = self.undisturbed(self.fetch(request, limit), work.repeatable()).await?;
                Ok(became.into())
            }
            Work::Docker(container) => {
                let key = self.container_key(path, row.attempt);
                self.put(row, begins(&format!("docker {}", container.image)), None, outlasts).await?;
                let limit = container.timeout.unwrap_or_else(|| self.limit(step, None));
                let became = self.undisturbed(self.contain(container, &key, limit), true).await;
                if became.as_ref().is_err_and(|stop| !matches!(stop, Stop::Shutdown)) {
                    self.release(&key).await;
                }
                Ok(became?.into())
            }
            Work::Run(sub) => {
                self.put(row, begins(&format!("workflow {}", sub.id)), None, Outlasts::Crash).await?;
                Ok(self.sub_run(sub, step, path).await?.into())
            }
            Work::Agent(agent) => {
                self.put(row, begins("agent"), None, Outlasts::Crash).await?;
                let limit = self.limit(step, Some(MODEL_SECONDS));
                let worked = tokio::time::timeout(limit, self.agent_loop(agent, path));
                let became = if let Ok(became) = worked.await {
                    became?
                } else {
                    self.agent.journal().abandon(self.run.seq, &format!("{path}/")).await?;
                    Became::Failed(Failure::new(
                        "timeout",
                        format!("the agent was not done within {limit:?}"),
                    ))
                };
                Ok(became.into())
            }
        }
    }

    /// Waits for what was begun. A run that is to stop gives it up; a process that is to end lets it come to its end as
    /// long as it may, so that the journal has what came of it.
    pub(crate) async fn undisturbed(
        &self,
        work: impl Future<Output = Became>,
        repeatable: bool,
    ) -> Flow<Became> {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            became = &mut work => Ok(became),
            stop = self.stopped() => match stop {
                Stop::Shutdown if !repeatable => Ok(work.await),
                stop => Err(stop),
            },
        }
    }

    // === Calls ===

    /// Makes a call, again and again while nobody has begun it.
    pub(crate) async fn call(&self, call: &Call, limit: Duration) -> Became {
        let most = self.agent.settings().output_kb * 1024;
        let deadline = Instant::now() + limit;
        let dispatch = match self.agent.dispatch() {
            Ok(dispatch) => dispatch,
            Err(error) => return Became::Failed(Failure::of(&error)),
        };
        loop {
            let became =
                doors::call(dispatch, &self.caller, &call.method, &call.params, deadline, most).await;
            match became {
                Became::Later(wait, failure) => {
                    if Instant::now() + wait >= deadline {
                        return Became::Failed(failure);
                    }
                    tokio::time::sleep(wait).await;
                }
                Became::Done(value) => {
                    return match &call.chat {
                        Some(chat) => answer(&value, chat.schema.as_ref()),
                        None => Became::Done(value),
                    };
                }
                other => return other,
            }
        }
    }
}

/// What became of a step.
enum Performed {
    /// The journal has it.
    Decided,
    Became(Became),
}

impl From<Became> for Performed {
    fn from(became: Became) -> Self {
        Self::Became(became)
    }
}

/// What a model answered, as a step's result.
fn answer(completion: &Value, schema: Option<&Value>) -> Became {
    let choice = &completion["choices"][0];
    let text = choice["message"]["content"].as_str().unwrap_or_default();
    let mut result = json!({
        "text": text,
        "message": choice["message"],
        "finish_reason": choice["finish_reason"],
        "model": completion["model"],
        "usage": completion["usage"],
    });
    if let Some(schema) = schema {
        match checked(text, schema) {
            Ok(json) => result["json"] = json,
            Err(why) => {
                let failure =
                    Failure::new("bad_answer", format!("The model's answer does not fit the schema: {why}"));
                return Became::Failed(failure.with_data(json!({ "text": text })));
            }
        }
    }
    Became::Done(result)
}

/// JSON in a text that a model wrote, if it is what the schema says.
pub(crate) fn checked(text: &str, schema: &Value) -> Result<Value, String> {
    let text = text.trim();
    let fenced = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    let inner = fenced.map_or(text, |rest| rest.strip_prefix("json").unwrap_or(rest).trim());
    let value: Value = serde_json::from_str(inner).map_err(|error| format!("it is no JSON: {error}"))?;
    let validator = inputs::compile(schema)?;
    let wrong: Vec<String> = validator.iter_errors(&value).take(3).map(|error| error.to_string()).collect();
    if wrong.is_empty() { Ok(value) } else { Err(wrong.join("; ")) }
}
