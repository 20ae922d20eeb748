//! Steps that wait for a person: those that ask for a yes, and those of which nobody else can know what became.

use serde_json::json;
use store::Outlasts;
use workflow::model::{Question, Silence};

use super::leaf::DETAIL_CHARS;
use super::machine::{Machine, new_row};
use super::work::{Work, silence_at};
use crate::failure::{Failure, Flow};
use crate::record::{Event, Row, State, StepState};

impl Machine {
    /// Asks a person, and waits for the answer.
    pub(crate) async fn ask(&self, row: Row, question: &Question) -> Flow<()> {
        let path = row.path.clone();
        let (until, fresh) =
            if row.state == StepState::Asks { (row.until_ms, false) } else { (silence_at(question), true) };
        if fresh {
            let message = self.masks.text(&question.message);
            let event = Event::new(&path, "asks", message.clone());
            let row = Row { state: StepState::Asks, until_ms: until, detail: Some(message), ..row };
            self.put(row, vec![event], Some(State::Waiting), Outlasts::PowerCut).await?;
        }
        if self.answered(&path, until).await? {
            Ok(())
        } else {
            let row = self.row(&path).unwrap_or_else(|| new_row(&path, "approve"));
            let (state, outcome, text) = match question.on_timeout {
                Silence::Approve => (
                    StepState::Done,
                    json!({ "approved": true, "by": null, "note": null }),
                    "nobody answered in time, which counts as a yes",
                ),
                Silence::Reject => (
                    StepState::Failed,
                    Failure::new("rejected", "nobody answered in time").at(&path).value(),
                    "nobody answered in time, which counts as a no",
                ),
            };
            let row = Row { state, outcome: Some(outcome), until_ms: None, ..row };
            self.put(row, vec![Event::new(&path, "decided", text)], None, Outlasts::PowerCut).await?;
            Ok(self.agent.journal().goes_on(self.run.seq).await?)
        }
    }

    /// Has a person decide about what may or may not have been done.
    pub(super) async fn ask_about(&self, row: Row, work: &Work, why: &str) -> Flow<()> {
        self.ask_whether(row, &work.line(), why).await
    }

    /// The same for what `line` says.
    pub(crate) async fn ask_whether(&self, row: Row, line: &str, why: &str) -> Flow<()> {
        let path = row.path.clone();
        let what = self.masks.text(line);
        let what: String = what.chars().take(DETAIL_CHARS).collect();
        let message = format!(
            "Nobody knows whether this was done: {what} ({why}). To do it twice may not be what doing it once is. Look, and \
             then: mcp.agent.approve with \"repeat\": true to do it (again), mcp.agent.approve with \"outcome\" to go on as \
             if it had come to that, or mcp.agent.reject to have the step fail."
        );
        let event = Event::new(&path, "asks", message.clone());
        let row = Row { state: StepState::Asks, until_ms: None, detail: Some(message), ..row };
        self.put(row, vec![event], Some(State::Waiting), Outlasts::PowerCut).await?;
        self.answered(&path, None).await.map(drop)
    }

    /// Waits until a person has decided; `false` when nobody has until then.
    pub(crate) async fn answered(&self, path: &str, until: Option<i64>) -> Flow<bool> {
        let mut decided = self.live.decided.subscribe();
        loop {
            decided.borrow_and_update();
            let row = self.agent.journal().one_step(self.run.seq, path).await?;
            if let Some(row) = row.filter(|row| row.state != StepState::Asks) {
                self.rows().insert(path.to_owned(), row);
                self.agent.journal().goes_on(self.run.seq).await?;
                return Ok(true);
            }
            let late = async {
                match until {
                    Some(until) => self.until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = decided.changed() => if changed.is_err() { return Err(self.stopped().await) },
                late = late => return late.map(|()| false),
                stop = self.stopped() => return Err(stop),
            }
        }
    }
}
