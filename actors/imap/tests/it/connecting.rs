//! Who is let in, over what, and who is trusted.

use imap::{Account, Count, Error};

use crate::dovecot::{Dovecot, LIMIT};

async fn connect(server: &Dovecot, fields: &str) -> Result<usize, Error> {
    let account = Account::new(server.settings(&format!("user: alice, {fields}")), LIMIT);
    account.list_folders(Count::Nothing).await.map(|folders| folders.len())
}

#[tokio::test]
async fn every_way_to_a_server() {
    let server = Dovecot::start();
    let (imap, imaps, ca) = (server.imap, server.imaps, server.file("tls/ours.pem"));
    let pin = server.fingerprint("tls/server.pem");
    let good = format!("host: localhost, password: alice-pw, ca_file: \"{ca}\"");
    for fields in [
        format!("{good}, port: {imaps}"),
        format!("{good}, port: {imap}, starttls: true"),
        format!("host: 127.0.0.1, password: alice-pw, ca_file: \"{ca}\", port: {imaps}"),
        format!("host: localhost, password: alice-pw, port: {imaps}, certificate_sha256: \"{pin}\""),
        format!(
            "host: localhost, password: alice-pw, port: {imap}, starttls: true, certificate_sha256: \"{pin}\""
        ),
        format!("host: localhost, password: alice-pw, port: {imap}, ssl: false"),
    ] {
        assert!(connect(&server, &fields).await.is_ok_and(|folders| folders >= 4), "{fields}");
    }
}

#[tokio::test]
async fn who_is_not_trusted_is_told_nothing() {
    let server = Dovecot::start();
    let (imap, imaps) = (server.imap, server.imaps);
    let (ours, stranger) = (server.file("tls/ours.pem"), server.file("tls/stranger.pem"));
    let other_pin = server.fingerprint("tls/ours.pem");
    for fields in [
        // Signed by somebody whom nobody here knows.
        format!("host: localhost, port: {imaps}"),
        format!("host: localhost, port: {imap}, starttls: true"),
        format!("host: localhost, port: {imaps}, ca_file: \"{stranger}\""),
        // Known, and not the one that is wanted.
        format!("host: localhost, port: {imaps}, ca_file: \"{ours}\", certificate_sha256: \"{other_pin}\""),
        // Another's name.
        format!("host: ip6-localhost, port: {imaps}, ca_file: \"{ours}\""),
    ] {
        let error = connect(&server, &format!("{fields}, password: alice-pw")).await.unwrap_err();
        let untrusted = matches!(error, Error::Untrusted { .. });
        let unknown = fields.contains("ip6") && matches!(error, Error::Unreachable { .. });
        assert!(untrusted || unknown, "{fields}: {error:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_without_the_password() {
    let server = Dovecot::start();
    let (imap, imaps, ca) = (server.imap, server.imaps, server.file("tls/ours.pem"));
    let nobody = crate::dovecot::free_port();
    let check = async |fields: String, fits: fn(&Error) -> bool| {
        let account =
            Account::new(server.settings(&format!("user: alice, password: hunter2, {fields}")), LIMIT);
        let error = account.list_folders(Count::Nothing).await.unwrap_err();
        assert!(fits(&error), "{fields}: {error:?}");
        let shown = format!("{error} {error:?} {account:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    };
    let refused = |error: &Error| matches!(error, Error::Authentication { said } if said.contains("failed"));
    check(format!("host: localhost, port: {imaps}, ca_file: \"{ca}\""), refused).await;
    check(format!("host: localhost, port: {imap}, ssl: false"), refused).await;
    let unreachable = |error: &Error| matches!(error, Error::Unreachable { .. });
    check(format!("host: localhost, port: {nobody}"), unreachable).await;
    check("host: no-such-host.invalid".to_owned(), unreachable).await;
    // No TLS there: IMAP in clear.
    check(format!("host: localhost, port: {imap}"), unreachable).await;
    let unusable = |error: &Error| matches!(error, Error::Settings { why } if why.contains("nowhere.pem"));
    check(format!("host: localhost, port: {imaps}, ca_file: nowhere.pem"), unusable).await;
}

#[tokio::test]
async fn a_wrong_password_is_not_tried_again_at_once() {
    let server = Dovecot::start();
    let fields = format!("user: alice, host: 127.0.0.1, port: {}, password: wrong, ssl: false", server.imap);
    let account = Account::new(server.settings(&fields), LIMIT);
    for _ in 0..2 {
        let error = account.list_folders(Count::Nothing).await.unwrap_err();
        assert!(matches!(error, Error::Authentication { .. }), "{error:?}");
    }
    // The second answer is the first one's, and comes at once: it would have waited five seconds otherwise.
    let before = std::time::Instant::now();
    assert!(account.list_folders(Count::Nothing).await.is_err());
    assert!(before.elapsed() < std::time::Duration::from_secs(2), "{:?}", before.elapsed());
}
