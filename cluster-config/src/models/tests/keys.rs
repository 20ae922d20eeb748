//! The keys of models: where they may be, what they may be, and that they are never shown.

use super::*;

#[test]
fn a_key_is_looked_up_and_never_shown() {
    let text = "models:
  set: {provider: openai, model: x, api_key: \"${KEY}\", default: true}
  unset: {provider: openai, model: x, api_key: \"${NONE}\"}
  none: {provider: anthropic, model: x}
  clear:
    provider: gemini
    model: x
    api_key: hunter2
";
    let (models, warnings) = load(text, &[("KEY", "hunter3")]).unwrap();
    let key = |alias| models.get(alias).unwrap().api_key.as_ref().map(|key| key.expose().to_owned());
    let usable = |alias| models.get(alias).unwrap().unusable.is_none();
    assert_eq!((key("set").as_deref(), usable("set")), (Some("hunter3"), true));
    assert_eq!((key("unset"), usable("unset")), (None, false));
    assert_eq!((key("none"), usable("none")), (None, false));
    assert_eq!((key("clear").as_deref(), usable("clear")), (Some("hunter2"), true));
    assert_eq!(
        warnings,
        [
            "models.yaml:3: models.unset.api_key: the environment variable NONE is not set; set it, or write \
             `file:PATH` and keep the secret there; the model cannot be used",
            "models.yaml:4: models.none: cannot be used: anthropic wants a key; set api_key in models.yaml",
            "models.yaml:8: models.clear.api_key: the key stands here in clear; write `${NAME}` or `file:PATH` instead",
        ]
    );
    let shown =
        format!("{models:?} {warnings:?} {}", serde_json::to_string(models.get("set").unwrap()).unwrap());
    assert!(!shown.contains("hunter"), "{shown}");
}

#[test]
fn a_reference_that_cannot_be_one_is_a_mistake() {
    for (written, says) in [
        ("${KEY", "starts like a variable"),
        ("${MY-KEY}", "starts like a variable"),
        ("${}", "starts like a variable"),
        ("file:", "names no file"),
    ] {
        let text = format!("models:\n  a:\n    provider: openai\n    model: x\n    api_key: \"{written}\"\n");
        let found = load(&text, &[("KEY", "k")]).unwrap_err().to_string();
        assert!(found.starts_with(&format!("models.yaml:5: models.a.api_key: {says}")), "{found}");
    }
}

#[test]
fn a_key_is_what_is_left_without_the_space_around_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("models.yaml");
    let key = |written: &str, content: &str| {
        let model = format!("{{provider: ollama, model: x, api_key: \"{written}\"}}");
        std::fs::write(&path, format!("models:\n  a: {model}\n")).unwrap();
        std::fs::write(directory.path().join("key"), content).unwrap();
        let (models, warnings) = load_models(&path, &Environment::of([("KEY", content)])).unwrap();
        let model = models.get("a").unwrap();
        assert_eq!(model.unusable.is_some(), model.api_key.is_none());
        assert!(!format!("{warnings:?} {:?}", model.unusable).contains("hunter"));
        (model.api_key.as_ref().map(|key| key.expose().to_owned()), warnings.concat())
    };
    for written in ["${KEY}", "file:key"] {
        assert_eq!(key(written, " \thunter2 \r\n\n"), (Some("hunter2".to_owned()), String::new()));
        for (content, says) in [
            ("", if written == "file:key" { "it is empty" } else { "KEY is not set" }),
            (" \n ", "is empty"),
            ("hunter2\nhunter3", "holds a character that no HTTP header can carry"),
            ("hunter\u{e9}", "holds a character that no HTTP header can carry"),
        ] {
            let (key, warnings) = key(written, content);
            assert_eq!(key, None, "{content:?}");
            assert!(warnings.starts_with("models.yaml:2: models.a.api_key: "), "{warnings}");
            assert!(warnings.contains(says), "{content:?}: {warnings}");
        }
    }
    assert_eq!(key("  ", "").1, "models.yaml:2: models.a.api_key: is empty; the model cannot be used");
}
