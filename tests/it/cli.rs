//! The commands beside `serve`: what they print, and the code they end with.

use std::path::Path;

use harness::{Daemon, Setup, daemon, run};
use tempfile::TempDir;

/// Exit code, standard output and standard error of `llmbasedos ARGUMENTS`, with `dir` written as DIR.
async fn said(dir: &Path, arguments: &[&str]) -> String {
    let at = dir.to_str().expect("a plain path");
    let arguments = arguments.iter().map(|argument| argument.replace("DIR", at));
    let output = daemon::command("llmbasedos").args(arguments).output().await.expect("it runs");
    let code = output.status.code().expect("it ends by itself");
    let (out, err) = (daemon::text(&output.stdout), daemon::text(&output.stderr));
    format!("exit {code}\n{out}--\n{err}").replace(at, "DIR")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

/// A folder that is laid out, with settings of its own.
async fn laid_out(setup: Setup) -> TempDir {
    let folder = folder();
    setup.lay_out(folder.path()).await;
    folder
}

#[test]
fn init_lays_out_a_folder_and_overwrites_nothing() {
    run(async {
        let folder = folder();
        insta::assert_snapshot!(said(folder.path(), &["init", "DIR/new"]).await, @r"
        exit 0
        created DIR/new
        created DIR/new/llmbasedos.yaml
        created DIR/new/licence_tiers.yaml
        created DIR/new/models.yaml
        created DIR/new/mail_accounts.yaml
        created DIR/new/lic.key
        created DIR/new/user_files
        created DIR/new/user_files/welcome.md
        created DIR/new/prompts
        created DIR/new/prompts/README.txt
        created DIR/new/workflows
        created DIR/new/workflows/index-changes.yaml
        created DIR/new/workflows/invitations.yaml
        created DIR/new/workflows/morning-briefing.yaml
        created DIR/new/workflows/nightly-backup.yaml
        created DIR/new/workflows/research.yaml
        created DIR/new/workflows/summarise-folder.yaml
        created DIR/new/token (the owner's token: keep it to yourself)
        --
        Start it: llmbasedos serve --config-dir DIR/new
        ");
        let token = std::fs::read_to_string(folder.path().join("new/token")).expect("it was made");
        assert!(token.starts_with("llmb_") && token.len() == 49 && token.ends_with('\n'), "{token:?}");
        std::fs::write(folder.path().join("new/lic.key"), "PRO:me:2999-12-31").expect("it can be edited");
        std::fs::remove_file(folder.path().join("new/models.yaml")).expect("it can be removed");
        insta::assert_snapshot!(said(folder.path(), &["init", "DIR/new"]).await, @r"
        exit 0
        kept    DIR/new
        kept    DIR/new/llmbasedos.yaml
        kept    DIR/new/licence_tiers.yaml
        created DIR/new/models.yaml
        kept    DIR/new/mail_accounts.yaml
        kept    DIR/new/lic.key
        kept    DIR/new/user_files
        kept    DIR/new/user_files/welcome.md
        kept    DIR/new/prompts
        kept    DIR/new/prompts/README.txt
        kept    DIR/new/workflows
        kept    DIR/new/token
        --
        Start it: llmbasedos serve --config-dir DIR/new
        ");
        let kept =
            |name: &str| std::fs::read_to_string(folder.path().join("new").join(name)).expect("it is there");
        assert_eq!((kept("token"), kept("lic.key")), (token, "PRO:me:2999-12-31".to_owned()));
    });
}

#[test]
fn init_again_without_the_token_makes_another_and_ends_the_first() {
    run(async {
        let daemon = Daemon::start().await;
        let (first, client) = (daemon.token(), daemon.client().await);
        std::fs::remove_file(daemon.dir().join("token")).expect("it is there");
        assert!(said(daemon.dir(), &["init", "DIR"]).await.starts_with("exit 0"));
        assert_ne!(daemon.token(), first);
        harness::until("the first is of no use", async || {
            client.call("mcp.hello", serde_json::json!([])).await.is_err()
        })
        .await;
        daemon.client().await.ok("mcp.hello", serde_json::json!([])).await;
    });
}

#[test]
fn what_is_wrong_with_a_token_command_is_said() {
    run(async {
        let folder = laid_out(Setup::default()).await;
        let check = async |arguments: &[&str], expected: &str| {
            let said = said(folder.path(), &[arguments, &["--config-dir", "DIR"]].concat()).await;
            assert!(said.starts_with("exit 2\n--\n") && said.contains(expected), "{arguments:?}: {said}");
        };
        check(&["token", "create", "owner"], "a token 'owner' exists").await;
        check(&["token", "create", "a b"], "cannot name a token").await;
        check(&["token", "create", ""], "cannot name a token").await;
        check(&["token", "create", "new", "--tier", "gold"], "no tier is called GOLD").await;
        check(&["token", "create", "new", "--allow", "mcp.*.x"], "is not a pattern").await;
        check(&["token", "create", "new", "--expires", "soon"], "--expires 'soon'").await;
        check(&["token", "create", "new", "--expires", "2001-01-01"], "--expires is in the past").await;
        check(&["token", "create", "new", "--expires=-1d"], "--expires").await;
        check(&["token", "revoke", "nobody"], "no token is called 'nobody'").await;
        check(&["token"], "Usage").await;
        check(&["nonsense"], "unrecognized").await;
        // None of this made or ended one.
        let list = said(folder.path(), &["token", "list", "--config-dir", "DIR"]).await;
        insta::assert_snapshot!(list, @r"
        exit 0
        owner                    tier licence  expires never                  allows all of its tier
        --
        ");
    });
}

#[test]
fn a_token_is_shown_once_and_listed_with_what_it_may() {
    run(async {
        let folder = laid_out(Setup::default()).await;
        let options =
            ["--tier", "pro", "--allow", "mcp.fs.*", "--allow", "mcp.hello", "--expires", "2999-12-31"];
        let made = said(
            folder.path(),
            &[&["token", "create", "laptop", "--config-dir", "DIR"], &options[..]].concat(),
        )
        .await;
        let token = made.lines().nth(1).expect("it is shown").to_owned();
        insta::assert_snapshot!(made.replace(&token, "TOKEN"), @r"
        exit 0
        TOKEN
        --
        This is the only time that the token of 'laptop' is shown.
        ");
        let list = said(folder.path(), &["token", "list", "--config-dir", "DIR"]).await;
        // The last second of that day, where this machine is.
        let (head, rest) =
            list.split_once("3000-01-01T").or_else(|| list.split_once("2999-12-31T")).expect("its end");
        insta::assert_snapshot!(format!("{head}DAY{}", &rest["00:00:00Z".len()..]), @r"
        exit 0
        laptop                   tier PRO      expires DAY   allows mcp.fs.* mcp.hello
        owner                    tier licence  expires never                  allows all of its tier
        --
        ");
    });
}

#[test]
fn the_licence_is_shown_as_it_counts() {
    run(async {
        let setup = |licence: &str| Setup { licence: Some(licence.to_owned()), ..Setup::default() };
        let folder = laid_out(setup("PRO:ann:2999-12-30")).await;
        let show = &["licence", "show", "--config-dir", "DIR"];
        insta::assert_snapshot!(said(folder.path(), show).await, @r"
        exit 0
        file     DIR/lic.key
        tier     PRO
        user     ann
        expires  2999-12-31T00:00:00Z
        --
        ");
        let folder = laid_out(setup("ELITE:ann:2020-12-31")).await;
        insta::assert_snapshot!(said(folder.path(), show).await, @r"
        exit 0
        file     DIR/lic.key
        tier     FREE
        user     ann
        expires  2021-01-01T00:00:00Z
        --
        It counts as FREE: expired.
        ");
        let folder = laid_out(setup("GOLD:ann:2999-12-31")).await;
        insta::assert_snapshot!(said(folder.path(), show).await, @r"
        exit 0
        file     DIR/lic.key
        tier     FREE
        user     anonymous
        expires  never
        --
        It counts as FREE: tier 'GOLD' is not in licence_tiers.yaml
        ");
        for wrong in [
            &["licence", "sign", "--key", "DIR/none", "PRO", "ann", "2999-12-31"][..],
            &["licence", "sign", "--key", "DIR/token", "PRO", "ann", "2999-12-31"],
            &["licence", "sign", "--key", "DIR/token", "PRO", "a:b", "2999-12-31"],
            &["licence", "sign", "--key", "DIR/token", "PRO", "ann", "soon"],
            &["licence", "keygen", "DIR/token"],
        ] {
            let said = said(folder.path(), wrong).await;
            assert!(
                said.starts_with("exit 1\n--\nllmbasedos: ") || said.starts_with("exit 2\n--\nllmbasedos: "),
                "{said}"
            );
        }
    });
}

#[test]
fn doctor_says_what_is_missing_and_how_to_get_it() {
    run(async {
        let doctor = &["doctor", "--config-dir", "DIR", "--listen", "127.0.0.1:0"];
        let folder = laid_out(Setup::default()).await;
        insta::assert_snapshot!(masked(&said(folder.path(), doctor).await), @r"
        exit 0
        ok    settings are in DIR/llmbasedos.yaml
        ok    state folder DIR/state is writable
        ok    run folder DIR/run will be made
        ok    127.0.0.1:0 is free, for this machine only
        ok    licence ELITE of owner
        ok    1 token in DIR/state/llmbasedos.db
        ok    DIR/token is its owner's alone
        ok    root / is DIR/user_files
        note  no language model is configured. Three quick ways to one: set OPENAI_API_KEY; or `ollama pull llama3.2`, and `models: {local: {provider: ollama, model: llama3.2}}` in DIR/models.yaml; or start llama-server and set LLAMA_CPP_API_BASE_URL=http://127.0.0.1:8080/v1
        note  files are searched by words only: DIR/state/models/all-MiniLM-L6-v2/model.onnx is not there: run `make model`, or set where the model and ONNX Runtime are
        ?     rclone
        ?     Landlock
        ?     openat2
        ?     open files
        Nothing is wrong.
        --
        ");

        let settings = "fs:\n  roots:\n    - { at: /, path: nowhere }\n".to_owned();
        let folder =
            laid_out(Setup { licence: Some("ELITE:ann:2020-12-31".into()), settings, ..Setup::default() })
                .await;
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(folder.path().join("token"), readable).expect("it is ours");
        insta::assert_snapshot!(masked(&said(folder.path(), doctor).await), @r"
        exit 1
        ok    settings are in DIR/llmbasedos.yaml
        ok    state folder DIR/state is writable
        ok    run folder DIR/run will be made
        ok    127.0.0.1:0 is free, for this machine only
        note  licence counts as FREE: it expired at 2021-01-01T00:00:00Z
        ok    1 token in DIR/state/llmbasedos.db
        WRONG others can read DIR/token: chmod 600 DIR/token
        WRONG root /: DIR/nowhere: No such file or directory (os error 2). Make it, or change fs.roots
        note  no language model is configured. Three quick ways to one: set OPENAI_API_KEY; or `ollama pull llama3.2`, and `models: {local: {provider: ollama, model: llama3.2}}` in DIR/models.yaml; or start llama-server and set LLAMA_CPP_API_BASE_URL=http://127.0.0.1:8080/v1
        note  files are searched by words only: DIR/state/models/all-MiniLM-L6-v2/model.onnx is not there: run `make model`, or set where the model and ONNX Runtime are
        ?     rclone
        ?     Landlock
        ?     openat2
        ?     open files
        2 things are wrong.
        --
        ");

        let models = "models:\n  a: {provider: ollama, model: x}\n  b: {provider: openai, model: y, api_key: '${NONE}'}\n";
        let folder = laid_out(Setup { models: Some(models.to_owned()), ..Setup::default() }).await;
        let listed = said(folder.path(), doctor).await;
        assert!(listed.contains("ok    model a is x of ollama at http://127.0.0.1:11434"), "{listed}");
        assert!(
            listed.contains("note  model b is y of openai") && listed.contains("NONE is not set"),
            "{listed}"
        );

        let models = "models:
  a: {provider: ollama, modle: x}
  b:
    provider: ollama
    model: y
    api_key: ${KEY
    fallbacks: [c]
";
        let folder = laid_out(Setup { models: Some(models.to_owned()), ..Setup::default() }).await;
        let said_of_models = said(folder.path(), doctor).await;
        let lines =
            said_of_models.lines().filter(|line| line.contains("models.yaml") || line.contains("wrong"));
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
        WRONG models.yaml:2: models.a: needs `model`: Its name at the provider (`model_name` in the original)
        WRONG models.yaml:2: models.a.modle: unknown key `modle`; did you mean `model`?
        WRONG models.yaml:6: models.b.api_key: starts like a variable; write `${NAME}`, a name of letters, digits and `_`, and nothing around it
        WRONG models.yaml:7: models.b.fallbacks[0]: no model `c` is in this file; did you mean `a`?
        4 things are wrong.
        ");

        let daemon = Daemon::start().await;
        let taken = said(daemon.dir(), &["doctor", "--config-dir", "DIR", "--listen", &daemon.address]).await;
        assert!(
            taken.starts_with("exit 1") && taken.contains("If a daemon runs there already, all is well"),
            "{taken}"
        );
    });
}

/// Without what depends on the machine and on who runs the test.
fn masked(said: &str) -> String {
    let fixed = said.lines().map(|line| match line {
        line if line.contains("(uid ") => line.split_once("(uid ").map_or("", |(head, _)| head).trim_end(),
        line if line.contains("open files are allowed") => "?     open files",
        line if line.contains("openat2") => "?     openat2",
        line if line.contains("Landlock") => "?     Landlock",
        line if line.contains("rclone") => "?     rclone",
        line => line,
    });
    fixed.collect::<Vec<_>>().join("\n")
}
