//! Calls that outlast their request (the tasks extension, `io.modelcontextprotocol/tasks`).
//!
//! A call of a method that allows it is begun like any other. What it answers, or asks, within a moment is the
//! request's own answer; after that the request is answered with a task, and the outcome is kept for whoever
//! comes back with its id. Tasks live in memory: they are calls under way, and end with the process as those do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use protocol::mcp::InputRequest;
use protocol::{Cancel, Cause, Conclusion, Error, Id, Outbox, Payload};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use crate::asking::Asking;
use crate::native::{NativeCall, words};
use crate::out::Out;
use crate::questions::{Askable, Questions, Returned};
use crate::rpc::RpcError;
use crate::seal::unguessable;

/// What is answered within this is no task.
const GRACE: Duration = Duration::from_millis(250);

/// How long a task is kept, from its beginning. An hour, as a host may be closed over lunch.
const TTL_MS: u64 = 3_600_000;
const TTL: Duration = Duration::from_millis(TTL_MS);

/// How often a client should look.
const POLL_MS: u64 = 1000;

/// Letters that are kept of what a call says of itself.
const TOLD_MAX: usize = 500;

/// Tasks kept, of all callers and of one.
const TASKS_MAX: usize = 1000;
const TASKS_OF_ONE_MAX: usize = 100;

/// All tasks.
#[derive(Default)]
pub(crate) struct TaskBook(Mutex<HashMap<String, Arc<Task>>>);

/// One call that outlasts its request.
struct Task {
    id: String,
    caller: String,
    created: Timestamp,
    state: Mutex<State>,
    cancel: Mutex<Cancel>,
    changed: Notify,
    /// How to go on with answers.
    askable: Askable,
}

struct State {
    status: Status,
    /// How far it is, in the call's own words.
    told: Option<String>,
    updated: Timestamp,
}

enum Status {
    Working,
    Asking(Questions),
    Completed(String),
    Failed(RpcError),
    Cancelled,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    task_id: String,
    #[serde(default)]
    input_responses: Option<Map<String, Value>>,
}

// === impl TaskBook ===

impl TaskBook {
    /// Begins a call; answers with its outcome, or with a task.
    pub(crate) fn run(&self, mut askable: Askable, returned: Returned, mut out: Out) {
        let questions = match askable.resumed(returned) {
            Ok(questions) if questions.open.is_empty() => questions,
            Ok(questions) => return out.finish(askable.ask_in_result(questions)),
            Err(error) => return out.error(&error),
        };
        let task = match self.add(askable) {
            Ok(task) => task,
            Err(error) => return out.error(&error),
        };
        out.extend(Instant::now() + GRACE + Duration::from_secs(5));
        task.call(questions);
        let server = Arc::clone(&task.askable.server);
        let begun = Arc::clone(&task);
        server.tasks.spawn(async move { begun.introduce(out).await });
    }

    /// `tasks/get`, `tasks/update`, `tasks/cancel`.
    pub(crate) fn ask(
        &self,
        asking: &Asking,
        method: &str,
        params: Option<&RawValue>,
    ) -> Result<String, RpcError> {
        if !asking.capabilities.tasks {
            return Err(RpcError::of(&Error::missing_capability(protocol::mcp::Capability::Tasks)));
        }
        let params: Params =
            serde_json::from_str(params.map_or("{}", RawValue::get)).map_err(RpcError::invalid_params)?;
        let task = self.get(&params.task_id, &asking.caller.name)?;
        match method {
            "tasks/get" => return Ok(asking.complete(&task.described(asking))),
            "tasks/update" => task.update(params.input_responses.unwrap_or_default()),
            _ => task.cancel(),
        }
        Ok(asking.complete(""))
    }

    fn add(&self, askable: Askable) -> Result<Arc<Task>, RpcError> {
        let mut tasks = self.tasks();
        let now = Timestamp::now();
        tasks.retain(|_, task| now.duration_since(task.created) < TTL.try_into().unwrap_or_default());
        let caller = askable.asking.caller.name.clone();
        let own = tasks.values().filter(|task| task.caller == caller).count();
        if tasks.len() >= TASKS_MAX || own >= TASKS_OF_ONE_MAX {
            let error =
                Error::new(protocol::Code::Overloaded, "Too many tasks are kept. Wait for some to end.");
            return Err(RpcError::of(&error));
        }
        let task = Arc::new(Task {
            id: unguessable(),
            caller,
            created: now,
            state: Mutex::new(State { status: Status::Working, told: None, updated: now }),
            cancel: Mutex::default(),
            changed: Notify::new(),
            askable,
        });
        tasks.insert(task.id.clone(), Arc::clone(&task));
        Ok(task)
    }

    fn get(&self, id: &str, caller: &str) -> Result<Arc<Task>, RpcError> {
        let found = self.tasks().get(id).filter(|task| task.caller == caller).cloned();
        found.ok_or_else(|| RpcError::invalid_params("taskId is not one of yours, or its time is over"))
    }

