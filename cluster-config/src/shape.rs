//! What a document must look like: the schema of a type, compiled, walked, and put into words.
//!
//! The schema is derived from the Rust type, so key names, ranges, defaults and documentation are written once.
//! Three words of ours stand in it: `"format": "path"` marks what is resolved against a directory, `"format": "secret"`
//! what is looked up and never shown, and `"format": "span"` how long something takes.

use std::fmt::Write as _;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::mistake::shorten;
use crate::nearest::nearest;
use crate::yaml::Step;

/// Nobody reads more at once, and a hostile file could make 50,000.
const COMPLAINTS_MAX: usize = 64;

/// Forms of forms of forms; a type has two.
const FORMS_MAX: usize = 4;

/// A schema, ready to check documents.
pub(crate) struct Shape {
    pub(crate) schema: Value,
    validator: Validator,
}

/// One thing in a document that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) path: Vec<Step>,
    pub(crate) message: String,
}

/// One setting: a place in the document that is not a mapping itself.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// `limits.call_seconds`.
    pub(crate) key: String,
    /// `LLMBDO_LIMITS_CALL_SECONDS`.
    pub(crate) variable: String,
    pub(crate) path: Vec<Step>,
    pub(crate) schema: Value,
}

// === impl Complaint ===

impl Complaint {
    /// The same seen from one step further up.
    pub(crate) fn below(mut self, step: Step) -> Self {
        self.path.insert(0, step);
        self
    }
}

// === impl Shape ===

impl Shape {
    /// The shape of `T`.
    pub(crate) fn of<T: JsonSchema>() -> Self {
        let generator = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true).into_generator();
        let mut schema = generator.into_root_schema_for::<T>().to_value();
        tidy(&mut schema);
        Self::from(schema)
    }

    /// The shape that `schema` describes.
    pub(crate) fn from(schema: Value) -> Self {
        let validator = jsonschema::draft202012::new(&schema).expect("a schema made from a type is a schema");
        Self { schema, validator }
    }

    /// What in `document` does not fit: all of it, or the first `COMPLAINTS_MAX`.
    pub(crate) fn complaints(&self, document: &Value) -> Vec<Complaint> {
        let mut found: Vec<Complaint> = Vec::new();
        for error in self.validator.iter_errors(document) {
            self.explain(&error, document, &mut found);
            if found.len() >= COMPLAINTS_MAX {
                found.truncate(COMPLAINTS_MAX);
                break;
            }
        }
        found
    }

    /// What one violation says, and where.
    fn explain(&self, error: &ValidationError<'_>, document: &Value, found: &mut Vec<Complaint>) {
        // Where one of several forms will do, that is meant which has the right kind of value.
        if let ValidationErrorKind::AnyOf { context } = error.kind()
            && let Some(meant) = meant(context, error)
        {
            return meant.iter().for_each(|error| self.explain(error, document, found));
        }
        let path = steps(error.instance_path().as_str(), document);
        let schema = at(&self.schema, &path).unwrap_or(&Value::Null);
        for (below, message) in words(error, schema, &self.schema) {
            let path = path.iter().cloned().chain(below).collect();
            let complaint = Complaint { path, message };
            // A value can break several rules of its schema; the message names them all.
            if !found.contains(&complaint) {
                found.push(complaint);
            }
        }
    }

    /// Every setting, in the order of declaration.
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        fn walk(schema: &Value, path: &mut Vec<Step>, leaves: &mut Vec<Leaf>) {
            if let Some(properties) = schema["properties"].as_object() {
                for (key, inner) in properties {
                    path.push(Step::Key(key.clone()));
                    walk(inner, path, leaves);
                    path.pop();
                }
            } else {
                let key = dotted(path);
                let variable = format!("LLMBDO_{}", key.to_uppercase().replace('.', "_"));
                leaves.push(Leaf { key, variable, path: path.clone(), schema: schema.clone() });
            }
        }
        let mut leaves = Vec::new();
        walk(&self.schema, &mut Vec::new(), &mut leaves);
        leaves
    }
}

/// The violations of the one form that `error`'s value was meant to have.
fn meant<'a>(
    forms: &'a [Vec<ValidationError<'static>>],
    error: &ValidationError<'_>,
) -> Option<&'a Vec<ValidationError<'static>>> {
    let of_another_type = |one: &ValidationError<'_>| {
        matches!(one.kind(), ValidationErrorKind::Type { .. }) && one.instance_path() == error.instance_path()
    };
    let mut fitting = forms.iter().filter(|form| !form.iter().any(of_another_type));
    fitting.next().filter(|_| fitting.next().is_none())
}

