//! Reads `models.yaml`: every mistake in it at once, each with its line.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::one::{self, One, key};
use super::{Model, Models, keys, original, whole};
use crate::environment::Environment;
use crate::file::File;
use crate::mistake::{Mistake, Mistakes, in_reading_order};
use crate::secret::{self, Unresolved};
use crate::shape::Complaint;

/// Reads the models of the file at `path` and of the original's environment variables, and what is worth a warning, with
/// its place. A missing file has none. A key that cannot be had makes its model unusable and is no mistake: a container
/// starts without it.
///
/// # Errors
/// Every mistake in the file, from top to bottom.
pub fn load_models(path: &Path, environment: &Environment) -> Result<(Models, Vec<String>), Mistakes> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let read = File::read(path, directory).map_err(|mistake| Mistakes(vec![mistake]))?;
    let mut reading =
        Reading { environment, directory, file: read, mistakes: Vec::new(), warnings: Vec::new() };
    let mut models = reading.models();
    let Reading { file, mut mistakes, mut warnings, .. } = reading;
    if !mistakes.is_empty() {
        in_reading_order(&mut mistakes);
        return Err(Mistakes(mistakes));
    }
    let from_variables = models.is_empty();
    let place = match file.filter(|_| !from_variables) {
        Some(file) => file.mistake(Complaint { path: vec![key("models")], message: String::new() }),
        None => original::place(""),
    };
    if from_variables {
        models = original::models(environment, &mut warnings);
    }
    original::choose_default(&mut models, from_variables, environment, &mut warnings);
    let models = Models(models);
    warnings.extend(whole::no_default(&models, &place));
    in_reading_order(&mut warnings);
    Ok((models, warnings.iter().map(Mistake::to_string).collect()))
}

/// A file under reading.
struct Reading<'a> {
    environment: &'a Environment,
    directory: &'a Path,
    file: Option<File>,
    mistakes: Vec<Mistake>,
    /// What is probably not meant, at its place.
    warnings: Vec<Mistake>,
}

impl Reading<'_> {
    /// The models of the file; they count if there are no mistakes.
    fn models(&mut self) -> BTreeMap<String, Model> {
        let (mut models, _held) = (Vec::new(), one::SHAPE.get());
        for (alias, value) in self.aliases() {
            let (one, complaints) = one::read(&alias, value);
            for complaint in complaints {
                self.complain(complaint.below(key(&alias)));
            }
            models.push((alias, one));
        }
        for complaint in whole::complaints(&models) {
            self.complain(complaint);
        }
        let found = models.into_iter().filter_map(|(alias, one)| Some((alias, one?)));
        found.map(|(alias, one)| (alias.clone(), self.with_key(&alias, one))).collect()
    }

    /// What stands below `models:`, by alias and in the order of the file.
    fn aliases(&mut self) -> serde_json::Map<String, Value> {
        let none = serde_json::Map::new;
        let Some(file) = &mut self.file else { return none() };
        self.mistakes.extend(file.problems());
        let models = match file.value.take() {
            None | Some(Value::Null) => return none(),
            Some(Value::Object(mut map)) => {
                let models = map.shift_remove("models").unwrap_or_default();
                for name in map.keys() {
                    let message = "is not known here; models stand below `models:`".to_owned();
                    self.mistakes.push(file.mistake(Complaint { path: vec![key(name)], message }));
                }
                models
            }
            Some(_) => {
                let message = "must be a mapping: `models:` and below it aliases".to_owned();
                self.mistakes.push(file.mistake(Complaint { path: Vec::new(), message }));
                return none();
            }
        };
        match models {
            Value::Null => none(),
            Value::Object(models) => models,
            _ => {
                let message = "must be a mapping of aliases to models".to_owned();
                self.mistakes.push(file.mistake(Complaint { path: vec![key("models")], message }));
                none()
            }
        }
    }

    /// The model with the key itself in the place of what says where it is.
    fn with_key(&mut self, alias: &str, one: One) -> Model {
        let mut model = one.model;
        let at = |path: &[&str], message: String| Complaint {
            path: std::iter::once(alias).chain(path.iter().copied()).map(key).collect(),
            message,
        };
        let Some(written) = model.api_key.take() else {
            if model.provider.needs_key() && model.base_url == model.provider.base_url() {
                let why = format!("{} wants a key; set api_key in models.yaml", model.provider);
                self.warn(at(&[], format!("cannot be used: {why}")));
                model.unusable = Some(why);
            }
            return model;
        };
        let written = written.expose();
        match keys::find(written, self.environment, self.directory) {
            Ok(key) => {
                if !secret::is_reference(written.trim()) {
                    let message = "the key stands here in clear; write `${NAME}` or `file:PATH` instead";
                    self.warn(at(&["api_key"], message.to_owned()));
                }
                model.api_key = Some(key);
            }
            Err(Unresolved::Malformed(message)) => self.complain(at(&["api_key"], message.to_owned())),
            Err(Unresolved::Missing(why)) => {
                self.warn(at(&["api_key"], format!("{why}; the model cannot be used")));
                model.unusable = Some(format!("api_key: {why}"));
            }
        }
        model
    }

    /// A mistake; the path is from the aliases on.
    fn complain(&mut self, complaint: Complaint) {
        let place = self.file.as_ref().map(|file| file.mistake(complaint.below(key("models"))));
        self.mistakes.extend(place);
    }

    /// The same for a warning.
    fn warn(&mut self, complaint: Complaint) {
        let place = self.file.as_ref().map(|file| file.mistake(complaint.below(key("models"))));
        self.warnings.extend(place);
    }
}
