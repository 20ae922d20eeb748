//! `luca-shell` against the real daemon: the two programs of `make run`.

use harness::{Daemon, Setup, daemon, run};
use serde_json::{Value, json};

/// Exit code, standard output and standard error of `luca-shell -c LINE …`.
async fn luca(daemon: &Daemon, options: &[&str], lines: &[&str]) -> (Option<i32>, String, String) {
    let mut shell = daemon::command("luca-shell");
    shell.args(["--url", &daemon.url()]).current_dir(daemon.dir()).env("HOME", daemon.dir());
    if !options.contains(&"--token") {
        shell.arg("--token-file").arg(daemon.dir().join("token"));
    }
    let output = shell.args(options).args(lines.iter().flat_map(|line| ["-c", line])).output().await;
    let output = output.expect("it runs");
    (output.status.code(), daemon::text(&output.stdout), daemon::text(&output.stderr))
}

#[test]
fn files_are_listed_read_written_and_deleted() {
    run(async {
        let daemon = Daemon::start().await;
        let (code, out, err) =
            luca(&daemon, &[], &["write /a.txt \"hello from luca\"", "ls", "cat /a.txt"]).await;
        assert_eq!(code, Some(0), "{out}{err}");
        assert!(
            out.contains("a.txt") && out.contains("welcome.md") && out.contains("hello from luca"),
            "{out}{err}"
        );
        assert_eq!(
            std::fs::read_to_string(daemon.file("a.txt")).expect("it is written"),
            "hello from luca\n"
        );
        let (code, out, err) = luca(&daemon, &[], &["rm -f /a.txt", "ls /"]).await;
        assert!(code == Some(0) && !out.contains("a.txt\n"), "{out}{err}");
        assert!(!daemon.file("a.txt").exists());
    });
}

#[test]
fn any_method_is_called_by_name_and_answers_as_json() {
    run(async {
        let daemon = Daemon::start().await;
        for line in [
            "mcp.fs.stat /welcome.md",
            "mcp.fs.stat path=/welcome.md",
            "mcp.fs.stat {\"path\":\"/welcome.md\"}",
        ] {
            let (code, out, err) = luca(&daemon, &["--json"], &[line]).await;
            let stat: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{line}: {out}{err}"));
            assert_eq!((code, &stat["path"]), (Some(0), &json!("/welcome.md")), "{line}: {out}");
        }
        let (code, out, err) = luca(&daemon, &["--json"], &["mcp.fs.read /nothing"]).await;
        let error: Value = serde_json::from_str(&err).unwrap_or_else(|_| panic!("{out}{err}"));
        assert_eq!((code, out.as_str()), (Some(1), ""), "{error}");
        assert!(error.to_string().contains("-32011"), "{error}");
    });
}

#[test]
fn the_licence_is_shown() {
    run(async {
        let licence = Some("PRO:ann:2999-12-31".to_owned());
        let daemon = Setup { licence, ..Setup::default() }.start().await;
        let (code, out, err) = luca(&daemon, &[], &["licence"]).await;
        assert!(code == Some(0) && out.contains("PRO") && out.contains("ann"), "{out}{err}");
        let (code, out, err) = luca(&daemon, &[], &["mcp.admin.tree"]).await;
        assert!(code != Some(0) && out.is_empty() && err.contains("no method mcp.admin.tree"), "{out}{err}");
    });
}

#[test]
fn the_exit_code_says_how_it_went() {
    run(async {
        let mut daemon = Daemon::start().await;
        let check = async |daemon: &Daemon, options: &[&str], lines: &[&str], expected: i32| {
            let (code, out, err) = luca(daemon, options, lines).await;
            assert_eq!(code, Some(expected), "{options:?} {lines:?}: {out}{err}");
            assert!(expected == 0 || !err.is_empty(), "{lines:?}");
        };
        check(&daemon, &[], &["mcp.hello"], 0).await;
        check(&daemon, &[], &["cat /nothing", "write /never.txt x"], 1).await;
        assert!(!daemon.file("never.txt").exists(), "the first failure ends it");
        check(&daemon, &["--token", "wrong"], &["mcp.hello"], 2).await;
        check(&daemon, &["--no-such-option"], &["mcp.hello"], 2).await;
        daemon.stop().await;
        check(&daemon, &[], &["mcp.hello"], 2).await;
    });
}

#[test]
fn a_model_is_asked_and_its_answer_seen_as_it_comes() {
    run(async {
        let upstream = harness::Upstream::start().await;
        let model = format!("{{provider: openai_compatible, model: m, base_url: \"{}\"}}", upstream.v1());
        let models = Some(format!("models:\n  small: {model}\n  big: {model}\n"));
        let daemon = Setup { models, ..Setup::default() }.start().await;
        let said = luca(&daemon, &[], &["llm @small say hello"]).await;
        assert_eq!(said, (Some(0), "Hello from the upstream.\n".to_owned(), String::new()));
        let sent = upstream.last().json();
        assert_eq!(sent["messages"], json!([{ "role": "user", "content": "say hello" }]));
        let (code, out, _) = luca(&daemon, &["--json"], &["llm @big hi"]).await;
        let answer: Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(
            (code, &answer["choices"][0]["message"]["content"]),
            (Some(0), &json!("Hello from the upstream."))
        );
        let (code, _, err) = luca(&daemon, &[], &["llm which one?"]).await;
        assert!(code == Some(1) && err.contains("No model is the default"), "{err}");
    });
}
