//! Who is asking: the instance licence is the ceiling, tokens name callers and only narrow it.

use harness::{Client, Daemon, PATIENCE, Setup, daemon, run, until};
use serde_json::{Value, json};

/// What a caller may do at each tier, by one method that needs it.
const FREE: &str = "mcp.fs.list";
const PRO: &str = "mcp.fs.write";
const ELITE: &str = "mcp.admin.tree";

/// Rates play no part here.
const TIERS: &str = "
FREE: { rate_limit_requests: 0, allowed_capabilities: [mcp.hello, mcp.licence.check, mcp.fs.list] }
PRO: { rate_limit_requests: 0, allowed_capabilities: [mcp.hello, mcp.licence.check, 'mcp.fs.*'] }
ELITE: { rate_limit_requests: 0, allowed_capabilities: ['*'] }
";

async fn start(licence: &str, settings: &str) -> Daemon {
    let (licence, tiers) = (Some(licence.to_owned()), Some(TIERS.to_owned()));
    Setup { licence, tiers, settings: settings.to_owned(), ..Setup::default() }.start().await
}

/// The shipped tier that `client` has, by what it is let do; and that what it is told agrees.
async fn tier(client: &Client) -> &'static str {
    let told = client.ok("mcp.hello", json!([])).await;
    let may = |method: &str| told.as_array().is_some_and(|methods| methods.contains(&json!(method)));
    for method in [FREE, PRO, ELITE] {
        // Without params: refused for them, or for the method.
        let refused =
            client.call(method, json!({ "no such": 1 })).await.expect_err("wrong params")["code"] == -32002;
        assert_eq!(refused, !may(method), "hello and the call disagree about {method}");
    }
    let standing = client.ok("mcp.licence.check", json!([])).await;
    let tier = match (may(FREE), may(PRO), may(ELITE)) {
        (true, false, false) => "FREE",
        (true, true, false) => "PRO",
        (true, true, true) => "ELITE",
        rights => panic!("no tier is like this: {rights:?}"),
    };
    assert_eq!(standing["tier"], tier, "{standing}");
    tier
}

/// Puts another licence in place and waits until it is in force.
async fn relicense(daemon: &Daemon, client: &Client, licence: &str) -> Value {
    let standing = async || client.ok("mcp.licence.check", json!([])).await;
    let before = standing().await["key_id"].clone();
    std::fs::write(daemon.dir().join("lic.key"), licence).expect("the licence can be edited");
    until("the licence is read again", async || standing().await["key_id"] != before).await;
    standing().await
}

#[test]
fn a_licence_is_read_in_both_forms_and_anything_else_is_free() {
    run(async {
        let daemon = start("ELITE:first:2999-12-31", "").await;
        let client = daemon.client().await;
        let check = async |licence: &str, expected: &str, user: &str, warning: Option<&str>| {
            let standing = relicense(&daemon, &client, licence).await;
            assert_eq!(tier(&client).await, expected, "{licence:?}: on a connection that is open");
            assert_eq!(tier(&daemon.client().await).await, expected, "{licence:?}: on a new one");
            assert_eq!(standing["user_identifier"], user, "{licence:?}: {standing}");
            assert_eq!(standing["licence_tier"], expected, "{licence:?}: {standing}");
            assert_eq!(standing["is_valid"], warning.is_none(), "{licence:?}: {standing}");
            match warning {
                Some(why) => {
                    assert!(
                        standing["warning"].as_str().is_some_and(|text| text.contains(why)),
                        "{standing}"
                    );
                    daemon.logged("licence counts as FREE").await;
                }
                None => assert_eq!(standing["warning"], Value::Null, "{licence:?}"),
            }
        };
        check("PRO:ann:2999-12-31\n", "PRO", "ann", None).await;
        check("FREE:ann:2999-12-31", "FREE", "ann", None).await;
        check("# mine\nELITE : ann : 2999-12-31\n", "ELITE", "ann", None).await;
        check("tier: pro\nuser_id: bob\nexpires_at: 2999-12-31T00:00:00Z\n", "PRO", "bob", None).await;
        check(
            "{\"tier\": \"ELITE\", \"user_id\": \"cat\", \"expires_at\": \"2999-12-31\"}",
            "ELITE",
            "cat",
            None,
        )
        .await;
        check("tier: PRO\n", "PRO", "anonymous", None).await;
        check("ELITE:ann:2020-12-31", "FREE", "ann", Some("expired")).await;
        check("tier: ELITE\nuser_id: bob\nexpires_at: 2020-01-01T00:00:00Z", "FREE", "bob", Some("expired"))
            .await;
        check("GOLD:ann:2999-12-31", "FREE", "anonymous", Some("GOLD")).await;
        check("ELITE:ann:soon", "FREE", "anonymous", Some("soon")).await;
        check("tier: ELITE\nexpires_at: 2999-12-31\nadmin: true", "FREE", "anonymous", Some("admin")).await;
        check("tier: [ELITE]", "FREE", "anonymous", Some("map")).await;
        check("ELITE", "FREE", "anonymous", Some("TIER:user:YYYY-MM-DD")).await;
        check("\0\u{1}garbage", "FREE", "anonymous", Some("TIER:user:YYYY-MM-DD")).await;
        check("", "FREE", "anonymous", Some("")).await;
        check("ELITE:ann:2999-12-30", "ELITE", "ann", None).await;
    });
}

