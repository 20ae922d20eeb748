//! The catalogue: every method with its types erased. Routing, hello, capability files, METHODS.md, completion
//! and the tests over all methods read nothing else.

mod manual;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use jsonschema::Validator;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::context::{Context, Shape};
use crate::dispatch::{BoxFuture, Payload};
use crate::error::Error;
use crate::mcp;
use crate::method::{Effect, Method, Run, TaskSupport};
use crate::schema;
use crate::tier::Tier;

/// Runs a method on checked params.
type Invoke = Arc<dyn Fn(Context, Value) -> BoxFuture<'static, Result<Payload, Error>> + Send + Sync>;

/// Runs a method on checked params if it can answer without waiting, which an inline one always can.
type TryNow = Arc<dyn Fn(&Context, Value, bool) -> Option<Result<Payload, Error>> + Send + Sync>;

/// One method as everybody but its author sees it.
#[derive(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about one method, each with its own readers"
)]
pub struct Entry {
    /// `mcp.fs.list`.
    pub name: String,
    /// `fs`; the gateway's own methods belong to `gateway`.
    pub service: String,
    /// First paragraph and the rest of the doc comment.
    pub description: String,
    /// The cheapest shipped tier that includes it.
    pub tier: Tier,
    /// What it can do to the world.
    pub effect: Effect,
    /// Where its actor runs it.
    pub run: Run,
    /// Whether a call counts against the caller's rate.
    pub billed: bool,
    /// How long a call may take, where that is not the instance's setting.
    pub limit: Option<Duration>,
    /// Whether a call may become a task.
    pub task: TaskSupport,
    /// Whether it is offered as a tool too.
    pub tool: bool,
    /// The tool's name, where it is not the one that is made of the method's.
    pub alias: Option<String>,
    /// Whether the result is made of content blocks.
    pub rich: bool,
    /// Whether it is declared in this program, so that its results are known to fit their schema.
    pub own: bool,
    /// Names of the params by position.
    pub positions: Vec<String>,
    /// The one result field that a positional call gets, where the original answered with it alone.
    pub original_field: Option<&'static str>,
    /// The two schemas as text: as values they would be a fifth of an idle process's own memory, and they are rarely
    /// looked at.
    params: Box<str>,
    result: Box<str>,
    form: Form,
    checks: OnceLock<Arc<Checks>>,
    invoke: Invoke,
    try_now: Option<TryNow>,
}

/// A schema of params, compiled. Most methods are never called in the life of a process, and all their schemas
/// together are a twentieth of an idle one's memory, so each is compiled at the first call.
struct Checks {
    validator: Validator,
    /// Whether no params at all will do, which then need no look at the schema.
    empty_is_valid: bool,
}

/// In which form a method's own schema takes its params.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// By name; by position they are given their names first.
    Object,
    /// By position only, as the original's backends.
    Array,
    /// As they come.
    Either,
}

impl Entry {
    pub(crate) fn declared<M: Method>(service: M::Service) -> Self {
        let description = schemars::schema_for!(M)
            .get("description")
            .and_then(Value::as_str)
            .map(schema::paragraphs)
            .unwrap_or_default();
        let at_once = service.clone();
        let try_now: TryNow = Arc::new(move |context, params, alone| {
            let method: M = match serde_json::from_value(params) {
                Ok(method) => method,
                Err(error) => return Some(Err(Error::invalid_params(error))),
            };
            let reply = match M::RUN {
                Run::Inline => at_first_poll(method.call(context, &at_once)),
                Run::Blocking | Run::Task => method.try_now(context, &at_once, alone)?,
            };
            Some(reply.and_then(|reply| M::payload(reply, context.shape)))
        });
        let invoke: Invoke = Arc::new(move |context, params| {
            let service = service.clone();
            Box::pin(async move {
                let method: M = serde_json::from_value(params).map_err(Error::invalid_params)?;
                let reply = method.call(&context, &service).await?;
                M::payload(reply, context.shape)
            })
        });
        let (params, result) = (schema::params::<M>(), schema::result::<M::Reply>());
        Self {
            tier: M::TIER,
            effect: M::EFFECT,
            run: M::RUN,
            billed: M::BILLED,
            limit: M::LIMIT,
            task: M::TASK,
            tool: M::TOOL,
            rich: M::RICH,
            own: true,
            original_field: M::ORIGINAL_FIELD,
            try_now: (M::RUN != Run::Task).then_some(try_now),
            ..Self::assembled(M::NAME.to_owned(), description, &params, &result, invoke)
        }
    }

