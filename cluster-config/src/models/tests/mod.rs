//! What a file of models may say.

mod keys;
mod mistakes;
mod variables;

use std::path::PathBuf;

use super::*;
use crate::{Environment, Mistakes};

type Loaded = Result<(Models, Vec<String>), Mistakes>;

fn load(text: &str, variables: &[(&str, &str)]) -> Loaded {
    let directory = tempfile::tempdir().unwrap();
    let path: PathBuf = directory.path().join("models.yaml");
    std::fs::write(&path, text).unwrap();
    load_models(&path, &Environment::of(variables.iter().copied()))
}

fn aliases(models: &Models) -> Vec<&str> {
    models.iter().map(|(alias, _)| alias).collect()
}

#[test]
fn a_model_needs_a_provider_and_a_name() {
    let (models, warnings) = load("models:\n  small: {provider: llama_cpp, model: x}\n", &[]).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    let model = models.get("small").unwrap();
    assert_eq!(model.base_url, "http://127.0.0.1:8080/v1");
    assert_eq!((model.concurrency, model.retries, model.max_output_tokens), (8, 2, 4096));
    assert_eq!(models.default_of(Kind::Chat), Some("small"), "the only one is the default");
    assert_eq!(models.default_of(Kind::Embedding), None);
    assert!(load("", &[]).unwrap().0.is_empty());
    assert!(load("models:\n", &[]).unwrap().0.is_empty());
}

#[test]
fn the_originals_names_are_understood() {
    let text = "models:\n  a:\n    provider: openai_compatible\n    model_name: x\n    api_base_url: http://h/v1\n    is_default: true\n  b: {provider: ollama, model: y}\n";
    let (models, _) = load(text, &[]).unwrap();
    let model = models.get("a").unwrap();
    assert_eq!((&*model.model, &*model.base_url, model.default), ("x", "http://h/v1", true));
    assert_eq!(models.default_of(Kind::Chat), Some("a"));
}

/// As in llmbasedos.yaml, a key with nothing behind it is as good as absent.
#[test]
fn a_field_with_nothing_behind_it_is_the_default() {
    let shape = SHAPE.get();
    let fields = shape.schema["properties"].as_object().unwrap().keys();
    let optional = fields.filter(|name| !["provider", "model"].contains(&name.as_str()));
    let blank: Vec<String> = optional.map(|name| format!("    {name}:\n")).collect();
    let blank = blank.concat();
    let text = format!("models:\n  a:\n    provider: ollama\n    model: x\n    model_name:\n{blank}");
    let plain = "models:\n  a: {provider: ollama, model: x}\n";
    assert_eq!(load(&text, &[]).unwrap(), load(plain, &[]).unwrap());
    let nested = text.replace("    timeouts:\n", "    timeouts: {idle_seconds: }\n");
    assert_eq!(load(&nested, &[]).unwrap(), load(plain, &[]).unwrap());
}

#[test]
fn the_shipped_examples_are_models() {
    let shipped = include_str!("../../../defaults/models.yaml");
    assert!(load(shipped, &[]).unwrap().0.is_empty(), "nothing is configured as it is laid out");
    let examples = shipped.lines().filter_map(|line| {
        let line = line.strip_prefix('#')?;
        (line.is_empty() || line.starts_with("models:") || line.starts_with("  ")).then_some(line)
    });
    let examples = examples.collect::<Vec<_>>().join("\n");
    let keys = [("OPENAI_API_KEY", "k"), ("ANTHROPIC_API_KEY", "k"), ("GEMINI_API_KEY", "k")];
    let (models, warnings) = load(&examples, &keys).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(aliases(&models), ["claude", "gemini", "gpt-4o", "local", "local-llama"]);
    assert!(models.iter().all(|(_, model)| model.unusable.is_none()));
    assert_eq!(models.default_of(Kind::Chat), Some("gpt-4o"));
}

#[test]
fn several_models_without_a_default_are_worth_a_warning() {
    let two = "\nmodels:\n  a: {provider: ollama, model: x}\n  b: {provider: ollama, model: y}\n";
    let (models, warnings) = load(two, &[]).unwrap();
    assert_eq!(models.default_of(Kind::Chat), None);
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(
        warning.starts_with("models.yaml:2: models: 2 models are for chats and none is the default"),
        "{warning}"
    );
    let vector = "  v: {provider: ollama, model: v, kind: embedding}\n";
    let one_each = two.replace("  b: {provider: ollama, model: y}\n", vector);
    assert_eq!(load(&one_each, &[]).unwrap().1, Vec::<String>::new(), "the only one of its kind");
    let chosen = load(two, &[("LLMBDO_DEFAULT_LLM_PROVIDER", "Ollama")]).unwrap();
    assert_eq!((chosen.0.default_of(Kind::Chat), chosen.1.len()), (Some("a"), 0));
}
