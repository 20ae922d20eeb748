//! The original's environment variables, which named models before there was a file: they still do where the file has
//! none.

use std::collections::BTreeMap;

use serde_json::json;

use super::keys;
use super::one::check_url;
use super::{Kind, Model, Provider};
use crate::environment::Environment;
use crate::mistake::{Mistake, shorten};

/// Variable of a key, provider, alias, model. Names of models age; a line in models.yaml replaces them.
const BY_KEY: &[(&str, Provider, &str, &str)] = &[
    ("OPENAI_API_KEY", Provider::Openai, "gpt-4o", "gpt-4o"),
    ("ANTHROPIC_API_KEY", Provider::Anthropic, "claude", "claude-sonnet-4-5"),
    ("GEMINI_API_KEY", Provider::Gemini, "gemini", "gemini-2.5-flash"),
];

const OPENAI_URL: &str = "OPENAI_API_BASE_URL";
const LLAMA_URL: &str = "LLAMA_CPP_API_BASE_URL";
const LLAMA_MODEL: &str = "LLAMA_CPP_DEFAULT_MODEL";
const LLAMA_ALIAS: &str = "local-llama";
/// Whose model is the default where several are.
const DEFAULT_PROVIDER: &str = "LLMBDO_DEFAULT_LLM_PROVIDER";
/// Whose it was in the original when that was not set.
const FIRST_PROVIDER: Provider = Provider::Openai;

/// Every variable that is read here, and what it does.
pub(crate) fn variables() -> Vec<(&'static str, String)> {
    let without = "where models.yaml has no model";
    let keys = BY_KEY.iter().map(|(variable, provider, alias, model)| {
        (*variable, format!("A key of {provider}: makes the model `{alias}` ({model}) {without}."))
    });
    let others = [
        (OPENAI_URL, format!("The base URL of the model that `{}` makes.", BY_KEY[0].0)),
        (LLAMA_URL, format!("The base URL of a llama-server: makes the model `{LLAMA_ALIAS}` {without}.")),
        (LLAMA_MODEL, format!("The name at the server of the model that `{LLAMA_URL}` makes.")),
        (
            DEFAULT_PROVIDER,
            format!(
                "Whose model is the default where no model in models.yaml says `default: true`; \
                 {FIRST_PROVIDER} where the models are made by these variables."
            ),
        ),
    ];
    keys.chain(others).collect()
}

/// The models of the variables.
pub(super) fn models(environment: &Environment, warnings: &mut Vec<Mistake>) -> BTreeMap<String, Model> {
    let mut models = BTreeMap::new();
    let mut unusable = |model: &mut Model, variable: &str, why: String| {
        warnings.push(Mistake { message: why.clone(), ..place(variable) });
        model.unusable = Some(format!("{variable} {why}"));
    };
    for (variable, provider, alias, name) in BY_KEY {
        let Some(key) = environment.get(variable) else { continue };
        let mut model = plain(*provider, name);
        match keys::clean(key) {
            Ok(None) => continue,
            Ok(key) => model.api_key = key,
            Err(why) => unusable(&mut model, variable, why),
        }
        if *provider == Provider::Openai
            && let Some(url) = environment.get(OPENAI_URL)
            && let Err(why) = point(&mut model, url)
        {
            unusable(&mut model, OPENAI_URL, why);
        }
        models.insert((*alias).to_owned(), model);
    }
    if let Some(url) = environment.get(LLAMA_URL) {
        let mut model = plain(Provider::LlamaCpp, environment.get(LLAMA_MODEL).unwrap_or("default"));
        if let Err(why) = point(&mut model, url) {
            unusable(&mut model, LLAMA_URL, why);
        }
        models.insert(LLAMA_ALIAS.to_owned(), model);
    }
    models
}

/// Points a model at the URL of a variable; a wrong one is not repeated.
fn point(model: &mut Model, url: &str) -> Result<(), String> {
    check_url(url)?;
    url.trim_end_matches('/').clone_into(&mut model.base_url);
    Ok(())
}

fn plain(provider: Provider, name: &str) -> Model {
    let model = json!({ "provider": provider, "model": name, "base_url": provider.base_url() });
    serde_json::from_value(model).expect("everything else has a default")
}

/// The place of a warning about a variable; the message is still to be said.
pub(super) fn place(variable: &str) -> Mistake {
    Mistake { file: "environment".to_owned(), line: None, key: variable.to_owned(), message: String::new() }
}

/// Marks the default where no model says that it is. `from_variables` says that there is no file whose word it would be.
pub(super) fn choose_default(
    models: &mut BTreeMap<String, Model>,
    from_variables: bool,
    environment: &Environment,
    warnings: &mut Vec<Mistake>,
) {
    let is_chat = |model: &&mut Model| model.kind == Kind::Chat;
    if models.is_empty() || models.values().any(|model| model.kind == Kind::Chat && model.default) {
        return;
    }
    let said = environment.get(DEFAULT_PROVIDER).map(|said| said.trim().to_lowercase());
    let wanted = match &said {
        Some(said) => said.clone(),
        None if from_variables => FIRST_PROVIDER.to_string(),
        None => return,
    };
    match models.values_mut().filter(is_chat).find(|model| model.provider.to_string() == wanted) {
        Some(model) => model.default = true,
        None if said.is_some() => {
            let message = format!("is `{}`, and no model is of that provider", shorten(&wanted));
            warnings.push(Mistake { message, ..place(DEFAULT_PROVIDER) });
        }
        None => {}
    }
}