    /// A method that somebody else answers: a third-party backend's. Unknown effects count as the worst.
    /// `params` may be the original's array schema; then `positions` is empty and arrays go through as they are.
    pub fn remote(
        name: String,
        description: String,
        params: &Value,
        result: &Value,
        invoke: impl Fn(Context, Value) -> BoxFuture<'static, Result<Payload, Error>> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let entry = Self::assembled(name, description, params, result, Arc::new(invoke));
        // Somebody else wrote it: whether it is a schema at all is found out here.
        let checks = Checks::of(&entry.params(), entry.form)?;
        Ok(Self { checks: OnceLock::from(Arc::new(checks)), ..entry })
    }

    fn assembled(name: String, description: String, params: &Value, result: &Value, invoke: Invoke) -> Self {
        let form = Form::of(params);
        let properties = params.get("properties").and_then(Value::as_object);
        let positions = properties.map(|names| names.keys().cloned().collect()).unwrap_or_default();
        let service = match name.split('.').collect::<Vec<_>>()[..] {
            ["mcp", service, _, ..] if service != "licence" => service.to_owned(),
            _ => "gateway".to_owned(),
        };
        Self {
            service,
            description,
            tier: Tier::Pro,
            effect: Effect { open_world: true, ..Effect::DESTROY },
            run: Run::Task,
            billed: true,
            limit: None,
            task: TaskSupport::Forbidden,
            tool: true,
            alias: None,
            rich: false,
            own: false,
            form,
            checks: OnceLock::new(),
            name,
            params: params.to_string().into(),
            result: result.to_string().into(),
            positions,
            original_field: None,
            invoke,
            try_now: None,
        }
    }

    /// JSON Schema of the params object.
    pub fn params(&self) -> Value {
        serde_json::from_str(&self.params).expect("it was written from a value")
    }

    /// JSON Schema of the result object.
    pub fn result(&self) -> Value {
        serde_json::from_str(&self.result).expect("it was written from a value")
    }

    fn checks(&self) -> &Checks {
        self.checks.get_or_init(|| {
            Arc::new(Checks::of(&self.params(), self.form).expect("schemas made by schemars compile"))
        })
    }

    /// The tool of the same method: `mcp.mail.listMessages` is `mail_list_messages`.
    pub fn tool_name(&self) -> String {
        self.alias.clone().unwrap_or_else(|| mcp::tool_name(&self.name))
    }

    /// Reads and checks params: by position, by name or absent.
    pub fn read(&self, params: Option<&RawValue>) -> Result<Value, Error> {
        let checks = self.checks();
        let value = match params.map(RawValue::get) {
            None | Some("[]" | "{}") if checks.empty_is_valid => return Ok(Value::Object(Map::new())),
            None => Value::Array(Vec::new()),
            Some(text) => serde_json::from_str(text)
                .map_err(|error| Error::invalid_params(format!("unreadable: {error}")))?,
        };
        let value = match (self.form, value) {
            (Form::Object, Value::Array(items)) => self.by_name(items)?,
            (Form::Array, Value::Object(none)) if none.is_empty() => Value::Array(Vec::new()),
            (_, value) => value,
        };
        schema::check(&checks.validator, &value)?;
        Ok(value)
    }

    fn by_name(&self, items: Vec<Value>) -> Result<Value, Error> {
        let (takes, got) = (self.positions.len(), items.len());
        if got > takes {
            let takes = match takes {
                0 => "no params".to_owned(),
                _ => format!("at most {takes} ({})", self.positions.join(", ")),
            };
            return Err(Error::invalid_params(format!("{} takes {takes}, got {got}", self.name)));
        }
        Ok(Value::Object(self.positions.iter().cloned().zip(items).collect()))
    }

    /// Answers if that takes no waiting. Params that do not fit are answered too. `alone`: nobody waits behind the call.
    pub fn try_now(
        &self,
        context: &Context,
        params: Option<&RawValue>,
        alone: bool,
    ) -> Option<Result<Payload, Error>> {
        let try_now = self.try_now.as_ref()?;
        match self.read(params) {
            Ok(params) => try_now(context, params, alone),
            Err(error) => Some(Err(error)),
        }
    }

