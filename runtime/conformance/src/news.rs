//! Tools that say something before they answer: log messages, progress, or for a while nothing.

use std::time::Duration;

use protocol::mcp::LogLevel;
use serde_json::json;
use tokio::time::sleep;

use crate::samples::said;

/// Between two messages, so that a client can tell a stream from a list.
const BETWEEN: Duration = Duration::from_millis(50);

/// Long enough that the connection can be closed and opened again before the answer.
const AWAY: Duration = Duration::from_secs(3);

fixture! {
    /// Sends three log messages while it works.
    ToolWithLogging = "mcp.test.tool_with_logging";
    {}
    |_, context, _| {
        context.log(LogLevel::Info, &json!("Tool execution started"));
        sleep(BETWEEN).await;
        context.log(LogLevel::Info, &json!("Tool processing data"));
        sleep(BETWEEN).await;
        context.log(LogLevel::Info, &json!("Tool execution completed"));
        Ok(said("Tool with logging executed successfully"))
    }
}

fixture! {
    /// Sends one log message, which only who asked for log messages may see.
    LoggingTool = "mcp.test.logging_tool";
    {}
    |_, context, _| {
        context.log(LogLevel::Info, &json!("Logging tool executed"));
        sleep(BETWEEN).await;
        Ok(said("Logging tool executed successfully"))
    }
}

fixture! {
    /// Tells how far it is: 0, 50 and 100 of 100.
    ToolWithProgress = "mcp.test.tool_with_progress";
    {}
    |_, context, _| {
        context.progress(&json!({ "progress": 0, "total": 100 }));
        sleep(BETWEEN).await;
        context.progress(&json!({ "progress": 50, "total": 100 }));
        sleep(BETWEEN).await;
        context.progress(&json!({ "progress": 100, "total": 100 }));
        Ok(said("Tool with progress executed successfully"))
    }
}

fixture! {
    /// Answers after three seconds.
    Reconnection = "mcp.test.reconnection";
    {}
    |_, _, _| {
        sleep(AWAY).await;
        Ok(said("Reconnection test completed successfully"))
    }
}