#[test]
fn without_a_licence_or_with_one_that_is_no_text_everybody_is_free() {
    run(async {
        let daemon = start("ELITE:ann:2999-12-31", "").await;
        let client = daemon.unix("gateway").await;
        assert_eq!(tier(&client).await, "ELITE");
        let file = daemon.dir().join("lic.key");
        std::fs::remove_file(&file).expect("the licence can be removed");
        until("the licence is gone", async || {
            client.ok("mcp.licence.check", json!([])).await["is_valid"] == false
        })
        .await;
        assert_eq!(tier(&client).await, "FREE");
        std::fs::write(&file, b"ELITE:ann:2999-12-31:\xff\xfe").expect("the licence can be edited");
        daemon.logged("UTF-8").await;
        assert_eq!(tier(&client).await, "FREE");
        std::fs::write(&file, "ELITE:ann:2999-12-31").expect("the licence can be edited");
        until("the licence is back", async || {
            client.ok("mcp.licence.check", json!([])).await["is_valid"] == true
        })
        .await;
        assert_eq!(tier(&client).await, "ELITE");
    });
}

#[test]
fn a_licence_that_ends_shows_nobody_what_only_its_tier_may_see() {
    run(async {
        let settings = "fs:\n  roots:\n    - { at: /, path: user_files }\n    - { at: /vault, path: vault, tiers: [ELITE] }\n";
        let setup = Setup {
            licence: Some("ELITE:ann:2999-12-31".to_owned()),
            tiers: Some(TIERS.to_owned()),
            settings: settings.to_owned(),
            ..Setup::default()
        };
        let folder = std::sync::Arc::new(tempfile::tempdir().expect("a folder for the test"));
        setup.lay_out(folder.path()).await;
        std::fs::create_dir(folder.path().join("vault")).expect("a second root");
        std::fs::write(folder.path().join("vault/secret.txt"), "secret").expect("a file in it");
        let daemon = setup.start_in(folder).await;
        let token = daemon.token_for("above", &["--tier", "ELITE"]).await;
        let clients = [
            daemon.client().await,
            daemon.unix("gateway").await,
            Client::ws(&daemon.url(), Some(&token)).await.expect("it gets in"),
        ];
        for client in &clients {
            assert!(client.ok("mcp.fs.list", json!(["/vault"])).await[0]["name"] == "secret.txt");
        }
        for (licence, expected) in [("ELITE:ann:2020-12-31", "FREE"), ("PRO:ann:2999-12-31", "PRO")] {
            relicense(&daemon, &clients[0], licence).await;
            for client in &clients {
                assert_eq!(tier(client).await, expected);
                client.code("mcp.fs.list", json!(["/vault"])).await;
                let names = client.ok("mcp.fs.list", json!(["/"])).await.to_string();
                assert!(!names.contains("vault"), "{names}");
            }
        }
    });
}

