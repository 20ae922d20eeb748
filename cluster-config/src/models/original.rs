//! The original's environment variables, which named models before there was a file: they still do where the file has
//! none.

use std::collections::BTreeMap;

use serde_json::json;

use super::load::check_url;
use super::{Kind, Model, Provider};
use crate::environment::Environment;

/// Variable of a key, provider, alias, model. Names of models age; a line in models.yaml replaces them.
const BY_KEY: &[(&str, Provider, &str, &str)] = &[
    ("OPENAI_API_KEY", Provider::Openai, "gpt-4o", "gpt-4o"),
    ("ANTHROPIC_API_KEY", Provider::Anthropic, "claude", "claude-sonnet-4-5"),
    ("GEMINI_API_KEY", Provider::Gemini, "gemini", "gemini-2.5-flash"),
];

/// Whose model is the default where several are.
const DEFAULT_PROVIDER: &str = "LLMBDO_DEFAULT_LLM_PROVIDER";

pub(super) fn models(environment: &Environment) -> BTreeMap<String, Model> {
    let mut models = BTreeMap::new();
    for (variable, provider, alias, name) in BY_KEY {
        let Some(key) = environment.get(variable) else { continue };
        let mut model = plain(*provider, name);
        model.api_key = Some(key.to_owned().into());
        if *provider == Provider::Openai
            && let Some(url) = environment.get("OPENAI_API_BASE_URL")
        {
            point(&mut model, url, "OPENAI_API_BASE_URL");
        }
        models.insert((*alias).to_owned(), model);
    }
    if let Some(url) = environment.get("LLAMA_CPP_API_BASE_URL") {
        let mut model =
            plain(Provider::LlamaCpp, environment.get("LLAMA_CPP_DEFAULT_MODEL").unwrap_or("default"));
        point(&mut model, url, "LLAMA_CPP_API_BASE_URL");
        models.insert("local-llama".to_owned(), model);
    }
    models
}

/// Points a model at the URL of a variable; a wrong one makes it unusable, and is not repeated.
fn point(model: &mut Model, url: &str, variable: &str) {
    match check_url(url) {
        Ok(()) => url.trim_end_matches('/').clone_into(&mut model.base_url),
        Err(why) => model.unusable = Some(format!("{variable} {why}")),
    }
}

fn plain(provider: Provider, name: &str) -> Model {
    let model = json!({ "provider": provider, "model": name, "base_url": provider.base_url() });
    serde_json::from_value(model).expect("everything else has a default")
}

/// Marks the default where no model says that it is.
pub(super) fn choose_default(
    models: &mut BTreeMap<String, Model>,
    environment: &Environment,
    warnings: &mut Vec<String>,
) {
    let Some(wanted) = environment.get(DEFAULT_PROVIDER) else { return };
    let chat = |model: &&mut Model| model.kind == Kind::Chat;
    if models.values().any(|model| model.kind == Kind::Chat && model.default) {
        return;
    }
    let wanted = wanted.to_lowercase();
    match models.values_mut().filter(chat).find(|model| model.provider.to_string() == wanted) {
        Some(model) => model.default = true,
        None => warnings.push(format!("{DEFAULT_PROVIDER} is `{wanted}`, and no model is of that provider")),
    }
}
