//! Ways out of the roots and into a shell, each refused; and what holds when a check were missing.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use harness::{Client, Rclone, Served, Server, run};
use serde_json::{Value, json};

use crate::{BOTH, Scene, hashes, kind, write};

/// Remotes that reach this machine, or run a program.
const TRAPS: &str = "
[disk]
type = local
[lair]
type = alias
remote = /etc
[chained]
type = alias
remote = lair:
[mixed]
type = union
upstreams = box:a /etc
[parts]
type = combine
upstreams = etc=/etc
[chunks]
type = chunker
remote = /etc
[sealed]
type = crypt
remote = /etc
password = x
[inline]
type = alias
remote = :local:/etc
[shell]
type = sftp
ssh = sh -c 'touch /tmp/llmbasedos-was-here'
[token]
type = webdav
url = http://127.0.0.1:1
bearer_token_command = touch /tmp/llmbasedos-was-here
[unknown]
type = quantum
";

/// A side that must be refused, and how that is called.
const SIDES: &[(&str, &str)] = &[
    ("/../../etc", "outside"),
    ("/a/../../etc", "outside"),
    ("/link-out", "outside"),
    ("/link-out/deeper", "outside"),
    ("/.llmbasedos-trash", "reserved"),
    ("/missing", "not_found"),
    ("relative", "not_absolute"),
    ("./x", "not_absolute"),
    ("~", "not_absolute"),
    ("file:///etc", "no_such_remote"),
    ("", ""),
    (":local:/etc", "connection_string"),
    (":local,copy_links:/etc", "connection_string"),
    (":sftp,ssh='touch /tmp/x':", "connection_string"),
    ("box,ssh='touch /tmp/x':", "connection_string"),
    ("box,remote=/etc:", "connection_string"),
    ("box,type=local:/etc", "connection_string"),
    ("--config=/etc/passwd", "leading_dash"),
    ("-v", "leading_dash"),
    ("--password-command=touch /tmp/x:", "leading_dash"),
    ("box:../../etc", "outside"),
    ("box:a/../../..", "outside"),
    ("no_such:", "no_such_remote"),
    ("BOX:", "no_such_remote"),
    ("disk:/etc", "remote_not_allowed"),
    ("disk:", "remote_not_allowed"),
    ("lair:passwd", "remote_not_allowed"),
    ("chained:", "remote_not_allowed"),
    ("mixed:", "remote_not_allowed"),
    ("parts:etc", "remote_not_allowed"),
    ("chunks:", "remote_not_allowed"),
    ("sealed:", "remote_not_allowed"),
    ("inline:", "remote_not_allowed"),
    ("shell:", "remote_not_allowed"),
    ("token:", "remote_not_allowed"),
    ("unknown:", "remote_not_allowed"),
    ("a\nb:", "control_character"),
    ("/a\u{0}b", "control_character"),
    ("$(touch /tmp/x):", "bad_remote_name"),
];

/// Arguments that must be refused.
const ARGUMENTS: &[&[&str]] = &[
    &["--config=/etc/passwd"],
    &["--config", "/etc/passwd"],
    &["--password-command", "touch /tmp/x"],
    &["--rc", "--rc-addr=:5572", "--rc-no-auth"],
    &["--metadata-mapper=touch /tmp/x"],
    &["--files-from=/etc/passwd"],
    &["--files-from-raw", "/etc/passwd"],
    &["--include-from=/etc/passwd"],
    &["--filter-from", "/etc/passwd"],
    &["--log-file=/etc/cron.d/x"],
    &["--cache-dir=/etc"],
    &["--temp-dir=/etc"],
    &["--compare-dest=/etc"],
    &["--copy-dest=/etc"],
    &["--copy-links"],
    &["-L"],
    &["--links"],
    &["--sftp-ssh=touch /tmp/x"],
    &["--webdav-bearer-token-command=touch /tmp/x"],
    &["--local-nounc"],
    &["--ca-cert=/etc/passwd"],
    &["--dump=headers,bodies,auth"],
    &["--http-proxy=http://evil"],
    &["--backup-dir=/../etc"],
    &["--backup-dir=disk:/etc"],
    &["--backup-dir=:local:/etc"],
    &["--suffix=/../../x"],
    &["--suffix=-x/y"],
    &["--filter=!"],
    &["--filter=merge /etc/passwd"],
    &["--transfers=x"],
    &["--transfers=1000000"],
    &["--max-size=1;touch /tmp/x"],
    &["--bwlimit=08:00,512k"],
    &["--"],
    &["copyto"],
    &["purge"],
    &["serve"],
    &["rcd"],
    &["copy", "/etc", "box:"],
    &["-"],
    &["---checksum"],
    &["--checksum=maybe"],
];

