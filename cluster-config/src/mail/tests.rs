//! What a file of mail accounts may say.

use proptest::prelude::*;

use super::*;
use crate::Environment;

fn load(text: &str, variables: &[(&str, &str)]) -> Result<(MailAccounts, Vec<String>), Mistakes> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mail_accounts.yaml");
    std::fs::write(&path, text).unwrap();
    std::fs::write(directory.path().join("secret"), "from a file\n").unwrap();
    load_mail_accounts(&path, &Environment::of(variables.iter().copied()))
}

/// The account `a` of a file that has nothing else.
fn account(fields: &str) -> Result<MailAccount, String> {
    let text =
        format!("accounts:\n  a: {{host: h.example, user: ada, password: \"file:secret\", {fields}}}\n");
    let (accounts, _) = load(&text, &[]).unwrap();
    let account = accounts.get("a").unwrap();
    account.cloned().map_err(ToString::to_string)
}

#[test]
fn what_is_left_out_follows_from_the_rest() {
    let plain = account("").unwrap();
    assert_eq!((plain.security(), plain.port, plain.smtp_port), (Security::Tls, 993, 587));
    assert_eq!((plain.email.as_str(), plain.smtp_user.as_str()), ("ada", "ada"));
    assert_eq!(plain.password.as_ref().unwrap().expose(), "from a file");
    assert_eq!(plain.smtp_secret().unwrap().expose(), "from a file");
    assert!(plain.recipients.is_empty() && plain.idle_folders.is_empty());
    for (fields, security, port) in [
        ("starttls: true", Security::StartTls, 143),
        ("ssl: false, starttls: true", Security::StartTls, 143),
        ("ssl: true, port: 1993", Security::Tls, 1993),
        ("ssl: false, allow_plaintext: true", Security::Clear, 143),
    ] {
        let account = account(fields).unwrap();
        assert_eq!((account.security(), account.port), (security, port), "{fields}");
    }
    assert_eq!(account("smtp_use_ssl: true").unwrap().smtp_port, 465);
}

#[test]
fn a_file_may_have_none() {
    for text in ["", "accounts:\n", "# nothing\n"] {
        assert!(load(text, &[]).unwrap().0.is_empty(), "{text:?}");
    }
    let nowhere = load_mail_accounts(std::path::Path::new("/nowhere/a.yaml"), &Environment::default());
    assert!(nowhere.unwrap().0.is_empty());
}

