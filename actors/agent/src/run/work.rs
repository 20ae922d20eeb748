//! What a step is about to do, with everything put in that its templates say.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use workflow::model::{Approve, Docker, Http, Level, Line, Log, Question, Raise, Silence, Sub, SubRun};
use workflow::{Kind, Scope, Span, Step, expr};

use super::machine::{Machine, template};
use crate::doors::{self, About, Container, HttpRequest, texts};
use crate::failure::Failure;
use crate::journal::now;
use crate::record::Event;

/// A step, ready to be done.
#[derive(Debug)]
pub(crate) enum Work {
    /// Nothing but a value, and what there is to tell.
    Pure(Value, Event),
    /// A failure.
    Fail(Failure),
    /// A call.
    Call(Call),
    /// A request over HTTP.
    Http(HttpRequest, bool),
    /// A container: found again by its key, so that it is not begun twice.
    Docker(Container),
    /// A wait until a time.
    Until(i64),
    /// A question to a person.
    Ask(Question),
    /// Another run.
    Run(SubRun),
    /// A model that works with tools.
    Agent(Box<workflow::model::Agent>),
}

/// What a model's answer must look like.
#[derive(Debug)]
pub(crate) struct Chat {
    pub(crate) schema: Option<Value>,
}

/// A call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) params: Value,
    pub(crate) repeatable: bool,
    /// An answer of a model, with what it must look like.
    pub(crate) chat: Option<Chat>,
}

impl Work {
    /// Whether it may be done again when nobody knows whether it was done.
    pub(crate) fn repeatable(&self) -> bool {
        match self {
            Self::Pure(..)
            | Self::Fail(_)
            | Self::Until(_)
            | Self::Ask(_)
            | Self::Run(_)
            | Self::Docker(_)
            | Self::Agent(_) => true,
            Self::Call(call) => call.repeatable,
            Self::Http(_, repeatable) => *repeatable,
        }
    }

    /// What it is, in a line, for whoever decides about it.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Call(call) => format!("{} {}", call.method, call.params),
            Self::Http(request, ..) => format!("{} {}", request.method, request.url),
            Self::Docker(container) => format!("docker {}", container.image),
            Self::Run(sub) => format!("workflow {} {}", sub.id, Value::Object(sub.inputs.clone())),
            Self::Ask(question) => question.message.clone(),
            Self::Until(_) | Self::Pure(..) | Self::Fail(_) | Self::Agent(_) => String::new(),
        }
    }
}