#[test]
fn an_edit_of_the_tiers_takes_effect_and_a_bad_one_does_not() {
    run(async {
        let daemon = start("PRO:ann:2999-12-31", "").await;
        let (client, file) = (daemon.client().await, daemon.dir().join("licence_tiers.yaml"));
        assert_eq!(tier(&client).await, "PRO");
        let edit = |text: &str| std::fs::write(&file, text).expect("the tiers can be edited");
        let may_write = async || client.ok("mcp.hello", json!([])).await.to_string().contains(PRO);
        edit(&TIERS.replace("PRO: {", "PRO: { denied_capabilities: [mcp.fs.write],"));
        until("the edit is in force", async || !may_write().await).await;
        assert_eq!(client.code(PRO, json!(["/a.txt", "x"])).await, -32002);

        edit("PRO:\n  rate_limit_requests: 0\n  allowed_capabilities: ['*']\n  colour: red\nELITE: 5\n");
        daemon.logged("the last good settings stay in force").await;
        daemon.logged("licence_tiers.yaml:4").await;
        daemon.logged("licence_tiers.yaml:5").await;
        assert_eq!(client.code(PRO, json!(["/a.txt", "x"])).await, -32002, "the last good one stays");
        edit("PRO: [");
        edit(TIERS);
        until("the good edit is in force", may_write).await;
        assert_eq!(tier(&client).await, "PRO");
    });
}

#[test]
fn a_token_narrows_and_never_widens() {
    run(async {
        let daemon = start("PRO:ann:2999-12-31", "").await;
        let client = async |name: &str, options: &[&str]| {
            let token = daemon.token_for(name, options).await;
            Client::ws(&daemon.url(), Some(&token)).await.expect("a new token is good at once")
        };
        assert_eq!(tier(&client("plain", &[]).await).await, "PRO");
        assert_eq!(tier(&client("lower", &["--tier", "free"]).await).await, "FREE");
        assert_eq!(tier(&client("higher", &["--tier", "ELITE", "--allow", "*"]).await).await, "PRO");
        let one = client("one", &["--allow", "mcp.fs.list", "--allow", "mcp.admin.*"]).await;
        // Whoever was let in may ask what it may do, and stop what it has begun.
        let always = ["mcp.cancel", "mcp.fs.list", "mcp.hello", "mcp.licence.check", "mcp.listCapabilities"];
        assert_eq!(one.ok("mcp.hello", json!([])).await, json!(always));
        assert!(one.ok("mcp.fs.list", json!(["/"])).await.is_array());
        for method in ["mcp.fs.read", "mcp.admin.tree"] {
            assert_eq!(one.code(method, json!({})).await, -32002, "{method}");
        }
        let told = one.ok("mcp.hello", json!({})).await;
        assert_eq!((&told["caller"], &told["tier"]), (&json!("one"), &json!("PRO")));
    });
}

#[test]
fn a_token_ends_when_it_expires_and_when_it_is_revoked() {
    run(async {
        let daemon = start("PRO:ann:2999-12-31", "").await;
        let brief = daemon.token_for("brief", &["--expires", "3s"]).await;
        let lasting = daemon.token_for("lasting", &["--expires", "2d"]).await;
        let list = daemon::text(&daemon.cli(&["token", "list"]).await.stdout);
        assert!(["brief", "lasting", "owner"].iter().all(|name| list.contains(name)), "{list}");
        assert!(
            ![&brief, &lasting, &daemon.token()].iter().any(|token| list.contains(token.as_str())),
            "{list}"
        );
        for (name, token) in [("brief", brief), ("lasting", lasting)] {
            let client = Client::ws(&daemon.url(), Some(&token)).await.expect("it is good");
            assert_eq!(client.ok("mcp.cancel", json!(["none"])).await["cancelled"], false);
            client.ok("mcp.hello", json!([])).await;
            if name == "lasting" {
                let revoked = daemon.cli(&["token", "revoke", name]).await;
                assert!(revoked.status.success(), "{}", daemon::text(&revoked.stderr));
            }
            let refused = async || {
                client.call("mcp.hello", json!([])).await.is_err_and(|error| error["code"] == -32000)
            };
            until("the open connection is refused", refused).await;
            assert!(Client::ws(&daemon.url(), Some(&token)).await.is_err(), "{name}: it no longer gets in");
        }
        let list = daemon::text(&daemon.cli(&["token", "list"]).await.stdout);
        assert!(!list.contains("lasting"), "{list}");
    });
}

