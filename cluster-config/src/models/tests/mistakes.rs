//! What is wrong in a file of models, as a person reads it.

use proptest::prelude::*;

use super::*;

/// `text` has exactly these mistakes, in this order.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found = load(text, &[]).err().map(|mistakes| mistakes.to_string()).unwrap_or_default();
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn every_mistake_is_told_with_its_line() {
    check(
        "extra: 1
models:
  a:
    provider: openia
    api_key: \"${KEY\"
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
  g:
  h: {provider: ollama, modle: x}
",
        &[
            "models.yaml:1: extra: is not known here; models stand below `models:`",
            "models.yaml:3: models.a: needs `model`: Its name at the provider (`model_name` in the original)",
            "models.yaml:4: models.a.provider: must be `openai` or `llama_cpp` or `vllm` or `lm_studio` or \
             `openai_compatible` or `ollama` or `anthropic` or `gemini`, not `openia`",
            "models.yaml:5: models.a.api_key: starts like a variable; write `${NAME}`, a name of letters, digits and `_`, \
             and nothing around it",
            "models.yaml:9: models.b.fallbacks[0]: is the model itself",
            "models.yaml:9: models.b.fallbacks[1]: no model `c` is in this file; did you mean `a`?",
            "models.yaml:10: models.c c: `c c` cannot be an alias: 1 to 64 letters, digits and . _ - : /",
            "models.yaml:13: models.d.base_url: is missing: this provider has no address of its own",
            "models.yaml:14: models.e.concurrency: must be a whole number from 1 to 100000, not `0`; the default is `8`",
            "models.yaml:14: models.e.base_url: must begin with http:// or https://",
            "models.yaml:15: models.f.base_url: must not have a user or a password in it; a key goes into api_key",
            "models.yaml:16: models.g: needs `provider`: Who provides it, which decides what is spoken with it",
            "models.yaml:16: models.g: needs `model`: Its name at the provider (`model_name` in the original)",
            "models.yaml:17: models.h: needs `model`: Its name at the provider (`model_name` in the original)",
            "models.yaml:17: models.h.modle: unknown key `modle`; did you mean `model`?",
        ],
    );
    let found = load("models:\n  a: 5\n", &[]).unwrap_err().to_string();
    assert!(found.starts_with("models.yaml:2: models.a: must be a mapping with `provider`, "), "{found}");
    check("- a\n", &["models.yaml:1: must be a mapping: `models:` and below it aliases"]);
    check("models: [a]\n", &["models.yaml:1: models: must be a mapping of aliases to models"]);
}

#[test]
fn the_originals_names_are_named_where_they_are_written() {
    check(
        "models:
  a:
    provider: ollama
    model_name: 5
    api_base_url: ftp://x
    is_default: maybe
  b:
    provider: ollama
    model: x
    model_name: y
    base_url: http://h
    api_base_url: http://i
    default: true
    is_default: false
  c:
    provider: ollama
    model_name: x
    is_default: true
",
        &[
            "models.yaml:4: models.a.model_name: must be text of 1 to 200 characters, not `5`",
            "models.yaml:5: models.a.api_base_url: must begin with http:// or https://",
            "models.yaml:6: models.a.is_default: must be `true` or `false`, not `maybe`; the default is `false`",
            "models.yaml:10: models.b.model_name: says the same as `model`, which stands here too; keep one of the two",
            "models.yaml:12: models.b.api_base_url: says the same as `base_url`, which stands here too; keep one of the \
             two",
            "models.yaml:14: models.b.is_default: says the same as `default`, which stands here too; keep one of the two",
            "models.yaml:18: models.c.is_default: `b` is the default already; only one can be",
        ],
    );
}

#[test]
fn what_does_not_fit_together() {
    check(
        "models:
  small:
    provider: ollama
    model: x
    context_window: 4096
  cut:
    provider: ollama
    model: x
    context_window: 4096
    max_output_tokens: 4096
    fallbacks: [vectors]
  fits:
    provider: ollama
    model: x
    context_window: 4097
    fallbacks:
      - cut
      - vectors
  vectors: {provider: ollama, model: v, kind: embedding, context_window: 512, fallbacks: [fits]}
",
        &[
            "models.yaml:5: models.small.context_window: must be more than max_output_tokens, which is 4096 unless it is \
             set; set it, too",
            "models.yaml:10: models.cut.max_output_tokens: must be less than context_window, which is 4096, not 4096",
            "models.yaml:18: models.fits.fallbacks[1]: `vectors` is for embeddings and cannot stand in for one that is \
             for chats",
            "models.yaml:19: models.vectors.fallbacks[0]: `fits` is for chats and cannot stand in for one that is for \
             embeddings",
        ],
    );
}

#[test]
fn no_alias_lets_fields_through_that_are_counted() {
    let fields = "top_k, temperature, model, n_predict, max_completion_tokens";
    check(
        &format!("models:\n  a: {{provider: ollama, model: x, allow_fields: [{fields}]}}\n"),
        &[
            "models.yaml:2: models.a.allow_fields[1]: `temperature` goes to every model, checked and counted; leave it \
             out here",
            "models.yaml:2: models.a.allow_fields[2]: `model` is written by llmbasedos itself, from the call and this \
             file; leave it out",
            "models.yaml:2: models.a.allow_fields[3]: `n_predict` would pass by the limits: `max_tokens` and `n` are \
             counted, and each alias is one model",
            "models.yaml:2: models.a.allow_fields[4]: `max_completion_tokens` goes to every model, checked and counted; \
             leave it out here",
        ],
    );
}

/// Text that is nearly a file of models.
fn nearly_models() -> impl Strategy<Value = String> {
    let words = [
        "models",
        "a",
        "b",
        "provider",
        "ollama",
        "openai",
        "model",
        "model_name",
        "base_url",
        "default",
        "is_default",
        "api_key",
        "fallbacks",
        "allow_fields",
        "price",
        "breaker",
        "${X",
        "${X}",
        "file:x",
        "http://h",
        ":",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&a",
        "*a",
        "\"",
        "0",
        "-1",
        "true",
        "null",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..60).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// No text makes reading panic, and whatever is wrong is said in words, at a line that exists.
    #[test]
    fn any_text_is_models_or_mistakes(text in prop_oneof![any::<String>(), nearly_models()]) {
        if let Err(mistakes) = load(&text, &[]) {
            prop_assert!(!mistakes.0.is_empty());
            let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
            for mistake in &mistakes.0 {
                prop_assert!(mistake.line.is_none_or(|line| (1..=lines + 1).contains(&line)), "{mistake}");
                prop_assert!(!mistake.message.is_empty() && !mistake.to_string().contains('\n'), "{mistake}");
            }
            prop_assert!(mistakes.0.is_sorted_by_key(|mistake| mistake.line), "{mistakes}");
        }
    }
}
