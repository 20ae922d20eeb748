//! Questions that a method has for the person or the model behind its client, and their way there and back.
//!
//! In the modern era the result says what is asked (`input_required`), and the client makes the same request again
//! with the answers and with what we sealed. On a legacy connection the questions are requests of ours, sent on the
//! stream of the request that they belong to. Either way the method is called again, with answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::mcp::{InputRequest, Inputs};
use protocol::{Error, Payload};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::Server;
use crate::asking::Asking;
use crate::client::Client;
use crate::native::NativeCall;
use crate::out::Out;
use crate::rpc::RpcError;
use crate::seal;

/// How long a person has to answer on a legacy connection.
const ANSWER_WITHIN: Duration = Duration::from_mins(10);

/// How often one request may ask; a method that asks more is going in circles.
const ROUNDS_MAX: usize = 16;

/// What a method asks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Questions {
    /// Those that have no answer yet.
    pub(crate) open: BTreeMap<String, InputRequest>,
    /// Answers to the others.
    pub(crate) answers: Map<String, Value>,
    /// What the method wants back with them.
    pub(crate) state: Option<Value>,
}

/// What a modern request brings back of the round before.
#[derive(Default, Deserialize)]
pub(crate) struct Returned {
    #[serde(rename = "inputResponses", default)]
    pub(crate) responses: Option<Map<String, Value>>,
    #[serde(rename = "requestState", default)]
    pub(crate) state: Option<String>,
}

/// Makes a result of an outcome.
pub(crate) type Finish =
    Arc<dyn Fn(&Server, &Asking, Result<Payload, Error>) -> Result<String, RpcError> + Send + Sync>;

/// A call that may ask, and can be made again.
#[derive(Clone)]
pub(crate) struct Askable {
    pub(crate) server: Arc<Server>,
    pub(crate) asking: Arc<Asking>,
    pub(crate) method: Box<str>,
    pub(crate) params: Box<serde_json::value::RawValue>,
    /// Writes the result.
    pub(crate) finish: Finish,
    /// Answers that came before they were asked for, by clients that know what will be asked.
    pub(crate) early: Map<String, Value>,
    pub(crate) round: usize,
}

// === impl Questions ===

impl Questions {
    /// The questions in a method's error; `None` when it asks nothing.
    pub(crate) fn of(error: &Error) -> Option<Self> {
        if error.code != protocol::Code::InputRequired {
            return None;
        }
        let data = error.data.as_deref()?;
        let open = serde_json::from_value(data["input_requests"].clone()).ok()?;
        let state = data.get("state").filter(|state| !state.is_null()).cloned();
        Some(Self { open, answers: Map::new(), state })
    }

    /// Takes the answers that fit; extra ones and ones of another form are as good as none.
    pub(crate) fn take(&mut self, responses: Map<String, Value>) {
        for (name, answer) in responses {
            if self.open.get(&name).is_some_and(|question| question.is_answered_by(&answer)) {
                self.open.remove(&name);
                self.answers.insert(name, answer);
            }
        }
    }

    /// A capability that is needed and was not declared.
    pub(crate) fn unmet(&self, asking: &Asking) -> Option<Error> {
        let needs = self.open.values().filter_map(InputRequest::needs);
        let mut unmet = needs.filter(|capability| !asking.capabilities.has(*capability));
        unmet.next().map(Error::missing_capability)
    }

    pub(crate) fn inputs(self, asking: &Asking) -> Inputs {
        Inputs { capabilities: asking.capabilities, answers: self.answers, state: self.state }
    }
}

// === impl Askable ===

impl Askable {
    /// Makes the call: the first time, or again with what came back.
    pub(crate) fn begin(mut self, returned: Returned, out: Out) {
        match self.resumed(returned) {
            Ok(questions) if questions.open.is_empty() => self.call(questions, out),
            // Some answers are missing: what is left is asked again.
            Ok(questions) => out.finish(self.ask_in_result(questions)),
            Err(error) => out.error(&error),
        }
    }