#[test]
fn a_secret_is_nowhere_but_in_the_owners_hand() {
    run(async {
        let mut daemon = start("ELITE:ann:2999-12-31", "log: { level: trace }\n").await;
        let (owner, mine) = (daemon.token(), daemon.token_for("mine", &["--allow", "*"]).await);
        let client = Client::ws(&daemon.url(), Some(&mine)).await.expect("it is good");
        client.ok("mcp.fs.write", json!(["/a.txt", "x"])).await;
        let mut said = client.ok("mcp.admin.config", json!({})).await.to_string();
        said += &client.ok("mcp.admin.tree", json!({})).await.to_string();
        said += &client.ok("mcp.admin.events", json!({})).await.to_string();
        for command in [&["token", "list"][..], &["licence", "show"], &["doctor"]] {
            let output = daemon.cli(command).await;
            said += &(daemon::text(&output.stdout) + &daemon::text(&output.stderr));
        }
        let again = daemon.cli(&["token", "create", "mine"]).await;
        said += &(daemon::text(&again.stdout) + &daemon::text(&again.stderr));
        daemon.cli(&["token", "revoke", "mine"]).await;
        let refused = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Err(error) = client.call("mcp.hello", json!([])).await {
                    return error.to_string();
                }
            }
        });
        said += &refused.await.expect("a revoked token is refused");
        daemon.stop().await;
        said += &daemon.log();
        for secret in [&owner, &mine] {
            // Without the prefix that all tokens have.
            let secret = &secret[5..];
            assert!(!said.contains(secret), "{said}");
            let holders = holders(daemon.dir(), secret.as_bytes());
            let allowed: &[&str] = if owner.contains(secret) { &["token"] } else { &[] };
            assert_eq!(holders, allowed);
        }
    });
}

/// The files below `dir` that contain `secret`.
fn holders(dir: &std::path::Path, secret: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holders(&path, secret));
        } else if path.is_file() {
            let bytes = std::fs::read(&path).expect("a file");
            if bytes.windows(secret.len()).any(|window| window == secret) {
                found.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    found
}

#[test]
fn where_a_public_key_is_set_only_signed_licences_count() {
    run(async {
        let keys = tempfile::tempdir().expect("a folder for keys");
        let (mine, other) = (keys.path().join("mine"), keys.path().join("other"));
        let keygen = async |file: &std::path::Path| {
            let made = daemon::command("llmbasedos").args(["licence", "keygen"]).arg(file).output().await;
            daemon::text(&made.expect("it runs").stdout).trim().to_owned()
        };
        let (public, _) = (keygen(&mine).await, keygen(&other).await);
        let sign = async |key: &std::path::Path, tier: &str| {
            let mut command = daemon::command("llmbasedos");
            command.args(["licence", "sign", "--key"]).arg(key).args([tier, "ann", "2999-12-31"]);
            daemon::text(&command.output().await.expect("it runs").stdout).trim().to_owned()
        };
        let (good, foreign) = (sign(&mine, "PRO").await, sign(&other, "PRO").await);
        let daemon = start(&good, &format!("licence: {{ public_key: '{public}' }}\n")).await;
        let client = daemon.client().await;
        assert_eq!(tier(&client).await, "PRO");
        let signature = good.rsplit(':').next().expect("a signature");
        let check = async |licence: String, expected: &str| {
            relicense(&daemon, &client, &licence).await;
            assert_eq!(tier(&client).await, expected, "{licence}");
        };
        check("PRO:ann:2999-12-31".to_owned(), "FREE").await;
        check(good.replace("PRO", "ELITE"), "FREE").await;
        check(good.replace("ann", "bob"), "FREE").await;
        check(good.replace("2999", "3999"), "FREE").await;
        check(foreign, "FREE").await;
        check("PRO:ann:2999-12-31:nonsense".to_owned(), "FREE").await;
        check(format!("tier: PRO\nuser_id: ann\nexpires_at: '2999-12-31'\nsignature: {signature}\n"), "PRO")
            .await;
        check("tier: ELITE\nuser_id: ann\n".to_owned(), "FREE").await;
        check(sign(&mine, "ELITE").await, "ELITE").await;
        let shown = daemon::text(&daemon.cli(&["licence", "show"]).await.stdout);
        assert!(shown.contains("tier     ELITE"), "{shown}");
    });
}
