//! Tools that may outlast their request: as tasks, whose outcome is asked for later.

use std::time::Duration;

use protocol::{Context, Error};
use serde_json::json;

use crate::asking::{Keep, ask, field, filled};
use crate::samples::{failed, said};

/// Longer than anybody waits before a call becomes a task.
const LONG: Duration = Duration::from_secs(1);

/// What a call may ask for at most.
const SECONDS_MAX: Duration = Duration::from_mins(5);

fixture! {
    /// Works for as long as it is told, and stops when it is told to.
    SlowCompute = "mcp.slow.compute", task: Optional, limit: Duration::from_mins(6);
    {
        /// How long, in seconds.
        #[schemars(range(min = 0, max = 300))]
        seconds: u64,
        /// What to call the work.
        #[serde(default)]
        label: String,
    }
    |params, context, _| {
        let message = format!("0 of {} s", params.seconds);
        context.progress(&json!({ "progress": 0, "total": params.seconds, "message": message }));
        work(context, Duration::from_secs(params.seconds).min(SECONDS_MAX)).await?;
        let what = if params.label.is_empty() { "The work" } else { &params.label };
        Ok(said(&format!("{what} took {} s", params.seconds)))
    }
}

fixture! {
    /// Works, and then fails.
    FailingJob = "mcp.failing.job", task: Required;
    {}
    |_, context, _| {
        work(context, LONG).await?;
        Err(failed("The job failed, as it always does."))
    }
}

fixture! {
    /// Works, and then breaks.
    ProtocolErrorJob = "mcp.protocol.error_job", task: Optional;
    {}
    |_, context, _| {
        work(context, LONG).await?;
        Err(Error::internal("a fixture of the conformance suite breaks on purpose"))
    }
}

fixture! {
    /// Asks whether to delete a file, and deletes nothing.
    ConfirmDelete = "mcp.confirm.delete", task: Optional;
    {
        /// Which.
        filename: String,
    }
    |params, context, _| {
        if context.answer("confirm").is_none() {
            // It is a task by the time that it asks.
            work(context, LONG).await?;
        }
        let question = field(&format!("Delete {}?", params.filename), "confirm", "boolean");
        let answers = ask(context, Keep::IfNeeded, [("confirm", question)])?;
        let deleted = answers["confirm"]["content"]["confirm"] == true;
        let verb = if deleted { "Deleted" } else { "Kept" };
        Ok(said(&format!("{verb} {}", params.filename)))
    }
}

fixture! {
    /// Asks two questions at once.
    MultiInput = "mcp.multi.input", task: Optional;
    {}
    |_, context, _| {
        if context.inputs.as_ref().is_none_or(|inputs| inputs.answers.is_empty() && inputs.state.is_none()) {
            work(context, LONG).await?;
        }
        let questions = [
            ("first", field("What is the first name?", "name", "string")),
            ("second", field("What is the second name?", "name", "string")),
        ];
        let answers = ask(context, Keep::IfNeeded, questions)?;
        let name = |key: &str| filled(&answers[key], "name");
        Ok(said(&format!("Got {} and {}", name("first"), name("second"))))
    }
}

fixture! {
    /// Asks for a name at once, and then works as a task.
    ToolWithTask = "mcp.test.tool_with_task", task: Required;
    {}
    |_, context, _| {
        let answers = ask(context, Keep::IfNeeded, [("user_name", field("What is your name?", "name", "string"))])?;
        work(context, LONG).await?;
        Ok(said(&format!("Hello, {}! The task is done.", filled(&answers["user_name"], "name"))))
    }
}

/// Takes so long, or ends when nobody wants the answer any more.
async fn work(context: &Context, time: Duration) -> Result<(), Error> {
    tokio::select! {
        () = tokio::time::sleep(time) => Ok(()),
        _ = context.cancel.cancelled() => Err(Error::cancelled()),
    }
}