    pub(crate) fn resumed(&mut self, returned: Returned) -> Result<Questions, RpcError> {
        let Some(state) = returned.state.filter(|_| self.asking.revision.is_modern()) else {
            self.early = returned.responses.unwrap_or_default();
            return Ok(Questions::default());
        };
        let seal = &self.server.seal;
        let mut questions: Questions =
            seal.open(&state, self.digest(), &self.asking.caller.name).map_err(RpcError::invalid_params)?;
        questions.take(returned.responses.unwrap_or_default());
        Ok(questions)
    }

    /// What must stay the same between rounds: what is called, and with what.
    fn digest(&self) -> [u8; 32] {
        seal::digest(&[&self.method, self.params.get()])
    }

    /// Calls the method with answers.
    fn call(self, questions: Questions, out: Out) {
        let call = NativeCall {
            method: self.method.clone(),
            params: self.params.clone(),
            inputs: questions.inputs(&self.asking),
            cancel: out.cancel.clone(),
            deadline: out.deadline,
        };
        let asking = Arc::clone(&self.asking);
        let server = Arc::clone(&self.server);
        call.send(&asking, &*server.dispatch, out, move |out, outcome| self.concluded(out, outcome));
    }

    fn concluded(mut self, out: Out, outcome: Result<Payload, Error>) {
        let questions = outcome.as_ref().err().and_then(Questions::of);
        let Some(mut questions) = questions else {
            return out.finish((self.finish)(&self.server, &self.asking, outcome));
        };
        questions.take(std::mem::take(&mut self.early));
        if questions.open.is_empty() && self.round < ROUNDS_MAX {
            self.round += 1;
            return self.call(questions, out);
        }
        if let Some(error) = questions.unmet(&self.asking) {
            return out.finish((self.finish)(&self.server, &self.asking, Err(error)));
        }
        match self.asking.client.clone() {
            _ if self.asking.revision.is_modern() => out.finish(self.ask_in_result(questions)),
            Some(client) if self.round < ROUNDS_MAX => {
                let tasks = Arc::clone(&self.server);
                tasks.tasks.spawn(self.ask_by_requests(client, questions, out));
            }
            _ => out.error(&RpcError::internal()),
        }
    }

    /// The result that asks. The state goes along sealed, with the questions, since nothing is kept here.
    pub(crate) fn ask_in_result(&self, questions: Questions) -> Result<String, RpcError> {
        let requests = serde_json::to_string(&questions.open).map_err(|_| RpcError::internal())?;
        let state = self.server.seal.seal(self.digest(), &self.asking.caller.name, questions);
        let members = format!("\"inputRequests\":{requests},\"requestState\":{}", json!(state));
        Ok(self.asking.result("input_required", &members))
    }

    /// Asks on the request's own stream, and calls again when all is answered.
    async fn ask_by_requests(mut self, client: Arc<Client>, mut questions: Questions, mut out: Out) {
        out.extend(Instant::now() + ANSWER_WITHIN);
        let open = std::mem::take(&mut questions.open);
        let mut waiting = Vec::new();
        for (name, request) in &open {
            let (text, question) = client.question(&request.method, &request.params);
            out.news().send(text);
            waiting.push((name, request, question));
        }
        for (name, request, mut question) in waiting {
            let answer = tokio::select! {
                answer = question.answer() => answer,
                _ = out.cancel.cancelled() => None,
            };
            let refused = match answer {
                Some(Ok(answer)) if request.is_answered_by(&answer) => {
                    questions.answers.insert(name.clone(), answer);
                    continue;
                }
                Some(Ok(_)) => "with something else than was asked".to_owned(),
                Some(Err(error)) => {
                    format!("with an error: {}", error["message"].as_str().unwrap_or("no message"))
                }
                None => {
                    return out.finish((self.finish)(&self.server, &self.asking, Err(Error::cancelled())));
                }
            };
            let text = format!("The client answered {} {refused}.", request.method);
            let error = Error::new(protocol::Code::Backend, text);
            return out.finish((self.finish)(&self.server, &self.asking, Err(error)));
        }
        self.round += 1;
        self.call(questions, out);
    }
}
