//! The official JSON schema of each revision, and every message held against it.
//!
//! The schemas are in the conformance suite's package; a script takes them out of it when the test runs.

use std::collections::HashMap;

use harness::{Exchange, Tools};
use serde_json::{Value, json};

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// What is spoken before a revision has been agreed upon.
const FIRST: &str = "2025-11-25";

/// The schemas, and what has been learnt of a conversation so far.
pub(crate) struct Judge {
    schemas: HashMap<String, Schema>,
    /// What `initialize` agreed upon.
    legacy: String,
    /// Revision and method of each request under way, by its direction and id.
    asked: HashMap<(bool, String), (String, String)>,
    latest: String,
    /// How many messages were held against their schema.
    pub(crate) judged: usize,
    wrong: Vec<String>,
}

struct Schema {
    key: &'static str,
    document: Value,
    validators: HashMap<String, jsonschema::Validator>,
}

impl Judge {
    pub(crate) async fn new() -> Self {
        let output = Tools::get().node("schemas.mjs").output().await.expect("the script runs");
        assert!(output.status.success(), "{}", harness::daemon::text(&output.stderr));
        let schemas: HashMap<String, Value> = serde_json::from_slice(&output.stdout).expect("schemas");
        let schemas = schemas.into_iter().map(|(revision, document)| {
            let key = if document.get("$defs").is_some() { "$defs" } else { "definitions" };
            (revision, Schema { key, document, validators: HashMap::new() })
        });
        Self {
            schemas: schemas.collect(),
            legacy: FIRST.into(),
            asked: HashMap::new(),
            latest: FIRST.into(),
            judged: 0,
            wrong: Vec::new(),
        }
    }

    /// Holds both sides of what went over HTTP against their schemas.
    pub(crate) fn exchanges(&mut self, exchanges: &[Exchange]) {
        for exchange in exchanges {
            for message in exchange.sent() {
                self.message(&message, true);
            }
            for message in exchange.received() {
                self.message(&message, false);
            }
        }
    }

    /// Holds one message against its schema: the client's, or else the server's.
    pub(crate) fn message(&mut self, message: &Value, by_client: bool) {
        let id = message.get("id").map(ToString::to_string);
        let method = message["method"].as_str();
        let (revision, definitions) = match (method, id) {
            (Some(method), id) => {
                let revision = self.revision_of(message, by_client);
                let side = if by_client { "Client" } else { "Server" };
                let kind = if id.is_some() { "Request" } else { "Notification" };
                if let Some(id) = id {
                    self.asked.insert((by_client, id), (revision.clone(), method.to_owned()));
                }
                (revision, vec![(format!("{side}{kind}"), message.clone())])
            }
            // An answer: what the other side asked.
            (None, Some(id)) => {
                let asked = self.asked.remove(&(!by_client, id));
                let (revision, asked) = asked.unwrap_or_else(|| (self.latest.clone(), String::new()));
                if let Some(agreed) = message["result"]["protocolVersion"].as_str() {
                    agreed.clone_into(&mut self.legacy);
                }
                let result = message
                    .get("result")
                    .map(|result| (self.result(&revision, &asked, result), result.clone()));
                (revision, result.into_iter().collect())
            }
            (None, None) => (self.latest.clone(), Vec::new()),
        };
        let whole = ("JSONRPCMessage".to_owned(), message.clone());
        for (definition, value) in definitions.into_iter().chain([whole]) {
            self.hold(&revision, &definition, &value, message);
        }
        self.judged += 1;
    }

    /// Modern requests say their revision, all others speak what `initialize` agreed upon.
    fn revision_of(&mut self, message: &Value, by_client: bool) -> String {
        if by_client {
            let said = message["params"]["_meta"][VERSION].as_str().map(str::to_owned);
            let asks = || message["params"]["protocolVersion"].as_str().map(str::to_owned);
            let initialize = message["method"] == "initialize";
            let said = said.or_else(|| initialize.then(asks).flatten());
            self.latest = said.unwrap_or_else(|| self.legacy.clone());
        }
        self.latest.clone()
    }

    /// The definition of the result of a method: `ListToolsRequest` is answered by `ListToolsResult`.
    fn result(&self, revision: &str, method: &str, result: &Value) -> String {
        if result["resultType"] == "input_required" {
            return "InputRequiredResult".into();
        }
        let Some(schema) = self.schemas.get(revision) else { return "Result".into() };
        let definitions = schema.document[schema.key].as_object().expect("definitions");
        let asks = |definition: &Value| definition["properties"]["method"]["const"] == method;
        let request =
            definitions.iter().find(|(name, definition)| name.ends_with("Request") && asks(definition));
        let name = request.map(|(name, _)| name.replace("Request", "Result"));
        name.filter(|name| definitions.contains_key(name)).unwrap_or_else(|| "Result".into())
    }

    fn hold(&mut self, revision: &str, definition: &str, value: &Value, message: &Value) {
        let Some(schema) = self.schemas.get_mut(revision) else {
            return self.wrong.push(format!("no schema for revision '{revision}': {message}"));
        };
        let Some(validator) = schema.validator(definition) else {
            return self.wrong.push(format!("{revision} has no {definition}: {message}"));
        };
        let errors: Vec<_> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        if !errors.is_empty() {
            self.wrong.push(format!("{revision} {definition}: {}\n  in {message}", errors.join("; ")));
        }
    }

    /// Fails with everything that was wrong.
    #[track_caller]
    pub(crate) fn verdict(&self, at_least: usize) {
        assert!(self.wrong.is_empty(), "{} wrong:\n{}", self.wrong.len(), self.wrong.join("\n"));
        assert!(self.judged >= at_least, "only {} messages went by", self.judged);
    }
}

impl Schema {
    fn validator(&mut self, definition: &str) -> Option<&jsonschema::Validator> {
        let definitions = self.document.get(self.key)?;
        definitions.get(definition)?;
        if !self.validators.contains_key(definition) {
            let schema = json!({
                "$schema": self.document["$schema"],
                self.key: definitions,
                "$ref": format!("#/{}/{definition}", self.key),
            });
            let validator = jsonschema::validator_for(&schema).expect("an official schema");
            self.validators.insert(definition.to_owned(), validator);
        }
        self.validators.get(definition)
    }
}

#[test]
fn the_judge_sees_what_is_wrong() {
    Tools::get();
    harness::run(async {
        let mut judge = Judge::new().await;
        judge.message(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }), true);
        judge.message(&json!({ "jsonrpc": "2.0", "id": 1, "result": { "tools": [] } }), false);
        judge.verdict(2);
        judge.message(&json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" }), true);
        judge.message(&json!({ "jsonrpc": "2.0", "id": 2, "result": { "tools": [{ "name": 1 }] } }), false);
        assert_eq!(judge.wrong.len(), 1, "{:?}", judge.wrong);
        // A modern result says when it goes stale, and that it is complete: as a result of the list, and as a message.
        let meta = json!({ VERSION: "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} });
        judge.message(
            &json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/list", "params": { "_meta": meta } }),
            true,
        );
        judge.message(&json!({ "jsonrpc": "2.0", "id": 3, "result": { "tools": [] } }), false);
        assert_eq!(judge.wrong.len(), 3, "{:?}", judge.wrong);
    });
}
