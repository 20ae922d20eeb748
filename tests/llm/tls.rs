//! Upstreams behind TLS: who is trusted, who is not, and HTTP/2 with those who can.

use std::path::Path;

use axum::http::Version;
use futures_util::future::join_all;
use harness::upstream::Authority;
use harness::{Daemon, Play, Setup, Upstream, run};
use serde_json::{Value, json};

use crate::{asks, daemon, kind, model, stream, text};

/// A daemon that trusts who is in `roots`.
async fn trusting(models: &str, roots: &Path) -> Daemon {
    let roots = roots.to_str().expect("a plain path").to_owned();
    // Without the folder of the machine's own.
    let environment = vec![("SSL_CERT_FILE", roots), ("SSL_CERT_DIR", String::new())];
    daemon(models, Setup { environment, ..Setup::default() }).await
}

fn written(pem: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), pem).expect("it is written");
    file
}

#[test]
fn an_upstream_behind_tls_is_spoken_with_over_http_2() {
    run(async {
        let authority = Authority::new("known");
        let roots = written(authority.pem());
        let upstream = Upstream::start_tls(&authority, "127.0.0.1").await;
        let daemon = trusting(&model("small", &upstream.v1(), ", retries: 0"), roots.path()).await;
        let client = daemon.client().await;
        let whole = client.ok("mcp.llm.chat", asks(&json!({}))).await;
        assert_eq!(whole["choices"][0]["message"]["content"], "Hello from the upstream.");
        let calls = (0..20).map(async |_| client.ok("mcp.llm.chat", asks(&json!({}))).await);
        join_all(calls).await;
        let (chunks, end) = stream(&client, json!({ "stream": true })).await;
        assert_eq!((text(&chunks).as_str(), end.is_ok()), ("Hello from the upstream.", true));
        assert!(upstream.requests().iter().all(|request| request.version == Version::HTTP_2));

        // Here one stream of a connection goes wrong, or is left, and the others go on.
        for (play, kinds) in
            [(Play::pieces(5).closes_after(2), "closed"), (Play::pieces(5).stalls_after(2), "timeout")]
        {
            upstream.next(play);
            let (chunks, end) = stream(&client, json!({ "stream": true })).await;
            assert_eq!(kind(&end), kinds);
            // The upstream's reset overtakes what it had written.
            assert!("w0 w1 ".starts_with(&text(&chunks)), "{kinds}: {chunks:?}");
            client.ok("mcp.llm.chat", asks(&json!({}))).await;
        }
        let before = upstream.hung_up();
        upstream.next(Play::default().endless().slowly(std::time::Duration::from_millis(5)));
        let (id, answer) = client.begin("mcp.llm.chat", asks(&json!({ "stream": true }))).await;
        client.stray().await.expect("it has begun");
        client.ok("mcp.cancel", json!({ "id": id })).await;
        answer.await.expect_err("it was taken back");
        upstream.hangs_up(before + 1).await;
        client.ok("mcp.llm.chat", asks(&json!({}))).await;
    });
}

#[test]
fn who_cannot_show_who_it_is_gets_nothing() {
    run(async {
        let (known, unknown) = (Authority::new("known"), Authority::new("unknown"));
        let roots = written(known.pem());
        let stranger = Upstream::start_tls(&unknown, "127.0.0.1").await;
        let other = Upstream::start_tls(&known, "another.invalid").await;
        let models = [
            model("stranger", &stranger.v1(), ", retries: 0"),
            model("other", &other.v1(), ", retries: 0"),
            model("plain", &other.v1().replace("https", "http"), ", retries: 0"),
        ];
        let daemon = trusting(&models.concat(), roots.path()).await;
        let client = daemon.client().await;
        let fails = async |alias: &str| {
            let end = client.call("mcp.llm.chat", asks(&json!({ "model": alias }))).await;
            let kind = kind(&end);
            let message = end.expect_err("it fails")["message"].as_str().expect("a text").to_owned();
            (kind, message)
        };
        for (alias, says) in [("stranger", "UnknownIssuer"), ("other", "not valid for name")] {
            let (kind, message) = fails(alias).await;
            assert_eq!(kind, "connect", "{message}");
            assert!(message.contains("certificate") && message.contains(says), "{message}");
        }
        let (kind, message) = fails("plain").await;
        assert_eq!(kind, "closed", "{message}");
        assert_eq!((stranger.count(), other.count()), (0, 0), "nobody has seen a key");
    });
}

#[test]
fn without_any_certificates_models_next_door_are_still_reached() {
    run(async {
        let authority = Authority::new("known");
        let (near, far) = (Upstream::start().await, Upstream::start_tls(&authority, "127.0.0.1").await);
        let models = [
            model("near", &near.v1(), ", retries: 0, default: true"),
            model("far", &far.v1(), ", retries: 0"),
        ];
        let nobody = written("");
        let daemon = trusting(&models.concat(), nobody.path()).await;
        let client = daemon.client().await;
        client.ok("mcp.llm.chat", asks(&json!({}))).await;
        let end: Result<Value, Value> = client.call("mcp.llm.chat", asks(&json!({ "model": "far" }))).await;
        assert_eq!(kind(&end), "connect", "{end:?}");
        assert!(daemon.log().contains("SSL_CERT_FILE"), "it is said what to do: {}", daemon.log());
    });
}
