//! Tools that ask and are called again with the answers: one question, several, several rounds, with a state and
//! without.

use protocol::mcp::{Capability, InputRequest};
use protocol::{Context, Error};
use serde_json::Value;

use crate::asking::{Keep, ask, field, filled, sampled};
use crate::samples::{failed, said};

/// How many tokens an answer may have.
const TOKENS: u32 = 100;

fixture! {
    /// Asks for a name and greets.
    OneForm = "mcp.test.input_required_result_elicitation";
    {}
    |_, context, _| {
        let question = field("What is your name?", "name", "string");
        let answers = ask(context, Keep::IfNeeded, [("user_name", question)])?;
        Ok(said(&format!("Hello, {}!", filled(&answers["user_name"], "name"))))
    }
}

fixture! {
    /// Asks the client's model for a capital.
    OneSampling = "mcp.test.input_required_result_sampling";
    {}
    |_, context, _| {
        let question = InputRequest::sampling("What is the capital of France?", TOKENS);
        let answers = ask(context, Keep::IfNeeded, [("capital_question", question)])?;
        Ok(said(sampled(&answers["capital_question"])))
    }
}

fixture! {
    /// Asks which folders the client works in.
    Roots = "mcp.test.input_required_result_list_roots";
    {}
    |_, context, _| {
        let answers = ask(context, Keep::IfNeeded, [("client_roots", InputRequest::roots())])?;
        Ok(said(&format!("Client roots: {}", uris(&answers["client_roots"]))))
    }
}

fixture! {
    /// Asks with a state, which must come back.
    RequestState = "mcp.test.input_required_result_request_state";
    {}
    |_, context, _| {
        confirm(context)?;
        Ok(said("state-ok: the state came back as it was sent"))
    }
}

fixture! {
    /// Asks with a state; one that was changed on the way does not come this far.
    TamperedState = "mcp.test.input_required_result_tampered_state";
    {}
    |_, context, _| {
        confirm(context)?;
        Ok(said("The state is as it was sent."))
    }
}

/// An answer, and the state that was sent with the question.
fn confirm(context: &Context) -> Result<(), Error> {
    ask(context, Keep::Always, [("confirm", field("Please confirm", "ok", "boolean"))])?;
    match context.inputs.as_ref().and_then(|inputs| inputs.state.as_ref()) {
        Some(state) if state["answers"].is_object() => Ok(()),
        _ => Err(Error::invalid_params("requestState: send back the one that came with the question")),
    }
}

fixture! {
    /// Asks the person, the model and the client at once.
    MultipleInputs = "mcp.test.input_required_result_multiple_inputs";
    {}
    |_, context, _| {
        let questions = [
            ("user_name", field("What is your name?", "name", "string")),
            ("greeting", InputRequest::sampling("Generate a greeting", 50)),
            ("client_roots", InputRequest::roots()),
        ];
        let answers = ask(context, Keep::Always, questions)?;
        let name = filled(&answers["user_name"], "name");
        let (greeting, roots) = (sampled(&answers["greeting"]), uris(&answers["client_roots"]));
        Ok(said(&format!("{name}: {greeting} ({roots})")))
    }
}

fixture! {
    /// Asks for a name, and then for a colour.
    MultiRound = "mcp.test.input_required_result_multi_round";
    {}
    |_, context, _| {
        ask(context, Keep::Always, [("step1", field("Step 1: What is your name?", "name", "string"))])?;
        let questions = [
            ("step1", field("Step 1: What is your name?", "name", "string")),
            ("step2", field("Step 2: What is your favorite color?", "color", "string")),
        ];
        let answers = ask(context, Keep::Always, questions)?;
        let (name, color) = (filled(&answers["step1"], "name"), filled(&answers["step2"], "color"));
        Ok(said(&format!("{name} likes {color}.")))
    }
}

fixture! {
    /// Asks whatever this client can be asked, and nothing else.
    AsCapable = "mcp.test.input_required_result_capabilities";
    {}
    |_, context, _| {
        if context.can(Capability::Sampling) {
            let question = InputRequest::sampling("What is the capital of France?", TOKENS);
            let answers = ask(context, Keep::IfNeeded, [("capital_question", question)])?;
            return Ok(said(sampled(&answers["capital_question"])));
        }
        if context.can(Capability::Elicitation) {
            let question = field("What is your name?", "name", "string");
            let answers = ask(context, Keep::IfNeeded, [("user_name", question)])?;
            return Ok(said(&format!("Hello, {}!", filled(&answers["user_name"], "name"))));
        }
        Err(failed("This client can be asked nothing."))
    }
}

/// The folders of an answer.
fn uris(answer: &Value) -> String {
    let roots = answer["roots"].as_array().into_iter().flatten();
    roots.filter_map(|root| root["uri"].as_str()).collect::<Vec<_>>().join(", ")
}