#[test]
fn no_side_argument_or_name_leads_out() {
    run(async {
        let server = Server::start(Served::Webdav);
        let remotes = format!("{}{TRAPS}", server.remote("box"));
        let scene = Scene::new(Rclone::Current, &remotes).await;
        write(scene.daemon.file("from/a.txt"), "alpha");
        symlink("/etc", scene.daemon.file("link-out")).expect("a link");
        let refuses = async |job: Value, expected: &str| {
            for method in ["mcp.sync.runJob", "mcp.sync.plan"] {
                let refused = scene.client.call(method, json!({ "job": job })).await;
                let refused = refused.expect_err(&format!("{method} {job} must be refused"));
                if !expected.is_empty() {
                    assert_eq!(kind(&refused), expected, "{method} {job}: {refused}");
                }
                let code = refused["code"].as_i64();
                assert!(matches!(code, Some(-32022 | -32011 | -32602)), "{method} {job}: {refused}");
                let message = refused["message"].as_str().expect("text");
                assert!(message.len() > 20 && message.len() < 1500, "{method} {job}: {refused}");
                assert!(!message.contains(&*scene.daemon.dir().to_string_lossy()), "{message}");
            }
        };
        for (side, expected) in SIDES {
            refuses(json!({ "source": side, "destination": "box:x" }), expected).await;
            let expected = if *expected == "not_found" { continue } else { expected };
            refuses(json!({ "source": "/from", "destination": side }), expected).await;
        }
        for arguments in ARGUMENTS {
            refuses(json!({ "source": "/from", "destination": "box:x", "rclone_args": arguments }), "").await;
        }
        for name in ["../../x", "/etc/cron.d/x", "a/b", "-x", "", "a b", "x\n", "é", &"x".repeat(41)] {
            let job = json!({ "source": "/from", "destination": "box:x", "job_id_prefix": name });
            refuses(job.clone(), "bad_job_id").await;
            let define = json!({ "name": name, "job": { "source": "/from", "destination": "box:x" } });
            let refused = scene.client.call("mcp.sync.defineJob", define).await.expect_err("no name");
            assert_eq!(kind(&refused), "bad_name", "{refused}");
        }
        for path in ["/etc", "disk:/etc", ":local:/etc", "lair:", "box:../x", "--help"] {
            let refused = scene.client.call("mcp.sync.listRemote", json!({ "path": path })).await;
            assert_eq!(refused.expect_err("it leads out")["code"], -32022, "{path}");
        }
        for side in ["disk:/etc", "/link-out", ":local:/etc"] {
            let both = json!({ "source": side, "destination": "/from" });
            assert!(scene.client.call("mcp.sync.check", both).await.is_err(), "{side}");
        }
        assert!(hashes(&server.folder()).is_empty(), "nothing was done");
        assert!(!std::path::Path::new("/tmp/llmbasedos-was-here").exists());
        let listed = scene.client.ok("mcp.sync.listJobs", json!({})).await;
        assert_eq!(listed["jobs"], json!([]), "no job was made");
    });
}

#[test]
fn remotes_are_told_and_their_secrets_are_not() {
    run(async {
        let server = Server::start(Served::Webdav);
        let remotes = format!("{}{TRAPS}", server.remote("box"));
        let scene = Scene::new(Rclone::Current, &remotes).await;
        let listed = scene.client.ok("mcp.sync.listRemotes", json!({})).await;
        assert_eq!(listed["remotes"].as_array().map(Vec::len), Some(12), "{listed:#}");
        let usable: Vec<_> = listed["details"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|one| one["problem"].is_null())
            .collect();
        assert_eq!(usable, [&json!({ "name": "box", "type": "webdav", "problem": null })]);
        assert_eq!(scene.client.ok("mcp.sync.listRemotes", json!([])).await, listed["remotes"]);
        let config = std::fs::read_to_string(scene.daemon.dir().join("llmbasedos.yaml")).expect("settings");
        let secret = Rclone::Current.obscure("x").len();
        assert!(
            secret > 10 && !listed.to_string().contains("pass") && !config.contains("pass = "),
            "{listed}"
        );
    });
}