    /// Reads the params and runs the method.
    pub async fn invoke(&self, context: Context, params: Option<Box<RawValue>>) -> Result<Payload, Error> {
        let params = self.read(params.as_deref())?;
        (self.invoke)(context, params).await
    }

    /// The method as a capability file shows it (the original's four members, and the annotations).
    pub fn capability(&self) -> Value {
        json!({
            "method": self.name,
            "tool": self.tool_name(),
            "description": self.description,
            "tier": self.tier.name(),
            "annotations": {
                "readOnlyHint": self.effect.read_only,
                "destructiveHint": self.effect.destructive,
                "idempotentHint": self.effect.idempotent,
                "openWorldHint": self.effect.open_world,
            },
            "params_schema": self.params(),
            "result_schema": self.result(),
        })
    }
}

/// The answer of a method that never waits, from its future where it stands: a box for it costs more than what
/// most of them do.
fn at_first_poll<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match pin!(answer).poll(&mut Task::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(Error::internal("a method that is declared inline has waited")),
    }
}

// === impl Checks ===

impl Checks {
    fn of(params: &Value, form: Form) -> Result<Self, String> {
        let validator = schema::compile(params)?;
        let empty_is_valid = form == Form::Object && validator.is_valid(&json!({}));
        Ok(Self { validator, empty_is_valid })
    }
}

// === impl Form ===

impl Form {
    fn of(params: &Value) -> Self {
        let typed = |name: &str| match params.get("type") {
            Some(Value::String(only)) => Some(only == name),
            Some(Value::Array(several)) => Some(several.iter().any(|one| one == name)),
            _ => None,
        };
        match (typed("object"), typed("array")) {
            (Some(true), Some(false)) => Self::Object,
            (Some(false), Some(true)) => Self::Array,
            (None, _) if params.get("properties").is_some() => Self::Object,
            _ => Self::Either,
        }
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).finish_non_exhaustive()
    }
}

pub(crate) fn payload(
    reply: &impl serde::Serialize,
    shape: Shape,
    original_field: Option<&str>,
    text_bytes: usize,
) -> Result<Payload, Error> {
    if let (Shape::Original, Some(field)) = (shape, original_field) {
        let mut object = serde_json::to_value(reply).map_err(Error::internal)?;
        return Ok(Payload::Owned(object.get_mut(field).map(Value::take).unwrap_or_default().to_string()));
    }
    let mut text = Vec::with_capacity(text_bytes);
    serde_json::to_writer(&mut text, reply).map_err(Error::internal)?;
    String::from_utf8(text).map(Payload::Owned).map_err(Error::internal)
}

/// All methods by name.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    entries: BTreeMap<String, Arc<Entry>>,
}

/// Two methods of one name.
#[derive(Debug, thiserror::Error)]
#[error("method '{0}' is declared already")]
pub struct Taken(pub String);

impl Catalog {
    /// Adds a method; an existing one is never replaced.
    pub fn add(&mut self, entry: Entry) -> Result<(), Taken> {
        match self.entries.entry(entry.name.clone()) {
            std::collections::btree_map::Entry::Occupied(slot) => Err(Taken(slot.key().clone())),
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(Arc::new(entry));
                Ok(())
            }
        }
    }

    /// Removes all methods of a service.
    pub fn remove_service(&mut self, service: &str) {
        self.entries.retain(|_, entry| entry.service != service);
    }

    /// The method of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Entry>> {
        self.entries.get(name)
    }

    /// All methods, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.values()
    }

    /// The services that have methods, by name.
    pub fn services(&self) -> Vec<String> {
        let mut names: Vec<_> = self.entries.values().map(|entry| entry.service.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The capability file of one service, as the original published it to `/run/mcp/NAME.cap.json`.
    pub fn capability_file(&self, service: &str, description: &str, version: &str) -> Value {
        let capabilities: Vec<_> =
            self.iter().filter(|entry| entry.service == service).map(|entry| entry.capability()).collect();
        json!({
            "service_name": service,
            "description": description,
            "version": version,
            "capabilities": capabilities,
        })
    }
}

#[cfg(test)]
mod tests;
