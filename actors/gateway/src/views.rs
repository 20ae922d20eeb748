//! Answers that depend only on who asks and on what is in force, written once: hello and listCapabilities are
//! what every client sends first and some send all day.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use protocol::{Caller, Error, Shape};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// Views kept; more kinds of callers than this and the oldest kind of trick, asking again, must do.
const VIEWS_MAX: usize = 64;

/// What a view depends on.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    method: &'static str,
    named: bool,
    tier: String,
    service: Option<Arc<str>>,
    narrowed_by: Option<i64>,
    caller: Option<String>,
}

impl Key {
    pub(crate) fn new(method: &'static str, shape: Shape, caller: &Caller) -> Self {
        Self {
            method,
            named: shape == Shape::Named,
            tier: caller.tier.clone(),
            service: caller.service.clone(),
            narrowed_by: caller.allow.as_ref().and(caller.token),
            caller: None,
        }
    }

    /// The view names the caller.
    pub(crate) fn of_caller(self, caller: &Caller) -> Self {
        Self { caller: Some(caller.name.clone()), ..self }
    }
}

/// What was in force when a view was written: policy and routes by generation, and the ceiling, which time
/// itself can lower.
type Edition = (u64, u64, String);

#[derive(Default)]
pub(crate) struct Views(Mutex<(Edition, HashMap<Key, Arc<RawValue>>)>);

impl Views {
    /// The view of `key` in this edition, written by `write` if nobody has yet.
    pub(crate) fn get<T: Serialize>(
        &self,
        edition: Edition,
        key: Key,
        write: impl FnOnce() -> T,
    ) -> Result<Arc<RawValue>, Error> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != edition || kept.1.len() >= VIEWS_MAX {
            *kept = (edition, HashMap::new());
        }
        if let Some(view) = kept.1.get(&key) {
            return Ok(Arc::clone(view));
        }
        let view: Arc<RawValue> = serde_json::value::to_raw_value(&write()).map_err(Error::internal)?.into();
        kept.1.insert(key, Arc::clone(&view));
        Ok(view)
    }
}

/// A reply that was written before; `T` is what it is for its schema.
pub(crate) struct Written<T> {
    text: Arc<RawValue>,
    shape: std::marker::PhantomData<fn() -> T>,
}

impl<T> From<Arc<RawValue>> for Written<T> {
    fn from(text: Arc<RawValue>) -> Self {
        Self { text, shape: std::marker::PhantomData }
    }
}

impl<T> Serialize for Written<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for Written<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}