/// A part of a step with its templates filled in.
fn filled<T: serde::Serialize + DeserializeOwned>(it: &T, scope: &Scope) -> Result<T, Failure> {
    let written = serde_json::to_value(it).map_err(|error| template(error.to_string()))?;
    let value = expr::render(&written, scope).map_err(template)?;
    serde_json::from_value(value)
        .map_err(|error| template(format!("what its templates come to does not fit: {error}")))
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn text(source: &str, scope: &Scope) -> Result<String, Failure> {
    expr::text(source, scope).map(|value| as_text(&value)).map_err(template)
}

impl Machine {
    /// What the step at `path` is about to do. `begun_ms` is when it began.
    pub(crate) fn work(
        &self,
        step: &Step,
        kind: Kind<'_>,
        scope: &Scope,
        path: &str,
        begun_ms: i64,
    ) -> Result<Work, Failure> {
        Ok(match kind {
            Kind::Call(name, with) => {
                let params =
                    with.map_or(Ok(json!({})), |with| expr::render(with, scope)).map_err(template)?;
                Work::Call(self.call_of(name, params, step.idempotent, path)?)
            }
            Kind::Llm(llm) => {
                let llm: workflow::model::Llm = filled(llm, scope)?;
                let schema = llm.schema.clone().map(Value::Object);
                let params = chat_params(&llm)?;
                let mut call = self.call_of("mcp.llm.chat", params, step.idempotent, path)?;
                call.chat = Some(Chat { schema });
                Work::Call(call)
            }
            Kind::Agent(agent) => Work::Agent(Box::new(filled(agent, scope)?)),
            Kind::Http(http) => self.http(step, &filled(http, scope)?, path),
            Kind::Docker(docker) => docker_of(filled(docker, scope)?),
            Kind::Sleep(time) => {
                let time = expr::render(time, scope).map_err(template)?;
                Work::Until(begun_ms + Span::of_value(&time).map_err(template)?.ms())
            }
            Kind::Wait(wait) => {
                let until = text(&wait.until, scope)?;
                let until: jiff::Timestamp = until
                    .parse()
                    .map_err(|_| template(format!("`{until}` is no time such as `2027-01-01T08:00:00Z`")))?;
                Work::Until(until.as_millisecond())
            }
            Kind::Approve(Approve::Text(message)) => Work::Ask(Question {
                message: text(message, scope)?,
                timeout: None,
                on_timeout: Silence::Reject,
            }),
            Kind::Approve(Approve::Full(question)) => Work::Ask(filled(question, scope)?),
            Kind::Set(vars) => {
                let value = expr::render(&Value::Object(vars.clone()), scope).map_err(template)?;
                let names: Vec<_> = vars.keys().map(String::as_str).collect();
                Work::Pure(value, Event::new(path, "set", names.join(", ")))
            }
            Kind::Log(log) => {
                let (level, message) = match log {
                    Log::Text(message) => (Level::Info, message),
                    Log::Full(Line { level, message }) => (*level, message),
                };
                let message = text(message, scope)?;
                let mut event = Event::new(path, "log", message.clone());
                event.data = Some(json!({ "level": level }));
                Work::Pure(Value::String(message), event)
            }
            Kind::Emit(emit) => {
                let data = emit.data.as_ref().map_or(Ok(Value::Null), |data| expr::render(data, scope));
                let data = data.map_err(template)?;
                let mut event = Event::new(path, "emit", text(&emit.event, scope)?);
                event.data = Some(data.clone());
                Work::Pure(data, event)
            }
            Kind::Workflow(Sub::Id(id)) => Work::Run(SubRun { id: text(id, scope)?, inputs: Map::new() }),
            Kind::Workflow(Sub::Full(sub)) => Work::Run(filled(sub, scope)?),
            Kind::Raise(Raise::Text(message)) => Work::Fail(Failure::new("raised", text(message, scope)?)),
            Kind::Raise(Raise::Full(raised)) => {
                let raised: workflow::model::Raised = filled(raised, scope)?;
                let kind = raised.kind.as_deref().unwrap_or("raised");
                Work::Fail(Failure::new(kind, raised.message).with_data(raised.data.unwrap_or_default()))
            }
            Kind::Parallel(_) | Kind::Switch(_) | Kind::Steps(_) => {
                Work::Fail(Failure::new("internal", "it is made of steps"))
            }
        })
    }

    /// A call of a method or a tool, if the workflow may make it.
    pub(crate) fn call_of(
        &self,
        name: &str,
        mut params: Value,
        idempotent: Option<bool>,
        path: &str,
    ) -> Result<Call, Failure> {
        let about = self.agent.methods().about(name).ok_or_else(|| {
            let name = crate::refusal::shown(name);
            Failure::new(
                "method_not_found",
                format!("There is no method or tool '{name}'. mcp.hello lists them."),
            )
        })?;
        self.may(&about)?;
        if about.takes_key
            && let Value::Object(map) = &mut params
        {
            // The same for the same step of the same run, however often that is tried.
            map.entry("idempotency_key").or_insert_with(|| format!("{}:{path}", self.run.id).into());
        }
        let has_key = params.get("idempotency_key").is_some_and(Value::is_string);
        let repeatable = idempotent.unwrap_or_else(|| has_key || doors::repeatable(&about, &params));
        Ok(Call { method: about.method, params, repeatable, chat: None })
    }

    /// Refuses a method that the workflow does not allow itself.
    pub(crate) fn may(&self, about: &About) -> Result<(), Failure> {
        let method = &about.method;
        let decides = ["mcp.agent.approve", "mcp.agent.reject"].contains(&method.as_str());
        if decides {
            return Err(Failure::new(
                "permission_denied",
                format!("'{method}' is for persons; a run cannot call it."),
            ));
        }
        let allowed =
            self.workflow.allow.as_ref().is_none_or(|allow| allow.iter().any(|one| one.covers(method)));
        if allowed {
            return Ok(());
        }
        let message =
            format!("'{method}' is not among what `allow` of the workflow '{}' says.", self.run.workflow);
        Err(Failure::new("permission_denied", message))
    }

    fn http(&self, step: &Step, http: &Http, path: &str) -> Work {
        let method = http.method.as_deref().unwrap_or("GET").to_uppercase();
        let mut headers = texts(&http.headers);
        let has = |headers: &[(String, String)], name: &str| {
            headers.iter().any(|(one, _)| one.eq_ignore_ascii_case(name))
        };
        if http.json.is_some() && !has(&headers, "content-type") {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let safe = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"].contains(&method.as_str());
        let key = (!safe && !has(&headers, "idempotency-key")).then(|| format!("{}:{path}", self.run.id));
        let body = match (&http.json, &http.body) {
            (Some(json), _) => Some(json.to_string().into_bytes()),
            (None, Some(body)) => Some(body.clone().into_bytes()),
            (None, None) => None,
        };
        let (url, expected) = (http.url.clone(), http.expect_status.clone());
        let timeout = http.timeout.map(Span::duration);
        let query = texts(&http.query);
        let request = HttpRequest { method, url, headers, query, body, expected, timeout, key };
        Work::Http(request, step.idempotent.unwrap_or(safe))
    }
}

/// It gets its key when it is known which try it is.
fn docker_of(docker: Docker) -> Work {
    let command = docker.command.map(|command| match command {
        Value::Array(words) => words.iter().map(as_text).collect(),
        other => vec!["sh".to_owned(), "-c".to_owned(), as_text(&other)],
    });
    Work::Docker(Container {
        image: docker.image,
        command,
        inputs: docker.inputs.unwrap_or_else(|| json!({})),
        env: texts(&docker.env),
        memory: docker.memory,
        cpus: docker.cpus,
        pids: docker.pids,
        network: docker.network,
        timeout: docker.timeout.map(Span::duration),
        key: String::new(),
    })
}

/// The params of `mcp.llm.chat`.
fn chat_params(llm: &workflow::model::Llm) -> Result<Value, Failure> {
    let mut messages = Vec::new();
    if let Some(system) = &llm.system {
        messages.push(json!({ "role": "system", "content": system }));
    }
    match &llm.messages {
        Some(Value::Array(given)) => messages.extend(given.iter().cloned()),
        Some(_) => return Err(template("llm.messages must come to a list".to_owned())),
        None => {}
    }
    if let Some(prompt) = &llm.prompt {
        messages.push(json!({ "role": "user", "content": prompt }));
    }
    let mut options = llm.options.clone();
    if let Some(model) = &llm.model {
        options.insert("model".to_owned(), model.as_str().into());
    }
    if let Some(schema) = &llm.schema {
        options.insert("response_format".to_owned(), response_format(schema));
    }
    Ok(json!({ "messages": messages, "options": options }))
}

/// What makes a model answer in JSON of this schema, where it can.
pub(crate) fn response_format(schema: &Map<String, Value>) -> Value {
    json!({ "type": "json_schema", "json_schema": { "name": "answer", "schema": schema } })
}

/// The moment at which a question counts as answered.
pub(crate) fn silence_at(question: &Question) -> Option<i64> {
    question.timeout.map(|timeout| now() + timeout.ms())
}
