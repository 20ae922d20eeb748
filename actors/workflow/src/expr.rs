//! Templates and conditions: `{{ steps.read.content }}`, `inputs.n > 3`. Evaluated once, in a bounded number of steps,
//! with names that must exist.
//!
//! Only text of the workflow's own file is ever evaluated. What it comes to is data: a file, a mail or a model that says
//! `{{ secrets.key }}` has said eleven letters and some braces.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value as Mj};
use serde_json::{Map, Value};

use crate::clock;

/// Instructions of one evaluation: a loop over ten thousand entries, and nobody waits for longer than a moment.
const FUEL: u64 = 500_000;

/// The largest text that one template may come to.
const TEXT_MAX: usize = 8 << 20;

/// How deep a value with templates in it may be nested; the file's own limit is lower.
const DEPTH_MAX: usize = 64;

static JINJA: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    // A text that ends in a line end keeps it.
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        environment.set_syntax(syntax);
    }
    environment.set_recursion_limit(100);
    clock::teach(&mut environment);
    environment
});

/// The names that an expression may use, and what each stands for. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Scope(BTreeMap<Arc<str>, Name>);

#[derive(Clone, Debug)]
enum Name {
    One(Mj),
    /// A mapping that grows: `steps`, `vars`.
    Many(BTreeMap<Arc<str>, Mj>),
}

impl Scope {
    /// Gives `name` a value, whatever it had.
    pub fn set(&mut self, name: &str, value: &Value) {
        self.0.insert(name.into(), Name::One(Mj::from(Serde(value))));
    }

    /// The same, for a scope of its own.
    #[must_use]
    pub fn with(mut self, name: &str, value: &Value) -> Self {
        self.set(name, value);
        self
    }

    /// Gives `group.name` a value.
    pub fn set_in(&mut self, group: &str, name: &str, value: &Value) {
        let there = self.0.entry(group.into()).or_insert_with(|| Name::Many(BTreeMap::new()));
        if !matches!(there, Name::Many(_)) {
            *there = Name::Many(BTreeMap::new());
        }
        if let Name::Many(many) = there {
            many.insert(name.into(), Mj::from(Serde(value)));
        }
    }

    /// Takes over what `other` has in a group.
    pub fn merge(&mut self, group: &str, other: &Self) {
        let Some(Name::Many(theirs)) = other.0.get(group) else { return };
        match self.0.entry(group.into()).or_insert_with(|| Name::Many(BTreeMap::new())) {
            Name::Many(ours) => {
                ours.extend(theirs.iter().map(|(name, value)| (Arc::clone(name), value.clone())));
            }
            one @ Name::One(_) => *one = Name::Many(theirs.clone()),
        }
    }

    /// All that a group has.
    pub fn group(&self, group: &str) -> Value {
        match self.0.get(group) {
            Some(Name::Many(many)) => many
                .iter()
                .map(|(name, value)| (name.to_string(), plain(value)))
                .collect::<Map<_, _>>()
                .into(),
            Some(Name::One(one)) => plain(one),
            None => Value::Object(Map::new()),
        }
    }

    fn context(&self) -> Mj {
        let value = |name: &Name| match name {
            Name::One(value) => value.clone(),
            Name::Many(many) => {
                Mj::from_pairs(many.iter().map(|(name, value)| (name.to_string(), value.clone())))
            }
        };
        Mj::from_pairs(self.0.iter().map(|(name, it)| (name.to_string(), value(it))))
    }
}

fn plain(value: &Mj) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// What a value with templates anywhere in its texts comes to.
///
/// # Errors
/// Which template, and why not.
pub fn render(value: &Value, scope: &Scope) -> Result<Value, String> {
    if is_plain(value) {
        return Ok(value.clone());
    }
    fill(value, &scope.context(), 0)
}

/// What a text comes to: a text that is one `{{ expression }}` and nothing else keeps its type.
///
/// # Errors
/// Why not.
pub fn text(text: &str, scope: &Scope) -> Result<Value, String> {
    if is_text(text) { Ok(Value::from(text)) } else { one(text, &scope.context()) }
}

/// Whether a condition holds; it is written with braces or without.
///
/// # Errors
/// Why it cannot be said.
pub fn holds(condition: &str, scope: &Scope) -> Result<bool, String> {
    let source = sole(condition.trim()).unwrap_or(condition);
    Ok(expression(source, &scope.context())?.is_true())
}

/// What an expression comes to, written with braces or without.
///
/// # Errors
/// Why it comes to nothing.
pub fn value(source: &str, scope: &Scope) -> Result<Value, String> {
    let source = sole(source.trim()).unwrap_or(source);
    shown(&expression(source, &scope.context())?)
}