/// A JSON pointer as steps into `document`, which tells a key `0` from an index.
fn steps(pointer: &str, document: &Value) -> Vec<Step> {
    let mut value = document;
    let mut steps = Vec::new();
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        let step = match (value, segment.parse()) {
            (Value::Array(_), Ok(index)) => Step::Index(index),
            _ => Step::Key(segment),
        };
        value = match &step {
            Step::Key(key) => &value[key],
            Step::Index(index) => &value[index],
        };
        steps.push(step);
    }
    steps
}

/// `fs.roots[1].mode`.
pub(crate) fn dotted(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        let _ = match step {
            Step::Key(key) if text.is_empty() => write!(text, "{}", shorten(key)),
            Step::Key(key) => write!(text, ".{}", shorten(key)),
            Step::Index(index) => write!(text, "[{index}]"),
        };
    }
    text
}

/// The schema of what is at `path`. A type that holds itself is referred to; and where one of several will do, the one
/// that has the step is meant.
fn at<'a>(root: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter()
        .try_fold(root, |schema, step| below(schema, step, root, 0))
        .map(|schema| resolved(schema, root))
}

/// The schema of one step down.
fn below<'a>(schema: &'a Value, step: &Step, root: &'a Value, depth: usize) -> Option<&'a Value> {
    let schema = resolved(schema, root);
    let here = match step {
        Step::Key(key) => schema["properties"]
            .get(key)
            .or_else(|| schema.get("additionalProperties").filter(|schema| schema.is_object())),
        Step::Index(_) => schema.get("items"),
    };
    let forms = || schema["anyOf"].as_array().into_iter().flatten();
    let found = here.or_else(|| {
        (depth < FORMS_MAX).then(|| forms().find_map(|form| below(form, step, root, depth + 1))).flatten()
    });
    found.map(|found| resolved(found, root))
}

/// What `schema` refers to, if it does no more than that.
fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let pointer = schema["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
    pointer.and_then(|pointer| root.pointer(pointer)).unwrap_or(schema)
}

/// Doc comments are wrapped at the source's width; a description is one paragraph per blank line. Defaults of
/// whole sections repeat those of their settings.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text
                    .split("\n\n")
                    .map(|paragraph| paragraph.split('\n').map(str::trim).collect::<Vec<_>>().join(" "))
                    .collect::<Vec<_>>()
                    .join("\n\n");
            }
            // serde refuses what does not fit the type, and without a line.
            if map.get("format").is_some_and(|format| format == "uint32") {
                map.entry("maximum").or_insert_with(|| u32::MAX.into());
            }
            if map.contains_key("properties") {
                map.shift_remove("default");
            }
            map.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

// === In words ===

/// What to say about one violation, and where below its place.
fn words(error: &ValidationError<'_>, schema: &Value, root: &Value) -> Vec<(Option<Step>, String)> {
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .take(COMPLAINTS_MAX)
            .map(|key| (Some(Step::Key(key.clone())), unknown_key(key, schema, root)))
            .collect(),
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let known = properties(schema, root, 0);
            let known = known.iter().find(|(known, _)| *known == name);
            let what = known
                .and_then(|(_, schema)| schema["description"].as_str())
                .map(first_sentence)
                .unwrap_or_default();
            vec![(None, format!("needs `{name}`: {what}"))]
        }
        _ => vec![(None, wrong_value(error.instance(), schema))],
    }
}

fn unknown_key(key: &str, schema: &Value, root: &Value) -> String {
    let known = properties(schema, root, 0);
    let known = || known.iter().map(|(name, _)| *name);
    let shown = shorten(key);
    if let Some(near) = nearest(key, known()) {
        return format!("unknown key `{shown}`; did you mean `{near}`?");
    }
    if let Some(place) = elsewhere(key, root) {
        return format!("unknown key `{shown}` here; did you mean `{place}`?");
    }
    format!("unknown key `{shown}`; known here: {}", known().collect::<Vec<_>>().join(", "))
}

/// The members that `schema` gives a mapping, in whichever form it may be one.
fn properties<'a>(schema: &'a Value, root: &'a Value, depth: usize) -> Vec<(&'a str, &'a Value)> {
    let schema = resolved(schema, root);
    let own = schema["properties"].as_object().into_iter().flatten();
    let mut all: Vec<_> = own.map(|(name, schema)| (name.as_str(), schema)).collect();
    if depth < FORMS_MAX {
        let forms = schema["anyOf"].as_array().into_iter().flatten();
        all.extend(forms.flat_map(|form| properties(form, root, depth + 1)));
    }
    all
}

