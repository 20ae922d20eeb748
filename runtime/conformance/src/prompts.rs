//! Prompts with fixed texts.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::mcp::{self, Prompt, PromptArgument, PromptInfo, Rich};
use protocol::{Context, Error};
use serde_json::{Value, json};

use crate::asking::{Keep, ask, field, filled};
use crate::samples::PNG;

/// The prompts that are always there.
pub fn prompts() -> Vec<Arc<dyn Prompt>> {
    let fixtures = [
        fixture("test_simple_prompt", "A prompt without arguments.", &[], |_, _| {
            Ok(vec![mcp::text("This is a simple prompt for testing.")])
        }),
        fixture(
            "test_prompt_with_arguments",
            "A prompt with two arguments.",
            &["arg1", "arg2"],
            |_, given| {
                let text =
                    format!("Prompt with arguments: arg1='{}', arg2='{}'", given["arg1"], given["arg2"]);
                Ok(vec![mcp::text(&text)])
            },
        ),
        fixture(
            "test_prompt_with_embedded_resource",
            "A prompt with a resource in it.",
            &["resourceUri"],
            |_, given| {
                let text = "Embedded resource content for testing.";
                Ok(vec![
                    mcp::embedded(&given["resourceUri"], "text/plain", text),
                    mcp::text("Please process the embedded resource above."),
                ])
            },
        ),
        fixture("test_prompt_with_image", "A prompt with a picture in it.", &[], |_, _| {
            Ok(vec![mcp::image(PNG, "image/png"), mcp::text("Please analyze the image above.")])
        }),
        fixture("test_input_required_result_prompt", "A prompt that asks first.", &[], |context, _| {
            let question = field("What context should the prompt use?", "context", "string");
            let answers = ask(context, Keep::IfNeeded, [("user_context", question)])?;
            let text = format!("Use this context: {}", filled(&answers["user_context"], "context"));
            Ok(vec![mcp::text(&text)])
        }),
    ];
    fixtures.map(|fixture| Arc::new(fixture) as Arc<dyn Prompt>).into()
}

/// The prompt that comes and goes with `test_trigger_prompt_change`.
pub fn changing() -> Arc<dyn Prompt> {
    Arc::new(fixture("test_extra_prompt", "A prompt that comes and goes.", &[], |_, _| {
        Ok(vec![mcp::text("I am here for now.")])
    }))
}

/// What a prompt says, one content block per message.
type Say = fn(&Context, &BTreeMap<String, String>) -> Result<Vec<Value>, Error>;

struct Fixture {
    info: PromptInfo,
    say: Say,
}

fn fixture(name: &str, description: &str, takes: &[&str], say: Say) -> Fixture {
    let argument = |name: &&str| PromptArgument {
        name: (*name).to_owned(),
        description: format!("The test argument {name}."),
        required: true,
        values: Vec::new(),
        path: false,
    };
    let info = PromptInfo {
        name: name.to_owned(),
        title: None,
        description: description.to_owned(),
        arguments: takes.iter().map(argument).collect(),
    };
    Fixture { info, say }
}

impl Prompt for Fixture {
    fn info(&self) -> PromptInfo {
        self.info.clone()
    }

    fn get(&self, context: &Context, arguments: &BTreeMap<String, String>) -> Result<Rich, Error> {
        let blocks = (self.say)(context, arguments)?;
        let messages: Vec<_> =
            blocks.into_iter().map(|block| json!({ "role": "user", "content": block })).collect();
        Ok(Rich(json!({ "description": self.info.description, "messages": messages })))
    }
}