fn fill(value: &Value, context: &Mj, depth: usize) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err(format!("is nested more than {DEPTH_MAX} levels deep"));
    }
    Ok(match value {
        Value::String(text) if !is_text(text) => one(text, context)?,
        Value::Array(items) => {
            items.iter().map(|item| fill(item, context, depth + 1)).collect::<Result<Vec<_>, _>>()?.into()
        }
        Value::Object(map) => {
            let mut filled = Map::new();
            for (key, value) in map {
                let key = if is_text(key) { key.clone() } else { as_text(&one(key, context)?) };
                filled.insert(key, fill(value, context, depth + 1)?);
            }
            filled.into()
        }
        other => other.clone(),
    })
}

/// A value in the middle of a text.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn one(text: &str, context: &Mj) -> Result<Value, String> {
    if let Some(source) = sole(text) {
        return shown(&expression(source, context)?);
    }
    let template = JINJA.template_from_str(text).map_err(|error| explain(&error, text))?;
    let mut written = Bounded(Vec::new());
    let rendered = template.render_captured_to(context, &mut written).map(drop);
    rendered.map_err(|error| {
        if error.kind() == ErrorKind::WriteFailure { too_long(text) } else { explain(&error, text) }
    })?;
    String::from_utf8(written.0).map(Value::String).map_err(|_| "is no text".to_owned())
}

fn too_long(text: &str) -> String {
    format!("`{}` comes to more than {TEXT_MAX} bytes", short(text))
}

/// A text that does not grow beyond its bound.
struct Bounded(Vec<u8>);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > TEXT_MAX {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn expression(source: &str, context: &Mj) -> Result<Mj, String> {
    let compiled = JINJA.compile_expression(source).map_err(|error| explain(&error, source))?;
    let value = compiled.eval(context).map_err(|error| explain(&error, source))?;
    if value.is_undefined() {
        return Err(format!("`{}` is undefined", short(source)));
    }
    Ok(value)
}

fn shown(value: &Mj) -> Result<Value, String> {
    match value.kind() {
        ValueKind::Invalid | ValueKind::Plain | ValueKind::Bytes => {
            Err("is nothing that a step can use".to_owned())
        }
        _ => serde_json::to_value(value).map_err(|error| format!("is nothing that a step can use: {error}")),
    }
}

/// What is wrong, in words, without what was in the values.
fn explain(error: &minijinja::Error, source: &str) -> String {
    let why = match error.kind() {
        ErrorKind::UndefinedError => "something in it is undefined".to_owned(),
        ErrorKind::OutOfFuel => format!("takes more than {FUEL} steps"),
        ErrorKind::SyntaxError => format!("is no template: {}", error.detail().unwrap_or("syntax error")),
        ErrorKind::UnknownFilter
        | ErrorKind::UnknownTest
        | ErrorKind::UnknownFunction
        | ErrorKind::UnknownMethod => {
            format!("uses what there is not: {}", error.detail().unwrap_or_default())
        }
        ErrorKind::InvalidOperation => error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
        kind => kind.to_string(),
    };
    format!("`{}`: {why}", short(source))
}

fn short(text: &str) -> String {
    let mut short: String = text.trim().chars().take(80).flat_map(char::escape_debug).collect();
    if text.trim().chars().nth(80).is_some() {
        short.push('…');
    }
    short
}

/// Whether nothing in it is to be evaluated.
pub fn is_text(text: &str) -> bool {
    !(text.contains("{{") || text.contains("{%") || text.contains("{#"))
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(text) => is_text(text),
        Value::Array(items) => items.iter().all(is_plain),
        Value::Object(map) => map.iter().all(|(key, value)| is_text(key) && is_plain(value)),
        _ => true,
    }
}

/// The expression of a text that is one `{{ expression }}` and nothing around it.
fn sole(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix('-').unwrap_or(inner);
    let inner = inner.strip_suffix('-').unwrap_or(inner);
    let (mut quote, mut escaped, mut before) = (None, false, ' ');
    for c in inner.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            // Two expressions, with text between them.
            None if (before == '}' && c == '}') || (before == '{' && c == '{') => return None,
            _ => {}
        }
        before = c;
    }
    quote.is_none().then_some(inner)
}

// === Before anything runs ===

/// The names that a text uses: `steps.read.content`, `inputs.n`.
///
/// # Errors
/// It is no template.
pub fn names(text: &str) -> Result<Vec<String>, String> {
    if is_text(text) {
        return Ok(Vec::new());
    }
    if let Some(source) = sole(text) {
        return condition_names(source);
    }
    let template = JINJA.template_from_str(text).map_err(|error| explain(&error, text))?;
    Ok(template.undeclared_variables(true).into_iter().collect())
}

/// The same for a condition, or an expression without braces.
///
/// # Errors
/// It is no expression.
pub fn condition_names(source: &str) -> Result<Vec<String>, String> {
    let source = sole(source.trim()).unwrap_or(source);
    let compiled = JINJA.compile_expression(source).map_err(|error| explain(&error, source))?;
    Ok(compiled.undeclared_variables(true).into_iter().collect())
}

#[cfg(test)]
mod tests;
