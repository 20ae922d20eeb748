//! What a method may ask of the person or the model behind its caller, and what came back.
//!
//! A method that needs something does not wait for it: it ends with [`crate::Error::input_required`], which names
//! its questions, and is called again with the answers ([`Inputs`]). How a question gets there and back is the
//! edge's business: in a result of the modern era, in requests of its own on a legacy connection. The method
//! cannot tell.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

/// What a client can do when it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent, and the protocol's own")]
pub struct Capabilities {
    /// Puts a form before a person.
    pub elicitation: bool,
    /// Asks its model.
    pub sampling: bool,
    /// Says which folders it works in.
    pub roots: bool,
    /// Takes a task for an answer and asks for its outcome later.
    pub tasks: bool,
}

/// One of them, as it is called where a request is refused for want of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// `elicitation`
    Elicitation,
    /// `sampling`
    Sampling,
    /// `roots`
    Roots,
    /// `extensions["io.modelcontextprotocol/tasks"]`
    Tasks,
}

impl Capabilities {
    /// Whether the client has it.
    pub fn has(self, capability: Capability) -> bool {
        match capability {
            Capability::Elicitation => self.elicitation,
            Capability::Sampling => self.sampling,
            Capability::Roots => self.roots,
            Capability::Tasks => self.tasks,
        }
    }
}

impl Capability {
    /// A `ClientCapabilities` object that has it and nothing else.
    pub fn required(self) -> Value {
        match self {
            Self::Elicitation => json!({ "elicitation": {} }),
            Self::Sampling => json!({ "sampling": {} }),
            Self::Roots => json!({ "roots": {} }),
            Self::Tasks => json!({ "extensions": { super::key::TASKS: {} } }),
        }
    }
}

impl<'de> Deserialize<'de> for Capabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Declared {
            #[serde(default)]
            elicitation: Option<Map<String, Value>>,
            #[serde(default)]
            sampling: Option<Map<String, Value>>,
            #[serde(default)]
            roots: Option<Map<String, Value>>,
            #[serde(default)]
            extensions: Map<String, Value>,
        }
        // By way of a map: serde would take an array's items for the members.
        let members = Map::deserialize(deserializer)?;
        let declared: Declared = serde_json::from_value(members.into()).map_err(serde::de::Error::custom)?;
        Ok(Self {
            elicitation: declared.elicitation.is_some(),
            sampling: declared.sampling.is_some(),
            roots: declared.roots.is_some(),
            tasks: declared.extensions.contains_key(super::key::TASKS),
        })
    }
}

/// A question: a request to the client in the protocol's own form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputRequest {
    /// `elicitation/create`, `sampling/createMessage` or `roots/list`.
    pub method: String,
    /// Its params.
    pub params: Value,
}

impl InputRequest {
    /// A form for a person: a flat object schema of strings, numbers, booleans and enums.
    pub fn elicitation(message: &str, schema: &Value) -> Self {
        Self {
            method: "elicitation/create".into(),
            params: json!({ "message": message, "requestedSchema": schema }),
        }
    }

    /// A question for the client's model.
    pub fn sampling(prompt: &str, max_tokens: u32) -> Self {
        let message = json!({ "role": "user", "content": { "type": "text", "text": prompt } });
        Self {
            method: "sampling/createMessage".into(),
            params: json!({ "messages": [message], "maxTokens": max_tokens }),
        }
    }

    /// Which folders the client works in.
    pub fn roots() -> Self {
        Self { method: "roots/list".into(), params: json!({}) }
    }

    /// What the client needs to be able to do; `None` for a method that is no question.
    pub fn needs(&self) -> Option<Capability> {
        match self.method.as_str() {
            "elicitation/create" => Some(Capability::Elicitation),
            "sampling/createMessage" => Some(Capability::Sampling),
            "roots/list" => Some(Capability::Roots),
            _ => None,
        }
    }

    /// Whether `answer` has the form that this question's answers have.
    pub fn is_answered_by(&self, answer: &Value) -> bool {
        match self.needs() {
            Some(Capability::Elicitation) => match answer["action"].as_str() {
                Some("accept") => answer["content"].is_object() || answer.get("content").is_none(),
                Some("decline" | "cancel") => true,
                _ => false,
            },
            Some(Capability::Sampling) => answer["role"].is_string() && !answer["content"].is_null(),
            Some(Capability::Roots) => answer["roots"].is_array(),
            Some(Capability::Tasks) | None => false,
        }
    }
}

/// What a method that asks is given: who can be asked, and what was answered so far.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// What the client can do.
    pub capabilities: Capabilities,
    /// Answers by the names that the questions had, each of the form that answers to it have.
    pub answers: Map<String, Value>,
    /// What the method asked to be given back with them.
    pub state: Option<Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_declared_by_objects() {
        let read = |value: Value| serde_json::from_value::<Capabilities>(value);
        let some = read(json!({ "elicitation": {}, "extensions": { "io.modelcontextprotocol/tasks": {} } }));
        let some = some.unwrap();
        assert!(some.elicitation && some.tasks && !some.sampling && !some.roots);
        assert!(some.has(Capability::Tasks) && !some.has(Capability::Roots));
        assert_eq!(read(json!({})).unwrap(), Capabilities::default());
        for bad in [json!([]), json!(1), json!({ "sampling": 5 })] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn answers_have_the_form_of_their_question() {
        let form = InputRequest::elicitation("Name?", &json!({ "type": "object" }));
        let good = [json!({ "action": "accept", "content": {} }), json!({ "action": "decline" })];
        let bad = [
            json!({}),
            json!("yes"),
            json!({ "action": "maybe" }),
            json!({ "action": "accept", "content": 5 }),
        ];
        assert!(good.iter().all(|answer| form.is_answered_by(answer)));
        assert!(!bad.iter().any(|answer| form.is_answered_by(answer)));
        assert!(InputRequest::roots().is_answered_by(&json!({ "roots": [] })));
        assert!(!InputRequest::roots().is_answered_by(&json!({ "roots": {} })));
        let model = InputRequest::sampling("?", 5);
        assert!(
            model.is_answered_by(&json!({ "role": "assistant", "content": { "type": "text", "text": "!" } }))
        );
        assert_eq!(model.needs(), Some(Capability::Sampling));
    }
}