    fn forget(&self, id: &str) {
        self.tasks().remove(id);
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<String, Arc<Task>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Task ===

impl Task {
    fn call(self: &Arc<Self>, questions: Questions) {
        let cancel = Cancel::new();
        *self.cancel.lock().unwrap_or_else(PoisonError::into_inner) = cancel.clone();
        // It may have been cancelled by whoever knew only the signal of the round before.
        if matches!(self.state().status, Status::Cancelled) {
            return;
        }
        let askable = &self.askable;
        let call = NativeCall {
            method: askable.method.clone(),
            params: askable.params.clone(),
            inputs: questions.inputs(&askable.asking),
            cancel,
            deadline: Instant::now() + TTL,
        };
        call.send_to(&askable.asking, &*askable.server.dispatch, Arc::new(Desk(Arc::clone(self))));
    }

    /// Answers the request that began the task: with what there is by now, or with the task.
    async fn introduce(self: Arc<Self>, out: Out) {
        let settled = async {
            loop {
                let changed = self.changed.notified();
                if !matches!(self.state().status, Status::Working) {
                    return;
                }
                changed.await;
            }
        };
        let askable = &self.askable;
        let at_once = tokio::select! {
            settled = tokio::time::timeout(GRACE, settled) => settled.is_ok(),
            // Nobody has been told of the task, so nobody could ever ask for it.
            _ = out.cancel.cancelled() => {
                self.cancel();
                askable.server.book.forget(&self.id);
                return;
            }
        };
        let outcome = match &self.state().status {
            Status::Completed(result) if at_once => Some(Ok(result.clone())),
            Status::Failed(error) if at_once => Some(Err(error.clone())),
            Status::Asking(questions) if at_once => Some(askable.ask_in_result(questions.clone())),
            _ => None,
        };
        if let Some(outcome) = outcome {
            askable.server.book.forget(&self.id);
            return out.finish(outcome);
        }
        let members = self.members();
        out.result(askable.asking.result("task", &members));
    }

    fn settle(&self, outcome: Result<Payload, Error>) {
        let askable = &self.askable;
        let mut state = self.state();
        if !matches!(state.status, Status::Working) {
            return;
        }
        state.status = match outcome.as_ref().err().and_then(Questions::of) {
            Some(questions) => match questions.unmet(&askable.asking) {
                Some(error) => Status::Failed(RpcError::of(&error)),
                None => Status::Asking(questions),
            },
            None => match (askable.finish)(&askable.server, &askable.asking, outcome) {
                Ok(result) => Status::Completed(result),
                Err(error) => Status::Failed(error),
            },
        };
        (state.told, state.updated) = (None, Timestamp::now());
        drop(state);
        self.changed.notify_waiters();
    }

    /// How far the call is: what a client sees that looks again.
    fn tell(&self, news: &str) {
        let Some(words) = serde_json::from_str(news).ok().as_ref().and_then(words) else { return };
        let mut state = self.state();
        if matches!(state.status, Status::Working) {
            (state.told, state.updated) = (Some(words.chars().take(TOLD_MAX).collect()), Timestamp::now());
        }
    }

    fn update(self: &Arc<Self>, responses: Map<String, Value>) {
        let mut state = self.state();
        let Status::Asking(questions) = &mut state.status else { return };
        questions.take(responses);
        if !questions.open.is_empty() {
            return;
        }
        let answered = std::mem::take(questions);
        *state = State { status: Status::Working, told: None, updated: Timestamp::now() };
        drop(state);
        self.call(answered);
    }

    fn cancel(&self) {
        let mut state = self.state();
        if matches!(state.status, Status::Working | Status::Asking(_)) {
            *state = State { status: Status::Cancelled, told: None, updated: Timestamp::now() };
            drop(state);
            self.cancel.lock().unwrap_or_else(PoisonError::into_inner).cancel(Cause::Cancelled);
            self.changed.notify_waiters();
        }
    }

    /// What every form of a task has.
    fn members(&self) -> String {
        let state = self.state();
        let status = match &state.status {
            Status::Working => "working",
            Status::Asking(_) => "input_required",
            Status::Completed(_) => "completed",
            Status::Failed(_) => "failed",
            Status::Cancelled => "cancelled",
        };
        let mut head = json!({
            "taskId": self.id, "status": status, "createdAt": self.created.to_string(),
            "lastUpdatedAt": state.updated.to_string(),
            "ttlMs": TTL_MS, "pollIntervalMs": POLL_MS,
        });
        if let Some(told) = &state.told {
            head["statusMessage"] = told.as_str().into();
        }
        let head = head.to_string();
        head[1..head.len() - 1].to_owned()
    }

    /// What `tasks/get` tells.
    fn described(&self, _asking: &Asking) -> String {
        let mut members = self.members();
        let more = match &self.state().status {
            Status::Working | Status::Cancelled => String::new(),
            Status::Asking(Questions { open, .. }) => format!(",\"inputRequests\":{}", requests(open)),
            Status::Completed(result) => format!(",\"result\":{result}"),
            Status::Failed(error) => format!(",\"error\":{}", error.text()),
        };
        members.push_str(&more);
        members
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn requests(open: &std::collections::BTreeMap<String, InputRequest>) -> Value {
    json!(open)
}

/// Where the method of a task answers.
struct Desk(Arc<Task>);

impl Outbox for Desk {
    fn answer(&self, _: u64, outcome: Result<Payload, Error>) {
        self.0.settle(outcome);
    }

    fn progress(&self, _: u64, news: String) {
        self.0.tell(&news);
    }

    fn conclude(&self, _: u64, _: Conclusion) {}

    fn notify(&self, _: u64, _: String) {}

    fn extend(&self, _: u64, _: Instant) {}

    fn cancel(&self, _: &Id) -> bool {
        false
    }
}
