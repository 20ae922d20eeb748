//! TLS: an authority of one's own, certificates that nobody trusts, servers that have none, and no way back to http.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use outbound::{Client, Content, Kind, Options, Policy, Request, Sent};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use crate::server::Server;
use crate::{failure, is, options};

/// An authority in a file, and a server that it vouches for under these names.
struct Scene {
    folder: TempDir,
    address: SocketAddr,
}

impl Scene {
    fn start(names: &[&str], answer: &'static str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = params.self_signed(&key).expect("a certificate");
        let issuer = Issuer::new(params, key);
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let own = KeyPair::generate().expect("a key");
        let certificate =
            CertificateParams::new(names).expect("names").signed_by(&own, &issuer).expect("signed");
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join("ca.pem"), authority.pem()).expect("written");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a good pair");
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = listener.local_addr().expect("bound");
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
                let mut stream = StreamOwned::new(connection, stream);
                if stream.read(&mut [0; 4096]).is_ok() {
                    drop(stream.write_all(answer.as_bytes()));
                    stream.conn.send_close_notify();
                    drop(stream.flush());
                }
            }
        });
        Self { folder, address }
    }

    fn client(&self) -> Client {
        client_trusting(Some(self.folder.path().join("ca.pem")))
    }

    fn get(&self, host: &str) -> Request {
        Request::get(format!("https://{host}:{}/", self.address.port()))
    }
}

fn client_trusting(ca_file: Option<PathBuf>) -> Client {
    let policy = Policy::parse(["127.0.0.1", "localhost"]).expect("a good list");
    Client::new(policy, Options { ca_file, ..options() })
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn an_authority_of_ones_own() {
    let scene = Scene::start(&["localhost", "127.0.0.1"], OK);
    let client = scene.client();
    for host in ["localhost", "localhost.", "127.0.0.1"] {
        let response = client.send(&scene.get(host)).await.expect(host);
        assert_eq!(response.body, Content::Text("ok".to_owned()), "{host}");
    }
}

#[tokio::test]
async fn certificates_that_nobody_trusts() {
    let scene = Scene::start(&["localhost"], OK);
    is(&failure(&client_trusting(None), &scene.get("localhost")).await, Kind::Tls, Sent::No);
    is(&failure(&scene.client(), &scene.get("127.0.0.1")).await, Kind::Tls, Sent::No);
    let gone = client_trusting(Some(scene.folder.path().join("gone.pem")));
    is(&failure(&gone, &scene.get("localhost")).await, Kind::Tls, Sent::No);
}

#[tokio::test]
async fn a_server_without_tls() {
    let plain = Server::answering(OK);
    let scene = Scene::start(&["localhost"], OK);
    let get = Request::get(format!("https://{}/", plain.address));
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let silent = Request::get(format!("https://{}/", listener.local_addr().expect("bound")));
    let client = scene.client();
    let error = client.send_within(&silent, Duration::from_millis(300)).await.expect_err("it says nothing");
    is(&error, Kind::Timeout, Sent::No);
    // What it hears is no request, so it says nothing either, and hangs up in the end.
    let error = client.send_within(&get, Duration::from_secs(2)).await.expect_err("no TLS");
    assert!(matches!(error.kind, Kind::Tls | Kind::Timeout), "{error}");
    assert_eq!(error.sent, Sent::No);
}

#[tokio::test]
async fn never_from_https_to_http() {
    let answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n";
    let scene = Scene::start(&["localhost"], answer);
    is(&failure(&scene.client(), &scene.get("localhost")).await, Kind::Redirect, Sent::Yes);
}
