//! A registry of images in a few lines, with one image in it; the engine asks loopback without TLS.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use serde_json::json;
use sha2::{Digest as _, Sha256};

/// It serves as long as the test's process lives.
pub(crate) struct Registry {
    address: SocketAddr,
    /// Of the image's manifest.
    digest: String,
}

struct Blob {
    digest: String,
    bytes: Vec<u8>,
}

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

impl Registry {
    /// One that has `pulled:1`, which is a busybox.
    pub(crate) fn start() -> Self {
        let layer = Command::new("tar").args(["-C", "/bin", "-c", "busybox"]).output().expect("tar");
        let layer = Blob::new(layer.stdout);
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
        let rootfs = json!({ "type": "layers", "diff_ids": [layer.digest] });
        let config = json!({ "architecture": architecture, "os": "linux", "config": {}, "rootfs": rootfs });
        let config = Blob::new(config.to_string().into_bytes());
        let described = |blob: &Blob, media: &str| json!({ "mediaType": media, "size": blob.bytes.len(), "digest": blob.digest });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described(&config, "application/vnd.docker.container.image.v1+json"),
            "layers": [described(&layer, "application/vnd.docker.image.rootfs.diff.tar.gzip")],
        });
        let manifest = Blob::new(manifest.to_string().into_bytes());
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = listener.local_addr().expect("bound");
        let digest = manifest.digest.clone();
        let blobs = Arc::new([manifest, config, layer]);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let blobs = Arc::clone(&blobs);
                thread::spawn(move || serve(&stream, &*blobs));
            }
        });
        Self { address, digest }
    }

    pub(crate) fn tagged(&self) -> String {
        format!("{}/pulled:1", self.address)
    }

    pub(crate) fn pinned(&self) -> String {
        format!("{}/pulled@{}", self.address, self.digest)
    }
}

impl Blob {
    fn new(bytes: Vec<u8>) -> Self {
        let digits: Vec<String> = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { digest: format!("sha256:{}", digits.concat()), bytes }
    }
}

fn serve(stream: &TcpStream, blobs: &[Blob]) {
    let mut from = BufReader::new(stream);
    // The engine tries TLS first, and waits long for who does not understand it.
    if from.fill_buf().is_ok_and(|bytes| bytes.first() == Some(&0x16)) {
        return;
    }
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if from.read_line(&mut head).is_ok_and(|read| read == 0) {
                return;
            }
        }
        let mut words = head.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let name = path.rsplit('/').next().unwrap_or_default();
        let found = match name {
            "1" => blobs.first(),
            name => blobs.iter().find(|blob| blob.digest == name),
        };
        let media = if path.contains("/manifests/") { MANIFEST } else { "application/octet-stream" };
        let (status, bytes, digest) = match found {
            Some(blob) => ("200 OK", &*blob.bytes, &*blob.digest),
            None if path == "/v2/" => ("200 OK", &b"{}"[..], ""),
            None => ("404 Not Found", &b"{}"[..], ""),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nDocker-Content-Digest: {digest}\r\nContent-Length: {}\r\n\r\n",
            bytes.len()
        );
        let body = if method == "HEAD" { &[] } else { bytes };
        let mut to = stream;
        if to.write_all(head.as_bytes()).and_then(|()| to.write_all(body)).is_err() {
            return;
        }
    }
}
