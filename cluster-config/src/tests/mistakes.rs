//! What is wrong in files and variables, as a person reads it.

use super::*;

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
        "tiers_file: /nowhere/mine.yaml\nmodels_file: /nowhere/models.yaml\n",
        &[
            "llmbasedos.yaml:1: tiers_file: there is no file /nowhere/mine.yaml; make it, or leave this out for the \
           shipped tiers",
            "llmbasedos.yaml:2: models_file: there is no file /nowhere/models.yaml; make it, or leave this out for \
             models.yaml beside the settings",
        ],
    );
    check_all(
        &[],
        &[("LLMBDO_MODELS_FILE", "/nowhere/models.yaml")],
        &[
            "environment: LLMBDO_MODELS_FILE: there is no file /nowhere/models.yaml; make it, or leave this out for \
             models.yaml beside the settings",
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
        "llmbasedos.yaml: is a folder, which container engines make where a mounted file is missing\nlicence_tiers.yaml: is not UTF-8 text (line 2)"
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