#[test]
fn one_that_is_wrong_hides_no_other() {
    let text = "accounts:
  good: {host: h, user: u, password: \"${PW}\"}
  typo:
    host: h
    user: u
    password: ${PW}
    prot: 993
  clear: {host: h, user: u, password: \"${PW}\", ssl: false}
  both: {host: h, user: u, password: \"${PW}\", ssl: true, starttls: true}
  bare:
  unset: {host: h, user: u, password: \"${NONE}\"}
  token: {host: h, user: u, auth_type: oauth2, oauth: {preset: gmail}}
  \"a b\": {host: \"imaps://h\", user: u, password: x, certificate_sha256: abc}
";
    let (accounts, warnings) = load(text, &[("PW", "hunter2")]).unwrap();
    let of = |id: &str| accounts.get(id).unwrap().map(|account| account.password.clone());
    assert_eq!(of("good").unwrap().unwrap().expose(), "hunter2");
    let wrong = accounts.iter().filter_map(|(_, account)| account.err().map(ToString::to_string));
    let mut wrong: Vec<String> =
        wrong.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    wrong.sort_by_key(|line| {
        line.split(':').nth(1).and_then(|line| line.parse::<u32>().ok()).expect("every mistake has a line")
    });
    let expected = [
        "mail_accounts.yaml:7: accounts.typo.prot: unknown key `prot`; did you mean `port`?",
        "mail_accounts.yaml:8: accounts.clear.ssl: would send the password in clear over a network; turn `starttls` \
         on, or say `allow_plaintext: true` if everybody on the way may read it",
        "mail_accounts.yaml:9: accounts.both.starttls: cannot be on with `ssl`, which encrypts from the first byte",
        "mail_accounts.yaml:10: accounts.bare: needs `host`: The IMAP server: a name or an address",
        "mail_accounts.yaml:10: accounts.bare: needs `user`: The name to log in with",
        "mail_accounts.yaml:10: accounts.bare: needs `password`, or `auth_type: oauth2`",
        "mail_accounts.yaml:11: accounts.unset.password: the environment variable NONE is not set; set it, or write \
         `file:PATH` and keep the secret there",
        "mail_accounts.yaml:12: accounts.token.oauth: needs `client_id` for `auth_type: oauth2`",
        "mail_accounts.yaml:12: accounts.token.oauth: needs `refresh_token` for `auth_type: oauth2`",
        "mail_accounts.yaml:13: accounts.a b: `a b` cannot be an id: 1 to 64 letters, digits and . _ -",
        "mail_accounts.yaml:13: accounts.a b.certificate_sha256: must be text of 64 to 95 characters, not `abc`",
        "mail_accounts.yaml:13: accounts.a b.host: must be a name or an address, without a scheme, a port or a path",
    ];
    assert_eq!(wrong, expected);
    let clear = "mail_accounts.yaml:13: accounts.a b.password: stands here in clear; write `${NAME}` or `file:PATH` instead";
    assert_eq!(warnings, [clear]);
}

#[test]
fn the_file_as_a_whole() {
    for (text, expected) in [
        ("- a\n", "mail_accounts.yaml:1: must be a mapping: `accounts:` and below it ids"),
        ("accounts: [a]\n", "mail_accounts.yaml:1: accounts: must be a mapping of ids to accounts"),
        (
            "acounts: {}\n",
            "mail_accounts.yaml:1: acounts: is not known here; accounts stand below `accounts:`",
        ),
    ] {
        assert_eq!(load(text, &[]).unwrap_err().to_string(), expected);
    }
}

#[test]
fn clear_text_only_at_home_or_on_purpose() {
    for (host, is_home) in [
        ("localhost", true),
        ("127.0.0.1", true),
        ("::1", true),
        ("127.9.9.9", true),
        ("localhost.example", false),
        ("10.0.0.1", false),
    ] {
        let text = format!("accounts:\n  a: {{host: \"{host}\", user: u, password: p, ssl: false}}\n");
        let (accounts, _) = load(&text, &[]).unwrap();
        assert_eq!(accounts.get("a").unwrap().is_ok(), is_home, "{host}");
    }
    let smtp = account("smtp_host: s.example, smtp_use_tls: false").unwrap_err();
    assert!(smtp.contains("accounts.a.smtp_use_tls: would send the password in clear"), "{smtp}");
}

#[test]
fn tokens_come_from_where_nobody_listens() {
    let with = |endpoint: &str| {
        account(&format!(
            "auth_type: oauth2, oauth: {{token_endpoint: \"{endpoint}\", client_id: c, refresh_token: \"file:secret\"}}"
        ))
    };
    for endpoint in ["https://a.example/t", "http://localhost:80/t", "http://127.0.0.1/t", "http://[::1]:8/t"]
    {
        assert!(with(endpoint).is_ok(), "{endpoint}: {:?}", with(endpoint));
    }
    for endpoint in ["http://a.example/t", "ftp://a", "a.example", "https://u:hunter2@a/t", "https:///t"] {
        let error = with(endpoint).unwrap_err();
        assert!(error.contains("oauth.token_endpoint: must"), "{endpoint}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let gmail =
        account("auth_type: oauth2, oauth: {preset: gmail, client_id: c, refresh_token: \"file:secret\"}");
    assert_eq!(gmail.unwrap().oauth.scope, "https://mail.google.com/");
}

#[test]
fn pins_are_read_as_openssl_prints_them() {
    let bytes: Vec<String> = (0..32).map(|n| format!("{n:02X}")).collect();
    let expected: Vec<u8> = (0..32).collect();
    for text in [bytes.concat(), bytes.join(":"), bytes.concat().to_lowercase()] {
        let account = account(&format!("certificate_sha256: \"{text}\"")).unwrap();
        assert_eq!(account.pinned().unwrap().to_vec(), expected);
    }
    assert!(account(&format!("certificate_sha256: {}", "xy".repeat(32))).is_err());
}

#[test]
fn nothing_shows_a_secret() {
    let text = "accounts:\n  a: {host: h, user: u, password: hunter2, oauth: {refresh_token: hunter2}}\n";
    let (accounts, warnings) = load(text, &[]).unwrap();
    let account = accounts.get("a").unwrap().unwrap();
    let shown = format!("{account:?} {} {warnings:?}", serde_json::to_string(account).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn the_shipped_examples_are_accounts() {
    let shipped = include_str!("../../defaults/mail_accounts.yaml");
    assert!(load(shipped, &[]).unwrap().0.is_empty(), "nothing is configured as it is laid out");
    let examples = shipped.lines().filter_map(|line| line.strip_prefix('#'));
    let examples = examples.filter(|line| line.starts_with("accounts:") || line.starts_with("  "));
    let examples = examples.collect::<Vec<_>>().join("\n");
    let secrets = ["MAIL_PERSONAL_PASSWORD", "MAIL_GOOGLE_CLIENT_SECRET", "MAIL_GOOGLE_REFRESH_TOKEN"]
        .map(|name| (name, "x"));
    let (accounts, warnings) = load(&examples, &secrets).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    let found: Vec<_> = accounts.iter().map(|(id, account)| (id, account.map(|_| ()))).collect();
    assert_eq!(found, [("google", Ok(())), ("personal", Ok(()))]);
}

/// Text that is nearly a file of accounts.
fn nearly_accounts() -> impl Strategy<Value = String> {
    let words = [
        "accounts", "a", "host", "user", "password", "ssl", "starttls", "oauth", "preset", "gmail", "port",
        "${X", "${X}", "file:x", ":", ": ", "- ", "\n", "\n  ", "\n    ", "{", "}", "[", "]", ",", "&a",
        "*a", "\"", "0", "-1", "true", "null",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..60).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// No text makes reading panic, and whatever is wrong is said in words, at a line that exists.
    #[test]
    fn any_text_is_accounts_or_mistakes(text in prop_oneof![any::<String>(), nearly_accounts()]) {
        let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
        let mistakes = match load(&text, &[]) {
            Err(mistakes) => mistakes.0,
            Ok((accounts, _)) => {
                accounts.iter().filter_map(|(_, account)| account.err()).flat_map(|all| all.0.clone()).collect()
            }
        };
        for mistake in mistakes {
            prop_assert!(mistake.line.is_none_or(|line| (1..=lines + 1).contains(&line)), "{mistake}");
            prop_assert!(!mistake.message.is_empty() && !mistake.to_string().contains('\n'), "{mistake}");
        }
    }
}