/// The full key of a setting called `name` somewhere else in the document.
fn elsewhere(name: &str, schema: &Value) -> Option<String> {
    schema["properties"].as_object()?.iter().find_map(|(key, inner)| {
        if inner["properties"].get(name).is_some() {
            return Some(format!("{key}.{name}"));
        }
        elsewhere(name, inner).map(|below| format!("{key}.{below}"))
    })
}

fn wrong_value(value: &Value, schema: &Value) -> String {
    let actual = match value {
        _ if schema["format"] == "secret" => String::new(),
        Value::Object(_) => ", not a mapping".to_owned(),
        Value::Array(items) if schema["type"] == "array" => match items.len() {
            0 => ", not an empty list".to_owned(),
            n => format!(", not a list of {n}"),
        },
        Value::Array(_) => ", not a list".to_owned(),
        Value::Null => ", not empty".to_owned(),
        // Quotes only where they are what makes it text.
        Value::String(text) if is_plain(text) => format!(", not `{}`", shorten(text)),
        value => format!(", not `{}`", shorten(&value.to_string())),
    };
    let default = match schema.get("default") {
        None | Some(Value::Null | Value::Array(_)) => String::new(),
        Some(default) => format!("; the default is `{}`", plain(default)),
    };
    format!("must be {}{actual}{default}", expected(schema))
}

/// Whether `text` is text without quotes around it. Only short words can be anything else.
fn is_plain(text: &str) -> bool {
    text.len() > 24 || serde_yaml::from_str::<Value>(text).is_ok_and(|value| value.is_string())
}

/// What a value of `schema` is: `a whole number from 1 to 86400`.
pub(crate) fn expected(schema: &Value) -> String {
    let options = options(schema);
    if !options.is_empty() {
        let options: Vec<_> = options.iter().map(|option| format!("`{option}`")).collect();
        return options.join(" or ");
    }
    if let Some(several) = schema["anyOf"].as_array() {
        let several: Vec<_> = several.iter().filter(|one| one["type"] != "null").map(expected).collect();
        return several.join(" or ");
    }
    let name = match &schema["type"] {
        Value::String(name) => name.as_str(),
        Value::Array(names) => names.first().and_then(Value::as_str).unwrap_or_default(),
        _ => "",
    };
    match name {
        "integer" => match (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
            (Some(low), Some(high)) => format!("a whole number from {low} to {high}"),
            _ => "a whole number".to_owned(),
        },
        "number" => match (schema["minimum"].as_f64(), schema["maximum"].as_f64()) {
            (Some(low), Some(high)) => format!("a number from {low} to {high}"),
            _ => "a number".to_owned(),
        },
        "boolean" => "`true` or `false`".to_owned(),
        "string" if schema["format"] == "span" => {
            "a time such as `500ms`, `2s` or `1h30m`, or a number of seconds".to_owned()
        }
        "string" if schema.get("pattern").is_some() => {
            let what = schema["description"].as_str().unwrap_or("text").trim_end_matches('.');
            let mut letters = what.chars();
            letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
        }
        "string" if schema["format"] == "path" => "a path".to_owned(),
        "string" => match (schema["minLength"].as_u64(), schema["maxLength"].as_u64()) {
            (Some(low), Some(high)) => format!("text of {low} to {high} characters"),
            _ => "text".to_owned(),
        },
        "array" => match (schema["minItems"].as_u64(), schema["maxItems"].as_u64()) {
            (Some(low), Some(high)) => {
                format!("a list of {low} to {high}, each {}", expected(&schema["items"]))
            }
            _ => format!("a list, each entry {}", expected(&schema["items"])),
        },
        "object" => {
            let keys: Vec<_> = schema["properties"].as_object().into_iter().flat_map(Map::keys).collect();
            let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
            if keys.is_empty() {
                "a mapping".to_owned()
            } else {
                format!("a mapping with {}", keys.join(", "))
            }
        }
        _ => "something else".to_owned(),
    }
}

/// The words that an enumeration allows.
pub(crate) fn options(schema: &Value) -> Vec<&str> {
    let listed = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let described = schema["oneOf"].as_array().into_iter().flatten().filter_map(|one| one["const"].as_str());
    listed.chain(described).collect()
}

/// A value as it is written in YAML.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The documentation of what `schema` describes.
pub(crate) fn text(schema: &Value) -> &str {
    schema["description"].as_str().unwrap_or_default()
}

/// Up to the first full stop that ends a sentence.
pub(crate) fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.')
}