#[test]
fn a_remote_that_is_allowed_reaches_what_the_settings_say_and_no_more() {
    run(async {
        for rclone in BOTH {
            let lair = tempfile::tempdir().expect("a folder");
            let at = lair.path().display();
            write(lair.path().join("open/a.txt"), "alpha");
            write(lair.path().join("shut/b.txt"), "beta");
            let settings = format!("sync: {{allow_remotes: [disk], readable: [\"{at}/open\"]}}\n");
            let scene = Scene::with(rclone, "[disk]\ntype = local\n", &settings).await;
            scene.completes(json!({ "source": format!("disk:{at}/open"), "destination": "/a" })).await;
            assert_eq!(hashes(&scene.daemon.file("a")), hashes(&lair.path().join("open")));
            // The kernel says no: no check of ours is in the way of an allowed remote.
            let job = json!({ "source": format!("disk:{at}/shut"), "destination": "/b" });
            let refused = scene.run(job).await;
            assert_eq!(refused["status"], "failed", "{refused:#}");
            assert!(refused.to_string().contains("permission denied"), "{refused:#}");
            for to in
                [format!("disk:{at}/open"), format!("disk:{at}/new"), "disk:/tmp/llmbasedos-was-here".into()]
            {
                let refused = scene.run(json!({ "source": "/a", "destination": format!("{to}/x") })).await;
                assert_eq!(refused["status"], "failed", "{to}: {refused:#}");
            }
            assert_eq!(hashes(lair.path()).len(), 2, "{rclone:?}");
            // Nor does it get at what the daemon keeps.
            let token = format!("disk:{}", scene.daemon.dir().join("state").display());
            let refused = scene.run(json!({ "source": token, "destination": "/c" })).await;
            assert_eq!(refused["status"], "failed", "{refused:#}");
        }
    });
}

#[test]
fn roots_that_are_read_only_or_of_another_tier_stay_so() {
    run(async {
        let server = Server::start(Served::Webdav);
        let settings = "
fs:
  roots:
  - {at: /, path: user_files}
  - {at: /look, path: look, mode: read_only}
  - {at: /secret, path: secret, tiers: [ELITE]}
";
        let home = tempfile::tempdir().expect("a folder");
        for name in ["look", "secret"] {
            write(home.path().join(name).join("x.txt"), name);
        }
        let settings = settings.replace("path: look", &format!("path: {}/look", home.path().display()));
        let settings = settings.replace("path: secret", &format!("path: {}/secret", home.path().display()));
        let scene = Scene::with(Rclone::Current, &server.remote("box"), &settings).await;
        scene.completes(json!({ "source": "/look", "destination": "box:look" })).await;
        scene.completes(json!({ "source": "/secret", "destination": "box:secret" })).await;
        let into = json!({ "job": { "source": "box:secret", "destination": "/look/x" } });
        let refused = scene.client.call("mcp.sync.runJob", into).await.expect_err("it is read-only");
        assert_eq!(kind(&refused), "read_only");
        let moved = json!({ "job": { "source": "/look", "destination": "box:x", "verb": "move" } });
        let refused =
            scene.client.call("mcp.sync.plan", moved).await.expect_err("a move deletes at the source");
        assert_eq!(kind(&refused), "read_only");
        let token = scene.daemon.token_for("lesser", &["--tier", "PRO"]).await;
        let lesser = Client::ws(&scene.daemon.url(), Some(&token)).await.expect("it gets in");
        let secret = json!({ "job": { "source": "/secret", "destination": "box:y" } });
        let refused = lesser.call("mcp.sync.runJob", secret).await.expect_err("it does not exist for them");
        assert_eq!(kind(&refused), "not_found");
        let jobs = lesser.ok("mcp.sync.listJobs", json!({})).await;
        assert_eq!(jobs["jobs"].as_array().map(Vec::len), Some(1), "nor do jobs about it: {jobs:#}");
    });
}

#[test]
fn without_rclone_or_with_something_else_the_error_says_so() {
    run(async {
        let home = tempfile::tempdir().expect("a folder");
        let server = Server::start(Served::Webdav);
        let job = json!({ "job": { "source": "/from", "destination": "box:x" } });
        let scene = Scene::of(&home.path().join("missing"), &server.remote("box"), "").await;
        write(scene.daemon.file("from/a.txt"), "alpha");
        let refused = scene.client.call("mcp.sync.runJob", job.clone()).await.expect_err("there is none");
        assert_eq!(
            (kind(&refused), &refused["code"]),
            ("not_installed", &serde_json::json!(-32023)),
            "{refused}"
        );
        let impostor = home.path().join("impostor");
        write(impostor.clone(), "#!/bin/sh\necho hello\n");
        std::fs::set_permissions(&impostor, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        let scene = Scene::of(&impostor, &server.remote("box"), "").await;
        write(scene.daemon.file("from/a.txt"), "alpha");
        let ended = scene.run(job["job"].clone()).await;
        assert_eq!(ended["status"], "failed", "{ended:#}");
        let refused = scene.client.call("mcp.sync.listRemote", serde_json::json!({ "path": "box:" })).await;
        assert_eq!(refused.expect_err("it is no rclone")["code"], -32023);
    });
}
