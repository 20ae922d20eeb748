//! Answers that depend only on who asks and on what is in force, written once: hello and listCapabilities are
//! what every client sends first and some send all day.

use std::sync::Arc;

use arc_swap::ArcSwap;
use protocol::mcp::Toolbox;
use protocol::{Caller, Error, Payload, Shape};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// Views kept. There are as many as kinds of callers times methods; a daemon with more kinds than this writes
/// some of them again.
const VIEWS_MAX: usize = 64;

/// What was in force when a view was written.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Edition {
    /// Of the policy.
    pub(crate) policy: u64,
    /// Of the routes.
    pub(crate) routes: u64,
    /// Time alone can end a licence.
    pub(crate) expired: bool,
}

/// Answers as they were written for one kind of caller each.
#[derive(Default)]
pub(crate) struct Views(ArcSwap<Kept>);

#[derive(Clone, Default)]
struct Kept {
    edition: Edition,
    views: Vec<View>,
}

#[derive(Clone)]
struct View {
    method: &'static str,
    shape: Shape,
    /// Everything about the caller that a view may depend on.
    caller: Arc<Caller>,
    text: Arc<str>,
}

impl Views {
    /// The view of `method` for `caller` in this edition, written by `write` if nobody has yet.
    pub(crate) fn get<T: Serialize>(
        &self,
        edition: Edition,
        method: &'static str,
        shape: Shape,
        caller: &Arc<Caller>,
        write: impl FnOnce() -> T,
    ) -> Result<Arc<str>, Error> {
        let known =
            |view: &&View| view.method == method && view.shape == shape && alike(&view.caller, caller);
        let kept = self.0.load();
        if kept.edition == edition
            && let Some(view) = kept.views.iter().find(known)
        {
            return Ok(Arc::clone(&view.text));
        }
        let text: Arc<str> = serde_json::to_string(&write()).map_err(Error::internal)?.into();
        let view = View { method, shape, caller: Arc::clone(caller), text: Arc::clone(&text) };
        // Of two that write at one time one is forgotten, and written again when it is next asked for.
        let old = kept.views.iter().filter(|_| kept.edition == edition && kept.views.len() < VIEWS_MAX);
        let views = old.cloned().chain([view]).collect();
        self.0.store(Arc::new(Kept { edition, views }));
        Ok(text)
    }
}

/// The tools of callers, by kind of caller.
#[derive(Default)]
pub(crate) struct Toolboxes(ArcSwap<KeptTools>);

#[derive(Default)]
struct KeptTools {
    edition: Edition,
    boxes: Vec<(Arc<Caller>, Arc<Toolbox>)>,
}

impl Toolboxes {
    /// The tools of `caller` in this edition, gathered by `gather` if nobody has yet.
    pub(crate) fn get(
        &self,
        edition: Edition,
        caller: &Arc<Caller>,
        gather: impl FnOnce() -> Toolbox,
    ) -> Arc<Toolbox> {
        let kept = self.0.load();
        if kept.edition == edition
            && let Some((_, tools)) = kept.boxes.iter().find(|(known, _)| alike(known, caller))
        {
            return Arc::clone(tools);
        }
        let tools = Arc::new(gather());
        let old = kept.boxes.iter().filter(|_| kept.edition == edition && kept.boxes.len() < VIEWS_MAX);
        let boxes = old.cloned().chain([(Arc::clone(caller), Arc::clone(&tools))]).collect();
        self.0.store(Arc::new(KeptTools { edition, boxes }));
        tools
    }
}

/// Whether two callers see the same: one connection's caller is one value, so the first look mostly decides.
fn alike(one: &Arc<Caller>, other: &Arc<Caller>) -> bool {
    Arc::ptr_eq(one, other)
        || (one.name == other.name
            && one.tier == other.tier
            && one.service == other.service
            && one.token == other.token)
}

/// A reply that was written before; `T` is what it is, for its schema.
pub(crate) struct Written<T> {
    text: Arc<str>,
    shape: std::marker::PhantomData<fn() -> T>,
}

impl<T> Written<T> {
    /// The text, without writing it again.
    pub(crate) fn into_payload(self) -> Payload {
        Payload::Shared(self.text)
    }
}

impl<T> From<Arc<str>> for Written<T> {
    fn from(text: Arc<str>) -> Self {
        Self { text, shape: std::marker::PhantomData }
    }
}

impl<T> Serialize for Written<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(self.text.to_string()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
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
