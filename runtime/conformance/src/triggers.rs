//! Tools that change what is offered, so that whoever listens is told.

use crate::samples::said;

fixture! {
    /// Adds a tool, or removes the one that it added.
    ToolChange = "mcp.test.trigger_tool_change";
    {}
    |_, _, fixtures| {
        (fixtures.toggle_tool)();
        Ok(said("The list of tools has changed."))
    }
}

fixture! {
    /// Adds a prompt, or removes the one that it added.
    PromptChange = "mcp.test.trigger_prompt_change";
    {}
    |_, _, fixtures| {
        (fixtures.toggle_prompt)();
        Ok(said("The list of prompts has changed."))
    }
}

fixture! {
    /// Comes and goes.
    Extra = "mcp.test.extra_tool";
    {}
    |_, _, _| Ok(said("I am here for now."))
}
