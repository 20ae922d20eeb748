//! Reads `models.yaml`: every mistake in it at once, each with its line.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

use super::{Kind, Model, Models, original};
use crate::environment::Environment;
use crate::file::File;
use crate::mistake::{Mistake, Mistakes, shorten};
use crate::nearest::nearest;
use crate::secret;
use crate::shape::{Complaint, Shape};
use crate::yaml::Step;

/// What one model must look like.
static SHAPE: LazyLock<Shape> = LazyLock::new(Shape::of::<Model>);

/// Names of the original's fields, and ours.
const RENAMED: &[(&str, &str)] =
    &[("model_name", "model"), ("api_base_url", "base_url"), ("is_default", "default")];

/// Reads the models of the file at `path` and of the original's environment variables, and what is worth a warning. A
/// missing file has none. A key that cannot be had makes its model unusable and is no mistake: a container starts
/// without it.
///
/// # Errors
/// Every mistake in the file.
pub fn load_models(path: &Path, environment: &Environment) -> Result<(Models, Vec<String>), Mistakes> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut reading = Reading { environment, directory, models: BTreeMap::new(), warnings: Vec::new() };
    match File::read(path, directory) {
        Ok(None) => {}
        Ok(Some(file)) => {
            let mistakes = reading.take(file);
            if !mistakes.is_empty() {
                return Err(Mistakes(mistakes));
            }
        }
        Err(mistake) => return Err(Mistakes(vec![mistake])),
    }
    let Reading { mut models, mut warnings, .. } = reading;
    if models.is_empty() {
        models = original::models(environment);
    }
    original::choose_default(&mut models, environment, &mut warnings);
    Ok((Models(models), warnings))
}

struct Reading<'a> {
    environment: &'a Environment,
    directory: &'a Path,
    models: BTreeMap<String, Model>,
    warnings: Vec<String>,
}

impl Reading<'_> {
    fn take(&mut self, mut file: File) -> Vec<Mistake> {
        let mut mistakes = file.problems();
        let key = |name: &str| Step::Key(name.to_owned());
        let models = match file.value.take() {
            None | Some(Value::Null) => return mistakes,
            Some(Value::Object(mut map)) => {
                let models = map.shift_remove("models").unwrap_or_default();
                for name in map.keys() {
                    let message = "is not known here; models stand below `models:`".to_owned();
                    mistakes.push(file.mistake(Complaint { path: vec![key(name)], message }));
                }
                models
            }
            Some(_) => {
                let message = "must be a mapping: `models:` and below it aliases".to_owned();
                mistakes.push(file.mistake(Complaint { path: Vec::new(), message }));
                return mistakes;
            }
        };
        let models = match models {
            Value::Null => return mistakes,
            Value::Object(models) => models,
            _ => {
                let message = "must be a mapping of aliases to models".to_owned();
                mistakes.push(file.mistake(Complaint { path: vec![key("models")], message }));
                return mistakes;
            }
        };
        let aliases: Vec<String> = models.keys().cloned().collect();
        for (alias, value) in models {
            let path = [key("models"), key(&alias)];
            match self.model(&alias, value, &aliases) {
                Ok(model) => drop(self.models.insert(alias, model)),
                Err(complaints) => mistakes.extend(complaints.into_iter().map(|complaint| {
                    let path = path.iter().cloned().chain(complaint.path).collect();
                    file.mistake(Complaint { path, message: complaint.message })
                })),
            }
        }
        for kind in [Kind::Chat, Kind::Embedding] {
            let defaults = self.models.iter().filter(|(_, model)| model.kind == kind && model.default);
            let defaults: Vec<&String> = defaults.map(|(alias, _)| alias).collect();
            if let [first, second, ..] = defaults[..] {
                let path = vec![key("models"), key(second), key("default")];
                let message = format!("`{first}` is the default already; only one can be");
                mistakes.push(file.mistake(Complaint { path, message }));
            }
        }
        mistakes
    }

    fn model(&mut self, alias: &str, value: Value, aliases: &[String]) -> Result<Model, Vec<Complaint>> {
        let complaint = |message: String| Complaint { path: Vec::new(), message };
        let at = |name: &str, message: String| Complaint { path: vec![Step::Key(name.to_owned())], message };
        let value = with_our_names(value);
        let mut complaints = SHAPE.complaints(&value);
        if !is_alias(alias) {
            let shown = shorten(alias);
            complaints.push(complaint(format!(
                "`{shown}` cannot be an alias: 1 to 64 letters, digits and . _ - : /"
            )));
        }
        if !complaints.is_empty() {
            return Err(complaints);
        }
        let mut model: Model =
            serde_json::from_value(value).map_err(|error| vec![complaint(error.to_string())])?;
        if model.base_url.is_empty() {
            model.provider.base_url().clone_into(&mut model.base_url);
        }
        if let Err(message) = check_url(&model.base_url) {
            complaints.push(at("base_url", message));
        }
        for (n, fallback) in model.fallbacks.iter().enumerate() {
            let path = vec![Step::Key("fallbacks".to_owned()), Step::Index(n)];
            if fallback == alias {
                complaints.push(Complaint { path, message: "is the model itself".to_owned() });
            } else if !aliases.contains(fallback) {
                let near = nearest(fallback, aliases.iter().map(String::as_str));
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                let message = format!("no model `{}` is in this file{hint}", shorten(fallback));
                complaints.push(Complaint { path, message });
            }
        }
        if !complaints.is_empty() {
            return Err(complaints);
        }
        self.find_key(alias, &mut model);
        Ok(model)
    }

    /// Puts the key itself in the place of what says where it is.
    fn find_key(&mut self, alias: &str, model: &mut Model) {
        let Some(written) = model.api_key.take() else {
            if model.provider.needs_key() && model.base_url == model.provider.base_url() {
                model.unusable = Some(format!("{} wants a key; set api_key in models.yaml", model.provider));
            }
            return;
        };
        let written = written.expose();
        if !written.starts_with("${") && !written.starts_with("file:") {
            self.warnings.push(format!(
                "models.yaml: the key of `{alias}` stands there in clear; write `${{NAME}}` or `file:PATH` instead"
            ));
        }
        match secret::resolve(written, self.environment, self.directory) {
            Ok(key) => model.api_key = Some(key.into()),
            Err(why) => {
                self.warnings.push(format!("models.yaml: `{alias}` cannot be used: api_key: {why}"));
                model.unusable = Some(format!("its key is not there: {why}"));
            }
        }
    }
}

/// The original's names of fields give way to ours, so that one schema checks both.
fn with_our_names(value: Value) -> Value {
    let Value::Object(map) = value else { return value };
    let renamed = map.into_iter().map(|(name, value)| {
        let ours = RENAMED.iter().find(|(original, _)| *original == name).map(|(_, ours)| (*ours).to_owned());
        (ours.unwrap_or(name), value)
    });
    Value::Object(renamed.collect())
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
