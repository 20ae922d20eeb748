//! What the original's variables mean where the file has no model.

use super::*;

const BOTH: [(&str, &str); 4] = [
    ("OPENAI_API_KEY", " k\n"),
    ("OPENAI_API_BASE_URL", "http://h/v1/"),
    ("LLAMA_CPP_API_BASE_URL", "http://l:8080/v1"),
    ("LLAMA_CPP_DEFAULT_MODEL", "llama-3"),
];

fn both_and(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    BOTH.into_iter().chain([(name, value)]).collect()
}

#[test]
fn they_make_models_where_the_file_has_none() {
    let (models, warnings) = load("", &BOTH).unwrap();
    assert_eq!((aliases(&models), warnings.len()), (vec!["gpt-4o", "local-llama"], 0));
    let openai = models.get("gpt-4o").unwrap();
    assert_eq!(openai.base_url, "http://h/v1");
    assert_eq!(openai.api_key.as_ref().map(crate::Secret::expose), Some("k"));
    assert_eq!(models.get("local-llama").unwrap().model, "llama-3");
    let file = "models:\n  mine: {provider: ollama, model: x}\n";
    assert_eq!(aliases(&load(file, &BOTH).unwrap().0), ["mine"], "the file is the word");
    let blank = load("", &[("OPENAI_API_KEY", " \n")]).unwrap().0;
    assert!(blank.is_empty(), "an empty key is none");
}

#[test]
fn openai_is_the_default_unless_another_is_wished_for() {
    assert_eq!(load("", &BOTH).unwrap().0.default_of(Kind::Chat), Some("gpt-4o"));
    let chosen = both_and("LLMBDO_DEFAULT_LLM_PROVIDER", "llama_cpp");
    assert_eq!(load("", &chosen).unwrap().0.default_of(Kind::Chat), Some("local-llama"));

    let (models, warnings) = load("", &both_and("LLMBDO_DEFAULT_LLM_PROVIDER", "mistral")).unwrap();
    assert_eq!(models.default_of(Kind::Chat), None);
    let [unknown, several] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(several.starts_with("environment: 2 models are for chats and none is the default"), "{several}");
    assert_eq!(
        unknown,
        "environment: LLMBDO_DEFAULT_LLM_PROVIDER: is `mistral`, and no model is of that provider"
    );

    let without_openai = [("ANTHROPIC_API_KEY", "k"), ("GEMINI_API_KEY", "k")];
    let (models, warnings) = load("", &without_openai).unwrap();
    assert_eq!((models.default_of(Kind::Chat), warnings.len()), (None, 1), "{warnings:?}");
    let file = "models:\n  mine: {provider: ollama, model: x}\n";
    let (_, warnings) = load(file, &[("LLMBDO_DEFAULT_LLM_PROVIDER", "openai")]).unwrap();
    assert!(warnings[0].contains("no model is of that provider"), "{warnings:?}");
}

#[test]
fn what_is_wrong_in_them_is_told_and_never_repeated() {
    let variables =
        [("LLAMA_CPP_API_BASE_URL", "http://user:hunter2@h/v1"), ("OPENAI_API_KEY", "hunter2\nhunter3")];
    let (models, warnings) = load("", &variables).unwrap();
    assert!(models.iter().all(|(_, model)| model.unusable.is_some()));
    assert_eq!(
        warnings,
        [
            "environment: OPENAI_API_KEY: holds a character that no HTTP header can carry, such as a line break",
            "environment: LLAMA_CPP_API_BASE_URL: must not have a user or a password in it; a key goes into api_key",
        ]
    );
    let shown = format!("{models:?}");
    assert!(shown.contains("must not have a user") && !shown.contains("hunter"), "{shown}");
}
