//! No text at all makes loading panic or stay silent.

use super::*;

/// Text that is nearly a file of settings.
fn nearly_settings() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "listen",
        "limits",
        "fs",
        "roots",
        "auth",
        "log",
        "level",
        "at",
        "path",
        "tiers",
        "FREE",
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
        "<<: ",
        "!!str ",
        "|",
        ">",
        "\"",
        "'",
        "#",
        "0",
        "-1",
        "1e400",
        ".nan",
        "~",
        "null",
        "true",
        "127.0.0.1:8000",
        "é",
        "\u{0}",
        "\t",
        "---",
        "? ",
        "%",
        "${X}",
        "file:x",
        "rate_limit_requests",
        "allowed_capabilities",
        "*",
    ]);
    prop::collection::vec(words, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// No text makes loading panic, and whatever is wrong is said in words, at a line that exists.
    #[test]
    fn any_text_is_settings_or_mistakes(
        settings in prop_oneof![any::<String>(), nearly_settings()],
        tiers in prop_oneof![any::<String>(), nearly_settings()],
        variable in any::<String>(),
    ) {
        let files = [("llmbasedos.yaml", settings.as_str()), ("licence_tiers.yaml", tiers.as_str())];
        let leaves = LEAVES.get();
        let variables: Vec<_> = leaves.iter().map(|leaf| (leaf.variable.as_str(), variable.as_str())).take(12).collect();
        for variables in [variables.as_slice(), &[]] {
            if let Err(mistakes) = load_files(&files, variables) {
                prop_assert!(!mistakes.0.is_empty());
                for mistake in &mistakes.0 {
                    let text = if mistake.file == "licence_tiers.yaml" { &tiers } else { &settings };
                    let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
                    prop_assert!(mistake.line.is_none_or(|line| (1..=lines + 1).contains(&line)), "{mistake}");
                    prop_assert!(!mistake.message.is_empty() && !mistake.to_string().contains('\n'), "{mistake}");
                }
            }
        }
    }
}
