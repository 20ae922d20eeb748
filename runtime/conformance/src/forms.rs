//! Tools that ask one question, as the suite asks for them in the era of `initialize`, and what they do when nobody
//! can be asked.

use protocol::Error;
use protocol::mcp::{Capability, InputRequest};
use serde_json::json;

use crate::asking::{Keep, ask, outcome, sampled};
use crate::samples::said;

fixture! {
    /// Asks the client's model.
    Sampling = "mcp.test.sampling";
    {
        /// What it is asked.
        prompt: String,
    }
    |params, context, _| {
        let question = InputRequest::sampling(&params.prompt, 100);
        let answers = ask(context, Keep::IfNeeded, [("sampling", question)])?;
        Ok(said(&format!("LLM response: {}", sampled(&answers["sampling"]))))
    }
}

fixture! {
    /// Asks the person for a name and an address.
    Elicitation = "mcp.test.elicitation";
    {
        /// What the person reads.
        message: String,
    }
    |params, context, _| {
        let schema = json!({
            "type": "object",
            "properties": {
                "username": { "type": "string", "description": "User's response" },
                "email": { "type": "string", "description": "User's email address" },
            },
            "required": ["username", "email"],
        });
        let question = InputRequest::elicitation(&params.message, &schema);
        let answers = ask(context, Keep::IfNeeded, [("user", question)])?;
        let (action, content) = outcome(&answers["user"]);
        Ok(said(&format!("User response: action: {action}, content: {content}")))
    }
}

fixture! {
    /// Asks with a form whose fields have defaults, one of every type.
    ElicitationDefaults = "mcp.test.elicitation_sep1034_defaults";
    {}
    |_, context, _| {
        let schema = json!({
            "type": "object",
            "properties": {
                "name": { "type": "string", "description": "User name", "default": "John Doe" },
                "age": { "type": "integer", "description": "User age", "default": 30 },
                "score": { "type": "number", "description": "User score", "default": 95.5 },
                "status": {
                    "type": "string",
                    "description": "User status",
                    "enum": ["active", "inactive", "pending"],
                    "default": "active",
                },
                "verified": { "type": "boolean", "description": "Verification status", "default": true },
            },
            "required": [],
        });
        let question = InputRequest::elicitation("Please review and update the form fields with defaults", &schema);
        let answers = ask(context, Keep::IfNeeded, [("form", question)])?;
        let (action, content) = outcome(&answers["form"]);
        Ok(said(&format!("Elicitation completed: action={action}, content={content}")))
    }
}

fixture! {
    /// Asks with a form that has a choice of every form.
    ElicitationEnums = "mcp.test.elicitation_sep1330_enums";
    {}
    |_, context, _| {
        let options = json!(["option1", "option2", "option3"]);
        let titled = |what: &str| json!([
            { "const": "value1", "title": format!("First {what}") },
            { "const": "value2", "title": format!("Second {what}") },
            { "const": "value3", "title": format!("Third {what}") },
        ]);
        let schema = json!({
            "type": "object",
            "properties": {
                "untitledSingle": { "type": "string", "enum": options },
                "titledSingle": { "type": "string", "oneOf": titled("Option") },
                "legacyEnum": {
                    "type": "string",
                    "enum": ["opt1", "opt2", "opt3"],
                    "enumNames": ["Option One", "Option Two", "Option Three"],
                },
                "untitledMulti": { "type": "array", "items": { "type": "string", "enum": options } },
                "titledMulti": { "type": "array", "items": { "anyOf": titled("Choice") } },
            },
            "required": [],
        });
        let question = InputRequest::elicitation("Please select options from the enum fields", &schema);
        let answers = ask(context, Keep::IfNeeded, [("form", question)])?;
        let (action, content) = outcome(&answers["form"]);
        Ok(said(&format!("Elicitation completed: action={action}, content={content}")))
    }
}

fixture! {
    /// Asks the person on the stream of its own request.
    StreamingElicitation = "mcp.test.streaming_elicitation";
    {}
    |_, context, _| {
        let question = crate::asking::field("Shall the stream go on?", "proceed", "boolean");
        let answers = ask(context, Keep::IfNeeded, [("proceed", question)])?;
        let (action, content) = outcome(&answers["proceed"]);
        Ok(said(&format!("Streaming elicitation completed: action={action}, content={content}")))
    }
}

fixture! {
    /// Works only for clients that let it ask their model.
    MissingCapability = "mcp.test.missing_capability";
    {}
    |_, context, _| {
        if !context.can(Capability::Sampling) {
            return Err(Error::missing_capability(Capability::Sampling));
        }
        Ok(said("The client has the sampling capability."))
    }
}
