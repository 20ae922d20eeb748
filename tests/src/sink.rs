//! A real SMTP server of the test's own, which keeps what it takes.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A running server, ended by its drop.
pub struct Sink {
    server: Child,
    _stdin: Option<ChildStdin>,
    folder: TempDir,
    /// The port where TLS begins with STARTTLS.
    pub starttls: u16,
    /// The port of TLS from the first byte.
    pub tls: u16,
    /// The port without TLS.
    pub clear: u16,
}

/// A message that it took.
#[derive(Debug)]
pub struct Taken {
    /// The message.
    pub message: String,
    /// `from`, `to`, `user`, `tls`.
    pub about: Value,
}

impl Sink {
    /// Starts one, with the certificate in the folder `tls`.
    ///
    /// # Panics
    /// When it does not start: it takes python3 with venv.
    pub fn start(tls: &std::path::Path) -> Self {
        let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/sink");
        let installed = Command::new(format!("{scripts}/install")).output().expect("the script is there");
        assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        let home = String::from_utf8(installed.stdout).expect("a path");
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = Command::new(format!("{}/bin/python", home.trim()))
            .arg("-B")
            .arg(format!("{scripts}/sink.py"))
            .args([folder.path(), tls])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It warns of passwords in clear, which is what one of its ports is for.
            .stderr(Stdio::null())
            .spawn()
            .expect("Python is here");
        let stdin = server.stdin.take();
        let mut line = String::new();
        let out = server.stdout.take().expect("asked for");
        BufReader::new(out).read_line(&mut line).expect("it says where");
        let ports: Vec<u16> =
            line.split(' ').skip(1).map(|port| port.trim().parse().expect("a port")).collect();
        let [starttls, tls, clear] = ports[..] else { panic!("it did not start: {line}") };
        Self { server, _stdin: stdin, folder, starttls, tls, clear }
    }

    /// What it took, in order.
    ///
    /// # Panics
    /// When what it wrote cannot be read.
    pub fn taken(&self) -> Vec<Taken> {
        let read = |name: String| std::fs::read_to_string(self.folder.path().join(name));
        (1..)
            .map_while(|n| Some((n, read(format!("{n}.eml")).ok()?)))
            .map(|(n, message)| {
                let about = read(format!("{n}.json")).expect("it is written first");
                Taken { message, about: serde_json::from_str(&about).expect("JSON") }
            })
            .collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
