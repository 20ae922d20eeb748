//! What a person sees: files and variables in, settings or mistakes out.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fs::Mode;
use crate::load::LEAVES;
use crate::shape::plain;
use crate::{Environment, Flags, Loaded, Mistakes, Models, Source, Tiers, effective, load};

/// A directory of settings with these files.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn flags(directory: &Path) -> Flags {
    Flags { config_dir: Some(directory.to_owned()), ..Flags::default() }
}

fn load_files(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<Loaded, Mistakes> {
    let directory = directory(files);
    load(&flags(directory.path()), &Environment::of(variables.iter().copied()))
}

#[track_caller]
fn loaded(yaml: &str, variables: &[(&str, &str)]) -> Loaded {
    load_files(&[("llmbasedos.yaml", yaml)], variables).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn value(loaded: &Loaded, key: &str) -> (Value, String) {
    let one = effective(loaded).into_iter().find(|one| one.key == key).unwrap();
    (one.value, one.source)
}

/// `yaml` has exactly these mistakes, as a person reads them.
#[track_caller]
fn check(yaml: &str, expected: &[&str]) {
    check_all(&[("llmbasedos.yaml", yaml)], &[], expected);
}

#[track_caller]
fn check_tiers(yaml: &str, expected: &[&str]) {
    check_all(&[("licence_tiers.yaml", yaml)], &[], expected);
}

#[track_caller]
fn check_all(files: &[(&str, &str)], variables: &[(&str, &str)], expected: &[&str]) {
    let found = load_files(files, variables).err().map(|mistakes| mistakes.to_string()).unwrap_or_default();
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
}

// === Mistakes ===

#[test]
fn all_at_once_with_file_line_and_key() {
    check_all(
        &[
            (
                "llmbasedos.yaml",
                "# mine\n\nlisten: 8000\nlimts:\n  batch: 5\nlimits:\n  call_seconds: fast\n  batch: 0\n\
                 fs:\n  roots:\n    - {at: /, path: a}\n    - at: docs\n      path: b\n      mode: readonly\n",
            ),
            ("licence_tiers.yaml", "FREE:\n  rate_limit: 5\npro: {}\n"),
        ],
        &[("LLMBDO_LIMITS_IN_FLIGHT", "many"), ("LLMBDO_LIMTS_BATCH", "5")],
        &[
            "llmbasedos.yaml:3: listen: must be text, not `8000`; the default is `127.0.0.1:8000`",
            "llmbasedos.yaml:4: limts: unknown key `limts`; did you mean `limits`?",
            "llmbasedos.yaml:7: limits.call_seconds: must be a whole number from 1 to 86400, not `fast`; \
             the default is `60`",
            "llmbasedos.yaml:8: limits.batch: must be a whole number from 1 to 10000, not `0`; the default is `100`",
            "llmbasedos.yaml:14: fs.roots[1].mode: must be `read_write` or `read_only`, not `readonly`; \
             the default is `read_write`",
            "environment: LLMBDO_LIMITS_IN_FLIGHT: must be a whole number from 1 to 1000000, not `many`; \
             the default is `1024`",
            "licence_tiers.yaml:1: FREE: needs `rate_limit_requests`: How many calls a caller may make within the \
             window; 0 is as many as it likes",
            "licence_tiers.yaml:1: FREE: needs `allowed_capabilities`: Which methods: exact names, `prefix.*`, or `*`",
            "licence_tiers.yaml:2: FREE.rate_limit: unknown key `rate_limit`; did you mean `rate_limit_requests`?",
            "licence_tiers.yaml:3: pro: needs `rate_limit_requests`: How many calls a caller may make within the \
             window; 0 is as many as it likes",
            "licence_tiers.yaml:3: pro: needs `allowed_capabilities`: Which methods: exact names, `prefix.*`, or `*`",
            "licence_tiers.yaml:3: pro: tier names are in capitals; write `PRO`",
        ],
    );
}

#[test]
fn keys() {
    check("listne: x\n", &["llmbasedos.yaml:1: listne: unknown key `listne`; did you mean `listen`?"]);
    check(
        "\ncall_seconds: 5\n",
        &[
            "llmbasedos.yaml:2: call_seconds: unknown key `call_seconds` here; did you mean `limits.call_seconds`?",
        ],
    );
    check(
        "log: {colour: red}\n",
        &["llmbasedos.yaml:1: log.colour: unknown key `colour`; known here: level, format"],
    );
    check(
        "fs:\n  roots:\n    - path: x\n",
        &["llmbasedos.yaml:3: fs.roots[0]: needs `at`: Where callers see it: `/`, or `/` and one name"],
    );
    check(
        "listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n",
        &["llmbasedos.yaml:2: listen: stands here a second time; keep one of the two"],
    );
}

#[test]
fn types() {
    check("log: 5\n", &["llmbasedos.yaml:1: log: must be a mapping with `level`, `format`, not `5`"]);
    check(
        "log: {format: xml}\n",
        &[
            "llmbasedos.yaml:1: log.format: must be `auto` or `human` or `json`, not `xml`; the default is `auto`",
        ],
    );
    check(
        "auth:\n  unix_uids:\n    - 1000\n    - -1\n",
        &["llmbasedos.yaml:4: auth.unix_uids[1]: must be a whole number from 0 to 4294967295, not `-1`"],
    );
    check("licence: {public_key: 5}\n", &["llmbasedos.yaml:1: licence.public_key: must be text, not `5`"]);
    check(
        "backends: {allow: \"true\"}\n",
        &[
            "llmbasedos.yaml:1: backends.allow: must be `true` or `false`, not `\"true\"`; the default is `true`",
        ],
    );
    check(
        "fs: {roots: []}\n",
        &[
            "llmbasedos.yaml:1: fs.roots: must be a list of 1 to 64, each a mapping with `at`, `path`, `mode`, \
           `tiers`, not an empty list",
        ],
    );
    check(
        "limits: {call_seconds: 99999999999999999999999}\n",
        &[
            "llmbasedos.yaml:1: cannot be understood: limits.call_seconds: JSON number out of range at line 1 \
           column 24",
        ],
    );
}

#[test]
fn grammar() {
    check(
        "listen: localhost\n",
        &["llmbasedos.yaml:1: listen: must be HOST:PORT; `localhost` has no `:PORT`"],
    );
    check(
        "auth:\n  allowed_origins: [https://ok.example, '*', https://x/y]\n",
        &[
            "llmbasedos.yaml:2: auth.allowed_origins[1]: must be an origin such as `https://app.example`, without \
             a path, not `*`",
            "llmbasedos.yaml:2: auth.allowed_origins[2]: must be an origin such as `https://app.example`, without \
             a path, not `https://x/y`",
        ],
    );
    check(
        "auth:\n  allowed_hosts: [ok.lan, '[::1]:80', 'http://x']\n",
        &[
            "llmbasedos.yaml:2: auth.allowed_hosts[2]: must be a name such as `box.lan` or `box.lan:8000`, not \
           `http://x`",
        ],
    );
    check(
        "licence: {public_key: abc}\n",
        &[
            "llmbasedos.yaml:1: licence.public_key: must be the 32 bytes of an Ed25519 public key, in base64 or in hex",
        ],
    );
    check(
        "log: {level: inof}\n",
        &[
            "llmbasedos.yaml:1: log.level: `inof` is neither a level (off, error, warn, info, debug, trace) nor \
           PART=LEVEL; did you mean `info`?",
        ],
    );
    check(
        "log: {level: 'info,gateway'}\n",
        &[
            "llmbasedos.yaml:1: log.level: `gateway` is neither a level (off, error, warn, info, debug, trace) nor \
           PART=LEVEL; for one part of the daemon write `gateway=debug`",
        ],
    );
}

#[test]
fn roots() {
    check(
        "fs:\n  roots:\n    - {at: docs, path: a}\n    - {at: /a/b, path: a}\n    - {at: /.., path: ''}\n",
        &[
            "llmbasedos.yaml:3: fs.roots[0].at: must be `/`, or `/` and one name such as `/docs`, not `docs`",
            "llmbasedos.yaml:4: fs.roots[1].at: must be `/`, or `/` and one name such as `/docs`, not `/a/b`",
            "llmbasedos.yaml:5: fs.roots[2].path: must be a path, not empty",
            "llmbasedos.yaml:5: fs.roots[2].at: must be `/`, or `/` and one name such as `/docs`, not `/..`",
        ],
    );
    check(
        "fs:\n  roots:\n    - {at: /a, path: a}\n    - at: /a\n      path: b\n      tiers: [FREE, PR0]\n",
        &[
            "llmbasedos.yaml:4: fs.roots[1].at: `/a` is taken by an earlier root; give this one another name",
            "llmbasedos.yaml:6: fs.roots[1].tiers[1]: there is no tier `PR0`; did you mean `PRO`?",
        ],
    );
}

#[test]
fn settings_that_must_fit_one_another() {
    check(
        "limits: {result_bytes: 1000000}\n",
        &[
            "llmbasedos.yaml:1: limits.result_bytes: must be at least 1402200, for a read of fs.read_bytes_max \
           (1048576) in base64; or lower that",
        ],
    );
    check(
        "fs: {read_bytes_max: 100000000}\n",
        &[
            "llmbasedos.yaml:1: fs.read_bytes_max: needs 133337432 bytes in base64, and limits.result_bytes is \
           25165824; lower it or raise that",
        ],
    );
    check(
        &format!("run_dir: /{}\n", "x".repeat(90)),
        &[
            "llmbasedos.yaml:1: run_dir: is 91 bytes long; a socket in it must fit into 107, so use at most 90",
        ],
    );
    check(
        "tiers_file: /nowhere/mine.yaml\n",
        &[
            "llmbasedos.yaml:1: tiers_file: there is no file /nowhere/mine.yaml; make it, or leave this out for the \
           shipped tiers",
        ],
    );
}

#[test]
fn text_that_is_not_yaml() {
    check("a: [1\n", &["llmbasedos.yaml:2: is not YAML: while parsing a flow sequence, expected ',' or ']'"]);
    check(
        "limits:\n  batch: 5\n batch: 6\n",
        &["llmbasedos.yaml:3: is not YAML: while parsing a block mapping, did not find expected key"],
    );
    check("listen: !here x\n", &["llmbasedos.yaml:1: has the tag `!here`; tags are not used here"]);
}

#[test]
fn files_that_cannot_be_read() {
    let directory = directory(&[]);
    std::fs::create_dir(directory.path().join("llmbasedos.yaml")).unwrap();
    std::fs::write(directory.path().join("licence_tiers.yaml"), b"# \xc3\xa9\n# \xff\n").unwrap();
    let mistakes = load(&flags(directory.path()), &Environment::default()).unwrap_err().to_string();
    assert_eq!(
        mistakes,
        "llmbasedos.yaml: is not a regular file\nlicence_tiers.yaml: is not UTF-8 text (line 2)"
    );
}

#[test]
fn a_named_directory_must_exist() {
    let named = Flags { config_dir: Some("/nowhere/at/all".into()), ..Flags::default() };
    let mistakes = load(&named, &Environment::default()).unwrap_err().to_string();
    assert_eq!(
        mistakes,
        "command line: --config-dir: there is no directory /nowhere/at/all; `llmbasedos init /nowhere/at/all` makes one"
    );
}

// === Tiers ===

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
        assert_eq!(pro.allowed_llm_models, Models::Only(vec!["a".into(), "b".into()]));
        assert_eq!(tiers.get("FREE"), Tiers::default().get("FREE"));
    }
}

