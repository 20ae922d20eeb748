//! Tokens instead of passwords.

use imap::{Account, Count, Error};

use crate::dovecot::{Dovecot, LIMIT};

/// Whether an error is the right one.
type Fits = fn(&Error) -> bool;

fn account(server: &Dovecot) -> Account {
    let (imap, tokens) = (server.imap, server.tokens.port);
    let oauth = format!(
        "{{token_endpoint: \"http://127.0.0.1:{tokens}/token\", client_id: me & you, client_secret: hunter1, \
         refresh_token: hunter2, scope: \"a b\"}}"
    );
    let fields =
        format!("host: 127.0.0.1, port: {imap}, ssl: false, user: alice, auth_type: oauth2, oauth: {oauth}");
    Account::new(server.settings(&fields), LIMIT)
}

#[tokio::test]
async fn both_ways_to_show_a_token() {
    for mechanism in ["xoauth2", "oauthbearer", "xoauth2 oauthbearer"] {
        let server = Dovecot::start_with(mechanism);
        server.tokens.give("token-1", 3600);
        let account = account(&server);
        assert!(account.list_folders(Count::Nothing).await.is_ok(), "{mechanism}");
        assert_eq!(account.access_token().await.unwrap().unwrap().expose(), "token-1");
        let form = "grant_type=refresh_token&client_id=me+%26+you&refresh_token=hunter2&client_secret=hunter1&scope=a+b";
        assert_eq!(server.tokens.asked(), [form], "it is asked for once");
    }
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_replaced_once() {
    let server = Dovecot::start();
    server.tokens.give("token-1", 3600);
    let account = account(&server);
    account.list_folders(Count::Nothing).await.unwrap();
    // The first one is revoked, and the connection goes with it.
    server.tokens.give("token-2", 3600);
    server.doveadm(&["kick", "alice"]);
    // It may take the server a moment to close it.
    let again = async {
        while server.tokens.asked().len() < 2 {
            account.list_folders(Count::Nothing).await.unwrap();
        }
    };
    tokio::time::timeout(LIMIT, again).await.expect("the connection is closed");
    assert_eq!(account.access_token().await.unwrap().unwrap().expose(), "token-2");
    assert_eq!(server.tokens.asked().len(), 2);
}

#[tokio::test]
async fn what_is_wrong_with_tokens() {
    let server = Dovecot::start();
    let refused = |error: &Error| matches!(error, Error::Authentication { .. });
    let unreachable = |error: &Error| matches!(error, Error::Unreachable { .. });
    let cases: [(u16, &str, Fits); 6] = [
        (400, r#"{"error": "invalid_grant", "error_description": "revoked"}"#, refused),
        (500, "no", unreachable),
        (429, r#"{"error": "slow_down"}"#, unreachable),
        (200, "{}", unreachable),
        (200, "<html>", unreachable),
        // A token that the mail server does not take.
        (200, r#"{"access_token": "hunter3"}"#, refused),
    ];
    for (status, answer, fits) in cases {
        server.tokens.state.lock().unwrap().answer = (status, answer.to_owned());
        let account = account(&server);
        let error = account.list_folders(Count::Nothing).await.unwrap_err();
        assert!(fits(&error), "{answer}: {error:?}");
        let shown = format!("{error} {error:?} {account:?}");
        assert!(!shown.contains("hunter"), "{shown}");
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_replaced_is_used_from_then_on() {
    let server = Dovecot::start();
    server.tokens.give("token-1", 1);
    server.tokens.state.lock().unwrap().answer.1 =
        r#"{"access_token": "token-1", "expires_in": 1, "refresh_token": "newer"}"#.to_owned();
    let account = account(&server);
    account.access_token().await.unwrap();
    account.access_token().await.unwrap();
    let asked = server.tokens.asked();
    assert_eq!(asked.len(), 2, "a token in its last minute is not used");
    assert!(
        asked[0].contains("refresh_token=hunter2") && asked[1].contains("refresh_token=newer"),
        "{asked:?}"
    );
}

/// A refresh token that is kept for longer than the account.
#[derive(Debug, Default)]
struct Kept(std::sync::Mutex<Option<cluster_config::Secret>>);

impl imap::KeepsToken for Kept {
    fn kept(&self) -> Option<cluster_config::Secret> {
        self.0.lock().unwrap().clone()
    }

    fn keep(&self, token: &cluster_config::Secret) -> std::io::Result<()> {
        *self.0.lock().unwrap() = Some(token.clone());
        Ok(())
    }
}

#[tokio::test]
async fn a_newer_refresh_token_outlasts_the_account() {
    let server = Dovecot::start();
    let kept = std::sync::Arc::<Kept>::default();
    let rotated = r#"{"access_token": "token-1", "expires_in": 3600, "refresh_token": "hunter9"}"#;
    server.tokens.give("token-1", 3600);
    server.tokens.state.lock().unwrap().answer = (200, rotated.to_owned());
    let first = account(&server).with_tokens_kept(kept.clone());
    first.list_folders(Count::Nothing).await.unwrap();
    drop(first);
    let second = account(&server).with_tokens_kept(kept.clone());
    second.list_folders(Count::Nothing).await.unwrap();
    let asked = server.tokens.asked();
    assert!(
        asked[0].contains("refresh_token=hunter2") && asked[1].contains("refresh_token=hunter9"),
        "{asked:?}"
    );
    // Its owner agreed anew, and the newer one is taken no more: the settings' own is tried before it is given up.
    server.tokens.state.lock().unwrap().answer = (400, r#"{"error": "invalid_grant"}"#.to_owned());
    let third = account(&server).with_tokens_kept(kept);
    assert!(third.list_folders(Count::Nothing).await.is_err());
    let asked = server.tokens.asked();
    assert!(asked[2].contains("=hunter9") && asked[3].contains("=hunter2"), "{asked:?}");
}
