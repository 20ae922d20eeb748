//! What a file of models may say, and what the environment says without one.

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

fn mistakes(text: &str) -> String {
    load(text, &[]).unwrap_err().to_string()
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

#[test]
fn the_shipped_examples_are_models() {
    let shipped = include_str!("../../defaults/models.yaml");
    assert!(load(shipped, &[]).unwrap().0.is_empty(), "nothing is configured as it is laid out");
    let examples = shipped.lines().filter_map(|line| {
        let line = line.strip_prefix('#')?;
        (line.is_empty() || line.starts_with("models:") || line.starts_with("  ")).then_some(line)
    });
    let examples = examples.collect::<Vec<_>>().join("\n");
    let keys = [("OPENAI_API_KEY", "k"), ("ANTHROPIC_API_KEY", "k"), ("GEMINI_API_KEY", "k")];
    let (models, warnings) = load(&examples, &keys).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(warnings, Vec::<String>::new());
    let aliases: Vec<_> = models.iter().map(|(alias, _)| alias).collect();
    assert_eq!(aliases, ["claude", "gemini", "gpt-4o", "local", "local-llama"]);
    assert!(models.iter().all(|(_, model)| model.unusable.is_none()));
    assert_eq!(models.default_of(Kind::Chat), Some("gpt-4o"));
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let text = "models:
  a:
    provider: openia
    model: x
  b:
    provider: ollama
    model: y
    fallbacks: [b, c, d]
  \"c c\":
    provider: ollama
    model: z
  d: {provider: openai_compatible, model: x}
  e: {provider: ollama, model: x, base_url: \"ftp://x\", concurrency: 0}
  f: {provider: ollama, model: x, base_url: \"http://user:hunter2@h\"}
extra: 1
";
    let found = mistakes(text);
    for part in [
        "models.yaml:15: extra: is not known here",
        "models.yaml:3: models.a.provider",
        "models.yaml:8: models.b.fallbacks[0]: is the model itself",
        "models.yaml:8: models.b.fallbacks[1]: no model `c` is in this file",
        "`c c` cannot be an alias",
        "models.yaml:12: models.d.base_url: is missing",
        "models.yaml:13: models.e.concurrency",
        "models.f.base_url: must not have a user or a password",
    ] {
        assert!(
            found.contains(part) || found.contains(&part.replace("models.d.base_url", "models.d")),
            "{part}\n{found}"
        );
    }
    assert!(!found.contains("hunter2"), "{found}");
    assert!(mistakes("models:\n  a: {provider: ollama, model: x, default: true}\n  b: {provider: ollama, model: x, default: true}\n").contains("`a` is the default already"));
    assert!(mistakes("- a\n").contains("must be a mapping"));
    assert!(mistakes("models: [a]\n").contains("mapping of aliases"));
}

#[test]
fn a_key_is_looked_up_and_never_shown() {
    let text = "models:
  set: {provider: openai, model: x, api_key: \"${KEY}\"}
  unset: {provider: openai, model: x, api_key: \"${NONE}\"}
  none: {provider: anthropic, model: x}
  clear: {provider: gemini, model: x, api_key: hunter2}
";
    let (models, warnings) = load(text, &[("KEY", "hunter3")]).unwrap();
    let key = |alias| models.get(alias).unwrap().api_key.as_ref().map(|key| key.expose().to_owned());
    let usable = |alias| models.get(alias).unwrap().unusable.is_none();
    assert_eq!((key("set").as_deref(), usable("set")), (Some("hunter3"), true));
    assert_eq!((key("unset"), usable("unset")), (None, false));
    assert_eq!((key("none"), usable("none")), (None, false));
    assert_eq!((key("clear").as_deref(), usable("clear")), (Some("hunter2"), true));
    let shown =
        format!("{models:?} {warnings:?} {}", serde_json::to_string(models.get("set").unwrap()).unwrap());
    assert!(!shown.contains("hunter"), "{shown}");
    assert!(warnings.iter().any(|warning| warning.contains("`clear` stands there in clear")), "{warnings:?}");
    assert!(warnings.iter().any(|warning| warning.contains("NONE is not set")), "{warnings:?}");
}

#[test]
fn the_originals_variables_make_models_where_the_file_has_none() {
    let variables = [
        ("OPENAI_API_KEY", "k"),
        ("OPENAI_API_BASE_URL", "http://h/v1/"),
        ("LLAMA_CPP_API_BASE_URL", "http://l:8080/v1"),
        ("LLAMA_CPP_DEFAULT_MODEL", "llama-3"),
    ];
    let (models, _) = load("", &variables).unwrap();
    assert_eq!(models.iter().map(|(alias, _)| alias).collect::<Vec<_>>(), ["gpt-4o", "local-llama"]);
    assert_eq!(models.get("gpt-4o").unwrap().base_url, "http://h/v1");
    assert_eq!(models.get("local-llama").unwrap().model, "llama-3");
    assert_eq!(models.default_of(Kind::Chat), None, "of two none is the default");

    let chosen: Vec<_> =
        variables.into_iter().chain([("LLMBDO_DEFAULT_LLM_PROVIDER", "llama_cpp")]).collect();
    assert_eq!(load("", &chosen).unwrap().0.default_of(Kind::Chat), Some("local-llama"));
    let wrong = load("", &[("LLAMA_CPP_API_BASE_URL", "http://user:hunter2@h/v1")]).unwrap().0;
    let shown = format!("{wrong:?}");
    assert!(shown.contains("must not have a user") && !shown.contains("hunter2"), "{shown}");
    let file = "models:\n  mine: {provider: ollama, model: x}\n";
    let (models, warnings) = load(file, &chosen).unwrap();
    assert_eq!(models.iter().count(), 1, "the file is the word");
    assert!(warnings[0].contains("no model is of that provider"), "{warnings:?}");
}
