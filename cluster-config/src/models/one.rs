//! One model of the file by itself: the original's names of its fields, its shape, and what a shape cannot say.

use serde_json::{Map, Value};

use super::{Kind, Model, Provider, fields};
use crate::lent::Lent;
use crate::mistake::shorten;
use crate::shape::{Complaint, Shape};
use crate::value::without_nulls;
use crate::yaml::Step;

/// What one model must look like.
pub(crate) static SHAPE: Lent<Shape> = Lent::new(Shape::of::<Model>);

/// Names of the original's fields, and ours.
const RENAMED: &[(&str, &str)] =
    &[("model_name", "model"), ("api_base_url", "base_url"), ("is_default", "default")];

/// A model as far as it could be read.
pub(super) struct One {
    pub(super) model: Model,
    pub(super) names: Names,
    /// Nothing in it is wrong by itself.
    pub(super) sound: bool,
}

/// Which fields are written with the original's name.
#[derive(Default)]
pub(super) struct Names(Vec<(&'static str, &'static str)>);

/// Reads the model `alias`; complaints have paths from the model on, with the names that are written there.
pub(super) fn read(alias: &str, value: Value) -> (Option<One>, Vec<Complaint>) {
    let mut complaints = Vec::new();
    if !is_alias(alias) {
        let message =
            format!("`{}` cannot be an alias: 1 to 64 letters, digits and . _ - : /", shorten(alias));
        complaints.push(Complaint { path: Vec::new(), message });
    }
    let mut map = match without_nulls(value) {
        Value::Object(map) => map,
        // An alias with nothing behind it is a model that lacks everything.
        Value::Null => Map::new(),
        other => {
            complaints.extend(SHAPE.get().complaints(&other));
            return (None, complaints);
        }
    };
    let names = Names::take(&mut map, &mut complaints);
    let mut value = Value::Object(map);
    let mut found = SHAPE.get().complaints(&value);
    // What does not fit is left out, and what must be there stands in for itself, so that the rest is still checked.
    let is_broken =
        |found: &[Complaint], name: &str| found.iter().any(|one| one.path.first() == Some(&key(name)));
    if let Value::Object(map) = &mut value {
        map.retain(|name, _| !is_broken(&found, name));
        map.entry("provider").or_insert_with(|| Provider::Openai.to_string().into());
        map.entry("model").or_insert_with(|| alias.into());
    }
    let states_output = value.get("max_output_tokens").is_some();
    let mut model = serde_json::from_value::<Model>(value)
        .map_err(|error| found.push(Complaint { path: Vec::new(), message: error.to_string() }))
        .ok();
    if let Some(model) = &mut model {
        if model.base_url.is_empty() {
            model.provider.base_url().clone_into(&mut model.base_url);
        }
        if !is_broken(&found, "base_url")
            && let Err(message) = check_url(&model.base_url)
        {
            found.push(Complaint { path: vec![key("base_url")], message });
        }
        if !is_broken(&found, "max_output_tokens") {
            found.extend(window(model, states_output));
        }
        for (n, field) in model.allow_fields.iter().enumerate() {
            let path = vec![key("allow_fields"), Step::Index(n)];
            found.extend(fields::why_not(field).map(|message| Complaint { path, message }));
        }
    }
    complaints.extend(found.into_iter().map(|complaint| names.as_written(complaint)));
    let sound = complaints.is_empty();
    (model.map(|model| One { model, names, sound }), complaints)
}

/// An answer takes a part of the window. Models for embeddings write nothing.
fn window(model: &Model, states_output: bool) -> Option<Complaint> {
    let (window, output) = (model.context_window?, model.max_output_tokens);
    if model.kind != Kind::Chat || output < window {
        return None;
    }
    Some(if states_output {
        let message = format!("must be less than context_window, which is {window}, not {output}");
        Complaint { path: vec![key("max_output_tokens")], message }
    } else {
        let message =
            format!("must be more than max_output_tokens, which is {output} unless it is set; set it, too");
        Complaint { path: vec![key("context_window")], message }
    })
}

fn is_alias(alias: &str) -> bool {
    (1..=64).contains(&alias.len())
        && alias.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:/".contains(&b))
        && !alias.starts_with('/')
}

/// Enough to tell a URL from something else; the rest is found out by whoever connects. What is wrong with it is said
/// without it: a wrong URL may hold a password.
pub(super) fn check_url(url: &str) -> Result<(), String> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let Some(rest) = rest else {
        return Err(if url.is_empty() {
            "is missing: this provider has no address of its own".to_owned()
        } else {
            "must begin with http:// or https://".to_owned()
        });
    };
    let host = rest.split('/').next().unwrap_or_default();
    if url.contains('@') {
        return Err("must not have a user or a password in it; a key goes into api_key".to_owned());
    }
    if host.is_empty() || url.chars().any(|c| c.is_whitespace() || c.is_control()) || url.contains(['?', '#'])
    {
        return Err("must be a host and a path, without spaces, `?` or `#`".to_owned());
    }
    Ok(())
}

pub(super) fn key(name: &str) -> Step {
    Step::Key(name.to_owned())
}

// === impl Names ===

impl Names {
    /// Gives every field our name, so that one schema checks both.
    fn take(map: &mut Map<String, Value>, complaints: &mut Vec<Complaint>) -> Self {
        let mut names = Self::default();
        for (original, ours) in RENAMED {
            let Some(value) = map.shift_remove(*original) else { continue };
            if map.contains_key(*ours) {
                let message =
                    format!("says the same as `{ours}`, which stands here too; keep one of the two");
                complaints.push(Complaint { path: vec![key(original)], message });
                continue;
            }
            map.insert((*ours).to_owned(), value);
            names.0.push((ours, original));
        }
        names
    }

    /// The complaint at the field as it is written in the file.
    pub(super) fn as_written(&self, mut complaint: Complaint) -> Complaint {
        if let Some(Step::Key(name)) = complaint.path.first_mut()
            && let Some((_, original)) = self.0.iter().find(|(ours, _)| ours == name)
        {
            (*original).clone_into(name);
        }
        complaint
    }
}
