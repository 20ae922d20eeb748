//! Whom to trust: the machine's authorities, and those of a file beside them.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::error::{Error, Kind};

/// What TLS with every server begins with. Reads files.
pub(crate) fn config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let own = ca_file.map(certificates).transpose()?.unwrap_or_default();
    let verifier = verifier(own, &provider)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has suites for TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    // The one that is spoken here.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A request that is sent before the handshake is over may arrive twice.
    config.enable_early_data = false;
    Ok(Arc::new(config))
}

fn verifier(
    own: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    if let Ok(verifier) = Verifier::new_with_extra_roots(own.clone(), Arc::clone(provider)) {
        return Ok(Arc::new(verifier));
    }
    // Slim containers have no authorities: then those of the file alone, and without one nobody.
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(own);
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    let verifier = verifier.map_err(|_| {
        Error::new(
            Kind::Tls,
            "No certificate authorities are on this machine. Install ca-certificates, or set a file of them.",
        )
    })?;
    Ok(verifier)
}

/// Every certificate of a PEM file.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let failed = |why: String| Error::new(Kind::Tls, format!("Authorities in {}: {why}.", path.display()));
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let found = found.map_err(|error| failed(error.to_string()))?;
    if found.is_empty() { Err(failed("there is no PEM certificate in it".to_owned())) } else { Ok(found) }
}
