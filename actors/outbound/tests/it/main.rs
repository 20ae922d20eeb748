//! Requests to small servers on loopback, most of which misbehave; names are resolved by a resolver that lies.

mod allowed;
mod answers;
mod lies;
mod redirects;
mod sent;
mod server;
mod tls;

use std::time::Duration;

use outbound::{Client, Error, Kind, Options, Policy, Request, Sent};

/// A client that may ask these.
fn client(entries: &[&str]) -> Client {
    Client::new(Policy::parse(entries).expect("a good list"), options())
}

fn options() -> Options {
    Options { deadline: Duration::from_secs(20), ..Options::default() }
}

/// What became of a request that fails.
async fn failure(client: &Client, request: &Request) -> Error {
    client.send(request).await.expect_err("it fails")
}

#[track_caller]
fn is(error: &Error, kind: Kind, sent: Sent) {
    assert_eq!((error.kind, error.sent), (kind, sent), "{error}");
}
