//! The connections to upstreams, made when one is first asked: what checks their certificates takes milliseconds to
//! read and two megabytes to keep, and many daemons have models that nobody asks for days.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use tokio::sync::OnceCell;

use crate::ask::root;
use crate::failure::{Failure, Kind};

/// The connections to all upstreams that wait as long for one.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Lazy>);

struct Lazy {
    /// How long to wait for a connection.
    connect: Duration,
    client: OnceCell<Client>,
}

impl Connections {
    pub(crate) fn new(connect: Duration) -> Self {
        Self(Arc::new(Lazy { connect, client: OnceCell::new() }))
    }

    /// What asks by way of them.
    ///
    /// # Errors
    /// When the daemon stops meanwhile.
    pub(crate) async fn client(&self) -> Result<&Client, Failure> {
        let Lazy { connect, client } = &*self.0;
        let connect = *connect;
        let made = || async move { tokio::task::spawn_blocking(move || build(connect)).await };
        let stopped = |_| Failure::new(Kind::Connect, "the daemon stops");
        client.get_or_try_init(made).await.map_err(stopped)
    }
}

fn build(connect: Duration) -> Client {
    // A provider that sends us elsewhere would get the key sent elsewhere.
    let builder = || {
        Client::builder()
            .connect_timeout(connect)
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(Duration::from_mins(1))
            .user_agent(concat!("llmbasedos/", env!("CARGO_PKG_VERSION")))
    };
    builder().build().unwrap_or_else(|error| {
        // Slim containers have no certificates, and their models may be next door without TLS: nobody is trusted then.
        let why = root(&error).map(ToString::to_string).unwrap_or_default();
        tracing::warn!(
            why,
            "models behind https cannot be reached: install ca-certificates, or set SSL_CERT_FILE"
        );
        builder()
            .tls_certs_only([])
            .build()
            .expect("the TLS provider is installed and nothing else can be wrong")
    })
}
