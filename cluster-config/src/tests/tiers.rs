//! Licence tiers: what ships, what a file replaces, what is wrong.

use super::*;

#[test]
fn shipped_tiers_are_the_originals() {
    let tiers = Tiers::default();
    let limits: Vec<_> =
        tiers.iter().map(|(name, t)| (name, t.rate_limit_requests, t.rate_limit_window_seconds)).collect();
    assert_eq!(limits, [("ELITE", 10_000, 3600), ("FREE", 100, 3600), ("PRO", 1000, 3600)]);
    for declared in [protocol::Tier::Free, protocol::Tier::Pro, protocol::Tier::Elite] {
        assert!(tiers.get(declared.name()).is_some(), "{declared:?}");
    }
    for (method, who) in [
        ("mcp.hello", "ELITE FREE PRO"),
        ("mcp.cancel", "ELITE FREE PRO"),
        ("mcp.fs.list", "ELITE FREE PRO"),
        ("mcp.fs.read", "ELITE PRO"),
        ("mcp.llm.chat", "ELITE PRO"),
        ("mcp.admin.tree", "ELITE"),
        ("other.method", "ELITE"),
    ] {
        let covered: Vec<_> =
            tiers.iter().filter(|(_, tier)| tier.covers(method)).map(|(name, _)| name).collect();
        assert_eq!(covered.join(" "), who, "{method}");
    }
    assert!(!tiers.free().covers_model("gpt-4o") && tiers.get("PRO").unwrap().covers_model("gpt-4o"));
}

#[test]
fn a_tier_in_the_file_replaces_the_shipped_one_whole() {
    let team = "TEAM:\n  rate_limit_requests: 0\n  allowed_capabilities: [mcp.fs.*, mcp.hello]\n  \
                denied_capabilities: [mcp.fs.delete]\n";
    let pro = "PRO:\n  rate_limit_requests: 5\n  allowed_capabilities: []\n  llm_access: true\n  \
               allowed_llm_models: [a, b]\n";
    let flat = format!("{team}{pro}");
    let below = format!("tiers:\n  {}", flat.trim_end().replace('\n', "\n  "));
    for text in [flat, below] {
        let tiers = load_files(&[("licence_tiers.yaml", &text)], &[]).unwrap().tiers;
        assert_eq!(tiers.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["ELITE", "FREE", "PRO", "TEAM"]);
        let team = tiers.get("TEAM").unwrap();
        assert!(team.covers("mcp.fs.read") && !team.covers("mcp.fs.delete") && !team.covers("mcp.fsx.read"));
        let pro = tiers.get("PRO").unwrap();
        assert_eq!((pro.rate_limit_window_seconds, pro.covers("mcp.hello")), (3600, false));
        assert_eq!(pro.allowed_llm_models, AllowedModels::Only(vec!["a".into(), "b".into()]));
        assert_eq!(tiers.get("FREE"), Tiers::default().get("FREE"));
    }
}

#[test]
fn models_are_a_list_or_a_star() {
    for (written, models) in [
        ("'*'", AllowedModels::Any),
        ("['*']", AllowedModels::Any),
        ("[a]", AllowedModels::Only(vec!["a".into()])),
        ("a", AllowedModels::Only(vec!["a".into()])),
    ] {
        let text = format!(
            "FREE: {{rate_limit_requests: 1, allowed_capabilities: [], llm_access: true, allowed_llm_models: {written}}}"
        );
        let tiers = load_files(&[("licence_tiers.yaml", &text)], &[]).unwrap().tiers;
        assert_eq!(tiers.free().allowed_llm_models, models, "{written}");
    }
}

#[test]
fn mistakes_in_tiers() {
    check_tiers(
        "FREE:\n  rate_limit_requests: -1\n  allowed_capabilities:\n    - mcp.fs.*\n    - mcp.*.read\n",
        &[
            "licence_tiers.yaml:2: FREE.rate_limit_requests: must be a whole number from 0 to 1000000000, not `-1`",
            "licence_tiers.yaml:5: FREE.allowed_capabilities[1]: must be a method name, 'prefix.*' or '*', not \
             `mcp.*.read`",
        ],
    );
    check_tiers(
        "tiers:\n  X: {rate_limit_requests: 1, allowed_capabilities: []}\nPRO: {}\n",
        &["licence_tiers.yaml:3: PRO: stands beside `tiers`; move it below, with the other tiers"],
    );
    check_tiers(
        "[FREE]\n",
        &["licence_tiers.yaml:1: must be a mapping of tier names, such as `FREE:`, to their limits"],
    );
    check_tiers(
        "two words: {rate_limit_requests: 1, allowed_capabilities: []}\n",
        &[
            "licence_tiers.yaml:1: two words: `two words` cannot be a tier: names are capitals, digits, `_` and `-`",
        ],
    );
    check_tiers("# nothing\n", &[]);
}
