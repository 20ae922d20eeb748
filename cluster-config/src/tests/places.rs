//! Which place wins, and where paths start.

use super::*;

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
    for leaf in LEAVES.get().iter() {
        let default = &leaf.schema["default"];
        let text = match leaf.key.as_str() {
            "licence.public_key" => "ab".repeat(32),
            "auth.unix_uids" => "1000, 1001".to_owned(),
            "auth.allowed_origins" => "https://a.example,https://b.example".to_owned(),
            "auth.allowed_hosts" => r#"["a.example"]"#.to_owned(),
            "llm.cost_per_day" => "1.5".to_owned(),
            // Empty is not set.
            "agent.owner" => "nightly".to_owned(),
            // A file that is named must exist.
            "tiers_file" => concat!(env!("CARGO_MANIFEST_DIR"), "/defaults/licence_tiers.yaml").to_owned(),
            "models_file" => concat!(env!("CARGO_MANIFEST_DIR"), "/defaults/models.yaml").to_owned(),
            "mail_accounts_file" => {
                concat!(env!("CARGO_MANIFEST_DIR"), "/defaults/mail_accounts.yaml").to_owned()
            }
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
        (vec![("LLMBDO_RCLONE_EXECUTABLE", "/opt/rclone")], "sync.rclone_executable", "/opt/rclone"),
        (vec![("LLMBDO_RCLONE_CONFIG_PATH", "/opt/rclone.conf")], "sync.rclone_config", "/opt/rclone.conf"),
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
        (
            "LLMBDO_LLM_TOKENS_PER_DY",
            Some("LLMBDO_LLM_TOKENS_PER_DY is not a setting; did you mean LLMBDO_LLM_TOKENS_PER_DAY?"),
        ),
        ("LLMBDO_DEFAULT_LLM_PROVIDER", None),
        (
            "LLMBDO_DEFAULT_LLM_PROVIDR",
            Some("LLMBDO_DEFAULT_LLM_PROVIDR is not a setting; did you mean LLMBDO_DEFAULT_LLM_PROVIDER?"),
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
        (
            "LLMBDO_MAIL_ACCOUNT_CONFIG",
            Some("LLMBDO_MAIL_ACCOUNT_CONFIG is not a setting; did you mean LLMBDO_MAIL_ACCOUNTS_CONFIG?"),
        ),
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
    for leaf in LEAVES.get().iter() {
        let last = leaf.key.rsplit(['.', '_']).next().unwrap();
        if ["dir", "file", "path"].contains(&last) {
            let (found, _) = value(&loaded, &leaf.key);
            assert!(found.as_str().unwrap().starts_with('/'), "{}: {found}", leaf.key);
        }
    }
}

/// The original's variables of the mail service say what they said, whichever of its two names for the file is used.
#[test]
fn the_originals_variables_of_mail() {
    let accounts = concat!(env!("CARGO_MANIFEST_DIR"), "/defaults/mail_accounts.yaml");
    for name in ["LLMBDO_MAIL_ACCOUNTS_CONFIG_PATH", "LLMBDO_MAIL_ACCOUNTS_CONFIG"] {
        let loaded = loaded("", &[(name, accounts)]);
        assert_eq!(loaded.settings.mail_accounts_file, std::path::Path::new(accounts), "{name}");
        assert_eq!(loaded.warnings, Vec::<String>::new());
    }
    let limits = [("LLMBDO_MAIL_IMAP_TIMEOUT_SEC", "7"), ("LLMBDO_MAIL_MAX_ATTACH_INLINE_KB", "8")];
    let mail = loaded("", &limits).settings.mail;
    assert_eq!((mail.imap_timeout_seconds, mail.attachment_inline_kb), (7, 8));
}
