//! The real rclone: Debian's and a current one, and servers made with it, each in a folder and on a port of its own.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Which rclone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rclone {
    /// Debian's package: 1.60.
    Debian,
    /// The one of tests/sync/requirements.txt.
    Current,
}

impl Rclone {
    /// Its program.
    ///
    /// # Panics
    /// When it is not installed: `.ci/run` installs Debian's, and the script of the tests the current one.
    pub fn program(self) -> &'static Path {
        static DEBIAN: OnceLock<PathBuf> = OnceLock::new();
        static CURRENT: OnceLock<PathBuf> = OnceLock::new();
        match self {
            Self::Debian => DEBIAN.get_or_init(|| {
                let path = PathBuf::from("/usr/bin/rclone");
                assert!(path.exists(), "rclone is not installed: apt-get install rclone");
                path
            }),
            Self::Current => CURRENT.get_or_init(|| {
                let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("sync/install");
                let installed = Command::new(script).output().expect("the script is there");
                let said = String::from_utf8_lossy(&installed.stderr);
                assert!(installed.status.success(), "a current rclone is not installed:\n{said}");
                String::from_utf8(installed.stdout).expect("a path").trim().into()
            }),
        }
    }

    /// `rclone`, in an environment that says nothing to it.
    pub fn command(self) -> Command {
        let mut command = Command::new(self.program());
        command.env_clear().env("HOME", "/nonexistent").env("RCLONE_CONFIG", "/nonexistent/rclone.conf");
        command
    }

    /// A password as its configuration has it.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn obscure(self, password: &str) -> String {
        let made = self.command().args(["obscure", password]).output().expect("rclone runs");
        String::from_utf8(made.stdout).expect("text").trim().to_owned()
    }
}

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// `WebDAV`, to read and to write.
    Webdav,
    /// SFTP, to read and to write.
    Sftp,
    /// HTTP, to read.
    Http,
}

/// A running server; its drop ends it.
pub struct Server {
    child: Option<Child>,
    home: TempDir,
    port: u16,
    served: Served,
    looks: &'static str,
}

/// Who gets in.
const USER: &str = "sync";
const PASSWORD: &str = "sEcReT-of-the-server";

impl Server {
    /// Serves an empty folder, and sees at once what is changed in it beside the server.
    pub fn start(served: Served) -> Self {
        Self::with(served, "--dir-cache-time=0s")
    }

    /// Serves an empty folder in which nobody else changes anything: its server need not look at it again and again,
    /// which takes most of its time when there are many files.
    pub fn alone(served: Served) -> Self {
        Self::with(served, "--dir-cache-time=1h")
    }

    fn with(served: Served, looks: &'static str) -> Self {
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|door| door.local_addr()).expect("a port").port();
        let home = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(home.path().join("served")).expect("a folder");
        let mut server = Self { child: None, home, port, served, looks };
        server.again();
        server
    }

    /// Begins to serve, on the same port.
    ///
    /// # Panics
    /// When it does not.
    pub fn again(&mut self) {
        let word = match self.served {
            Served::Webdav => "webdav",
            Served::Sftp => "sftp",
            Served::Http => "http",
        };
        let child = Rclone::Current
            .command()
            .args(["serve", word, self.looks, "--addr"])
            .arg(format!("127.0.0.1:{}", self.port))
            .args(["--user", USER, "--pass", PASSWORD])
            .arg(self.folder())
            .env("HOME", self.home.path())
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("rclone runs");
        self.child = Some(child);
        // It does not say when it listens.
        let until = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < until, "the server starts");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Goes away, at once.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Its process.
    ///
    /// # Panics
    /// When it is not there.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// The folder that it serves.
    pub fn folder(&self) -> PathBuf {
        self.home.path().join("served")
    }

    /// The remote of this name, as it stands in rclone's configuration.
    pub fn remote(&self, name: &str) -> String {
        let (port, password) = (self.port, Rclone::Current.obscure(PASSWORD));
        match self.served {
            Served::Webdav => format!(
                "[{name}]\ntype = webdav\nurl = http://127.0.0.1:{port}\nvendor = other\nuser = {USER}\npass = {password}\n"
            ),
            Served::Sftp => {
                format!(
                    "[{name}]\ntype = sftp\nhost = 127.0.0.1\nport = {port}\nuser = {USER}\npass = {password}\n"
                )
            }
            Served::Http => {
                format!("[{name}]\ntype = http\nurl = http://{USER}:{PASSWORD}@127.0.0.1:{port}\n")
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