#[test]
fn models_are_a_list_or_a_star() {
    for (written, models) in [
        ("'*'", Models::Any),
        ("['*']", Models::Any),
        ("[a]", Models::Only(vec!["a".into()])),
        ("a", Models::Only(vec!["a".into()])),
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

// === Priorities and places ===

#[test]
fn nothing_said_is_the_defaults() {
    let loaded = load_files(&[], &[]).unwrap();
    assert!(effective(&loaded).iter().all(|one| one.source == "default"));
    assert_eq!(value(&loaded, "listen").0, json!("127.0.0.1:8000"));
    assert_eq!(loaded.settings.fs.roots[0].path, loaded.config_dir.join("user_files"));
    assert_eq!((loaded.tiers, loaded.warnings), (Tiers::default(), Vec::new()));
}

#[test]
fn flag_before_environment_before_file_before_default() {
    let directory = directory(&[("llmbasedos.yaml", "# x\nlisten: 127.0.0.1:1\n")]);
    let in_file = flags(directory.path());
    let with_flag = Flags { listen: Some("127.0.0.1:3".to_owned()), ..in_file.clone() };
    let nothing = Environment::default();
    let variable = Environment::of([("LLMBDO_LISTEN", "127.0.0.1:2")]);
    for (flags, environment, listen, source) in [
        (&in_file, &nothing, "127.0.0.1:1", "file llmbasedos.yaml:2"),
        (&in_file, &variable, "127.0.0.1:2", "env LLMBDO_LISTEN"),
        (&with_flag, &variable, "127.0.0.1:3", "flag --listen"),
    ] {
        let loaded = load(flags, environment).unwrap();
        assert_eq!(value(&loaded, "listen"), (json!(listen), source.to_owned()));
    }
    assert_eq!(load(&in_file, &nothing).unwrap().origins.of("run_dir"), &Source::Default);
}

#[test]
fn a_section_with_nothing_in_it_says_nothing() {
    let loaded = loaded("limits:\nlog:\n  level:\n  format: json\n", &[]);
    assert_eq!(value(&loaded, "log.level"), (json!("info"), "default".to_owned()));
    assert_eq!(value(&loaded, "log.format"), (json!("json"), "file llmbasedos.yaml:4".to_owned()));
}

#[test]
fn every_setting_has_a_variable_that_works() {
    for leaf in LEAVES.iter() {
        let default = &leaf.schema["default"];
        let text = match leaf.key.as_str() {
            "licence.public_key" => "ab".repeat(32),
            "auth.unix_uids" => "1000, 1001".to_owned(),
            "auth.allowed_origins" => "https://a.example,https://b.example".to_owned(),
            "auth.allowed_hosts" => r#"["a.example"]"#.to_owned(),
            // A file that is named must exist.
            "tiers_file" => concat!(env!("CARGO_MANIFEST_DIR"), "/defaults/licence_tiers.yaml").to_owned(),
            _ => plain(default),
        };
        let loaded = loaded("", &[(leaf.variable.as_str(), text.as_str())]);
        let (found, source) = value(&loaded, &leaf.key);
        assert_eq!(source, format!("env {}", leaf.variable));
        match leaf.key.as_str() {
            "auth.unix_uids" => assert_eq!(found, json!([1000, 1001])),
            "auth.allowed_origins" => assert_eq!(found, json!(["https://a.example", "https://b.example"])),
            "auth.allowed_hosts" => assert_eq!(found, json!(["a.example"])),
            _ if leaf.schema["format"] == "path" || leaf.key == "fs.roots" => {}
            _ => assert_eq!(plain(&found), text, "{}", leaf.key),
        }
    }
}

#[test]
fn the_originals_variables() {
    for (variables, key, expected) in [
        (vec![("LLMBDO_GATEWAY_HOST", "0.0.0.0")], "listen", "0.0.0.0:8000"),
        (vec![("LLMBDO_GATEWAY_HOST", "::1")], "listen", "[::1]:8000"),
        (vec![("LLMBDO_GATEWAY_WEB_PORT", "9000")], "listen", "127.0.0.1:9000"),
        (vec![("LLMBDO_GATEWAY_HOST", "::"), ("LLMBDO_GATEWAY_WEB_PORT", "9")], "listen", "[::]:9"),
        (vec![("LLMBDO_GATEWAY_HOST", "0.0.0.0"), ("LLMBDO_LISTEN", "127.0.0.1:1")], "listen", "127.0.0.1:1"),
        (vec![("LLMBDO_MCP_CAPS_DIR", "/caps")], "run_dir", "/caps"),
        (vec![("LLMBDO_MCP_CAPS_DIR", "/caps")], "backends.dir", "/caps"),
        (vec![("LLMBDO_RUN_DIR", "/elsewhere")], "backends.dir", "/elsewhere"),
        (vec![("LLMBDO_LICENCE_FILE_PATH", "/x/lic.key")], "licence.file", "/x/lic.key"),
        (vec![("LLMBDO_LOG_LEVEL", "WARNING")], "log.level", "warn"),
        (vec![("LLMBDO_LOG_LEVEL", "DEBUG")], "log.level", "DEBUG"),
        (vec![("LLMBDO_GATEWAY_HOST", "")], "listen", "127.0.0.1:8000"),
    ] {
        let loaded = loaded("", &variables);
        assert_eq!(value(&loaded, key).0, json!(expected), "{variables:?}");
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    }
    check_all(
        &[],
        &[("LLMBDO_GATEWAY_WEB_PORT", "http"), ("LLMBDO_LICENCE_TIERS_CONFIG_PATH", "/nowhere/tiers.yaml")],
        &[
            "environment: LLMBDO_GATEWAY_WEB_PORT: must be HOST:PORT; `127.0.0.1:http` has no port from 0 to 65535 \
             behind its last colon",
            "environment: LLMBDO_LICENCE_TIERS_CONFIG_PATH: there is no file /nowhere/tiers.yaml; make it, or leave \
             this out for the shipped tiers",
        ],
    );
}

#[test]
fn one_root_from_outside_replaces_all_of_them() {
    let yaml = "fs:\n  roots:\n    - {at: /docs, path: docs}\n    - {at: /, path: own, mode: read_only, tiers: [PRO]}\n";
    let all = [
        ("LLMBDO_DEFAULT_VIRTUAL_ROOT", "/third"),
        ("LLMBDO_FS_DATA_ROOT", "/second"),
        ("LLMBDO_FS_VIRTUAL_ROOT", "/first"),
        ("LLMBDO_ROOT", "/ours"),
    ];
    for n in 1..=all.len() {
        let loaded = loaded(yaml, &all[..n]);
        let [root] = loaded.settings.fs.roots.as_slice() else { panic!("{:?}", loaded.settings.fs.roots) };
        let (name, path) = all[n - 1];
        assert_eq!((root.at.as_str(), root.path.as_path()), ("/", Path::new(path)));
        // What the file holds back stays held back.
        assert_eq!((root.mode, root.tiers.as_slice()), (Mode::ReadOnly, ["PRO".to_owned()].as_slice()));
        assert_eq!(value(&loaded, "fs.roots").1, format!("env {name}"));
    }
    let directory = directory(&[]);
    let with_flag = Flags { root: Some("/flag".into()), ..flags(directory.path()) };
    let loaded = load(&with_flag, &Environment::of(all)).unwrap();
    assert_eq!(loaded.settings.fs.roots[0].path, Path::new("/flag"));
    assert_eq!(
        (loaded.settings.fs.roots[0].mode, value(&loaded, "fs.roots").1.as_str()),
        (Mode::ReadWrite, "flag --root")
    );
}

#[test]
fn unknown_variables_are_pointed_out() {
    for (name, expected) in [
        (
            "LLMBDO_LIMTS_BATCH",
            Some("LLMBDO_LIMTS_BATCH is not a setting; did you mean LLMBDO_LIMITS_BATCH?"),
        ),
        ("LLMBDO_ZZZZZZZZZZ", Some("LLMBDO_ZZZZZZZZZZ is not a setting and has no effect.")),
        (
            "LLMBDO_GATEWAY_UNIX_SOCKET_PATH",
            Some(
                "LLMBDO_GATEWAY_UNIX_SOCKET_PATH has no effect: the socket is gateway.sock in the run directory; \
                 set LLMBDO_RUN_DIR.",
            ),
        ),
        (
            "LLMBDO_FS_LOG_LEVEL",
            Some(
                "LLMBDO_FS_LOG_LEVEL has no effect: there is one log; set LLMBDO_LOG_LEVEL, for one part of it as \
                 in `info,fs=debug`.",
            ),
        ),
        ("LLMBDO_TOKEN", None),
        ("LLMBDO_GATEWAY_WS_URL", None),
        ("LLMBDO_GATEWAY_EXPOSED_PORT", None),
        ("LLMBDO_SHELL_LOG_LEVEL", None),
        ("LLMBDO_MAIL_ACCOUNTS_CONFIG", None),
        ("OPENAI_API_KEY", None),
    ] {
        let loaded = loaded("", &[(name, "x")]);
        assert_eq!(loaded.warnings.first().map(String::as_str), expected);
    }
}

#[test]
fn what_is_allowed_and_probably_not_meant() {
    let warned = |yaml: &str| loaded(yaml, &[]).warnings.join("\n");
    assert!(warned("auth: {loopback: open}\n").contains("acts as its owner"));
    assert!(warned("fs: {roots: [{at: /, path: .}]}\n").contains("the settings and the licence"));
    assert!(warned("state_dir: user_files/state\n").contains("has the state"));
    assert_eq!(warned("fs: {roots: [{at: /, path: ~/x}]}\n".replace('~', "/home").as_str()), "");
}

#[test]
fn relative_paths_start_where_they_were_written() {
    let here = std::env::current_dir().unwrap();
    let directory = directory(&[(
        "llmbasedos.yaml",
        "state_dir: state\nrun_dir: ./run\nlicence: {file: ../lic.key}\nfs: {roots: [{at: /, path: ~/docs}]}\n",
    )]);
    let there = directory.path();
    let flags = Flags { state_dir: Some("mine".into()), ..flags(there) };
    let environment = Environment::of([("HOME", "/home/ada"), ("LLMBDO_BACKENDS_DIR", "caps")]);
    let Loaded { settings, config_dir, files, .. } = load(&flags, &environment).unwrap();
    assert_eq!(config_dir, there);
    assert_eq!(settings.state_dir, here.join("mine"));
    assert_eq!(settings.backends.dir, here.join("caps"));
    assert_eq!(settings.run_dir, there.join("run"));
    assert_eq!(settings.licence.file, there.join("../lic.key"));
    assert_eq!(settings.fs.roots[0].path, Path::new("/home/ada/docs"));
    assert_eq!(files, [there.join("llmbasedos.yaml"), there.join("licence_tiers.yaml")]);
    check("state_dir: ~/x\n", &["llmbasedos.yaml:1: state_dir: starts with `~`, and HOME is not set"]);
}

#[test]
fn every_path_is_absolute() {
    let loaded = loaded("", &[]);
    for leaf in LEAVES.iter() {
        let last = leaf.key.rsplit(['.', '_']).next().unwrap();
        if ["dir", "file", "path"].contains(&last) {
            let (found, _) = value(&loaded, &leaf.key);
            assert!(found.as_str().unwrap().starts_with('/'), "{}: {found}", leaf.key);
        }
    }
}

// === Anything at all ===

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
        let variables: Vec<_> = LEAVES.iter().map(|leaf| (leaf.variable.as_str(), variable.as_str())).take(12).collect();
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
