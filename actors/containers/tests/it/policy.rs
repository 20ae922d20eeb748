//! What may be asked for: tables, without an engine.

use std::time::Duration;

use containers::{Images, Policy, Run, User};
use serde_json::json;

use crate::policy;

fn verdict(policy: &Policy, run: &Run) -> &'static str {
    policy.check(run).map_or_else(|error| error.kind.name(), |()| "ok")
}

fn plain() -> Run {
    Run::new("llmbasedos-test:1", ["true"])
}

#[test]
fn nothing_without_a_list() {
    assert_eq!(verdict(&Policy::default(), &plain()), "not_allowed");
    assert_eq!(verdict(&policy(), &plain()), "ok");
    assert_eq!(verdict(&policy(), &Run::new("busybox", ["true"])), "not_allowed");
    assert_eq!(verdict(&policy(), &Run::new("../x", ["true"])), "invalid");
    assert!(Images::parse(["*"]).is_err());
}

#[test]
fn networks() {
    let listed = Policy {
        networks: vec!["inner".to_owned(), "host".to_owned(), "container:x".to_owned()],
        ..policy()
    };
    for (network, expected) in [
        ("none", "ok"),
        ("inner", "ok"),
        ("bridge", "not_allowed"),
        ("default", "not_allowed"),
        ("", "not_allowed"),
        // Not even where somebody lists them.
        ("host", "not_allowed"),
        ("container:x", "not_allowed"),
        ("inner,host", "not_allowed"),
    ] {
        let run = Run { network: Some(network.to_owned()), ..plain() };
        assert_eq!(verdict(&listed, &run), expected, "{network}");
    }
}

#[test]
fn users() {
    for (text, expected) in [
        ("1000", "ok"),
        ("1000:1000", "ok"),
        ("0", "not_allowed"),
        ("0:1", "not_allowed"),
        ("1:0", "not_allowed"),
    ] {
        let run = Run { user: User::parse(text), ..plain() };
        assert_eq!(verdict(&policy(), &run), expected, "{text}");
        assert_eq!(verdict(&Policy { root: true, ..policy() }, &run), "ok", "{text}");
    }
    for bad in ["", "root", "-1", "+1", "1:", ":1", "1:2:3", "0x1", "4294967296", "1 "] {
        assert_eq!(User::parse(bad), None, "{bad:?}");
    }
}

#[test]
fn limits() {
    let cases = [
        (Run { memory_bytes: Some(2 << 30), ..plain() }, "ok"),
        (Run { memory_bytes: Some((2 << 30) + 1), ..plain() }, "not_allowed"),
        (Run { memory_bytes: Some(0), ..plain() }, "invalid"),
        (Run { cpus: Some(2.0), ..plain() }, "ok"),
        (Run { cpus: Some(2.1), ..plain() }, "not_allowed"),
        (Run { cpus: Some(0.0), ..plain() }, "invalid"),
        (Run { cpus: Some(-1.0), ..plain() }, "invalid"),
        (Run { cpus: Some(f64::NAN), ..plain() }, "invalid"),
        (Run { cpus: Some(f64::INFINITY), ..plain() }, "not_allowed"),
        (Run { pids: Some(512), ..plain() }, "ok"),
        (Run { pids: Some(513), ..plain() }, "not_allowed"),
        (Run { pids: Some(0), ..plain() }, "invalid"),
        (Run { timeout: Some(Duration::from_hours(1)), ..plain() }, "ok"),
        (Run { timeout: Some(Duration::from_secs(3601)), ..plain() }, "not_allowed"),
        (Run { timeout: Some(Duration::MAX), ..plain() }, "not_allowed"),
        (Run { timeout: Some(Duration::ZERO), ..plain() }, "invalid"),
        (Run { name: "x".repeat(129), ..plain() }, "invalid"),
        (Run { inputs: json!("x".repeat(5 << 20)), ..plain() }, "invalid"),
        (Run::new("llmbasedos-test:1", ["x".repeat(70_000)]), "invalid"),
        (Run::new("llmbasedos-test:1", ["a\0b"]), "invalid"),
    ];
    for (run, expected) in cases {
        assert_eq!(
            verdict(&policy(), &run),
            expected,
            "{:?}",
            (run.memory_bytes, run.cpus, run.pids, run.timeout)
        );
    }
}

#[test]
fn variables() {
    let check = |name: &str, value: &str, expected: &str| {
        let env = [(name.to_owned(), value.to_owned())].into();
        assert_eq!(verdict(&policy(), &Run { env, ..plain() }), expected, "{name:?}");
    };
    for good in ["A", "a_1", "_x", "LANG", "TOKEN", "HTTP_PROXY", "LDAP_URL"] {
        check(good, "any\nvalue $(x)", "ok");
    }
    for bad in ["", "1A", "A-B", "A B", "A=B", "Ä", "A\0", "A\n"] {
        check(bad, "x", "invalid");
    }
    for bad in [
        "PATH",
        "Path",
        "LD_PRELOAD",
        "ld_library_path",
        "LD_AUDIT",
        "BASH_ENV",
        "ENV",
        "IFS",
        "PYTHONPATH",
        "NODE_OPTIONS",
        "PERL5OPT",
        "RUBYOPT",
        "JAVA_TOOL_OPTIONS",
        "GIT_SSH_COMMAND",
        "GLIBC_TUNABLES",
        "DYLD_X",
    ] {
        check(bad, "x", "not_allowed");
    }
    check("A", "x\0y", "invalid");
    check("A", &"x".repeat(70_000), "invalid");
}
