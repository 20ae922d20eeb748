//! A real mail server of the test's own: Dovecot, in a folder and on a port of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

/// A running Dovecot, ended by its drop. Its users are alice, bob and carol; their passwords are `alice-pw` and so on.
pub struct Dovecot {
    master: Child,
    home: TempDir,
    imaps: u16,
    /// The port where passwords go in clear, as they may on this machine.
    pub imap: u16,
}

impl Dovecot {
    /// Starts one.
    ///
    /// # Panics
    /// When it does not start: it takes root, and the package dovecot-imapd.
    pub fn start() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let free =
            || TcpListener::bind("127.0.0.1:0").and_then(|door| door.local_addr()).expect("a port").port();
        // Nobody checks tokens here.
        let (imap, imaps, oauth) = (free(), free(), 1);
        let start = concat!(env!("CARGO_MANIFEST_DIR"), "/../actors/imap/tests/dovecot/start");
        let mut master = Command::new(start)
            .arg(home.path())
            .args([imap, imaps, oauth].map(|port| port.to_string()))
            .env("OAUTH_MECHANISMS", "xoauth2 oauthbearer")
            .stderr(Stdio::piped())
            .spawn()
            .expect("bash is here");
        let log = BufReader::new(master.stderr.take().expect("its stderr is ours"));
        let (started, starting) = mpsc::channel();
        // Read to its end, or the server would wait for room in the pipe.
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if line.contains("starting up") {
                    let _ = started.send(());
                }
            }
        });
        starting.recv_timeout(Duration::from_mins(1)).expect("Dovecot starts: is dovecot-imapd installed?");
        Self { master, home, imaps, imap }
    }

    /// The account of a user as it stands in `mail_accounts.yaml`, below `accounts:`.
    pub fn account(&self, user: &str) -> String {
        self.account_with(user, "")
    }

    /// The same with more fields: `, sent_folder: Sent`.
    pub fn account_with(&self, user: &str, more: &str) -> String {
        let (port, ca) = (self.imaps, self.tls().join("ours.pem"));
        let ca = ca.display();
        format!(
            "  {user}: {{host: localhost, port: {port}, user: {user}, password: {user}-pw, \
             email: {user}@example.org, ca_file: \"{ca}\"{more}}}\n"
        )
    }

    /// The folder with its certificate (`server.pem`, `server.key`) and the authority that made it (`ours.pem`).
    pub fn tls(&self) -> std::path::PathBuf {
        self.home.path().join("tls")
    }

    /// How many messages a folder has.
    ///
    /// # Panics
    /// When the server does not say.
    pub fn messages(&self, user: &str, folder: &str) -> usize {
        self.count(user, folder, &["ALL"])
    }

    /// Puts a message into a folder, which is made if it is not there.
    ///
    /// # Panics
    /// When the server does not take it.
    pub fn deliver(&self, user: &str, folder: &str, message: &str) {
        let mut save = self
            .doveadm(&["save", "-u", user, "-m", folder])
            .stdin(Stdio::piped())
            .spawn()
            .expect("it is here");
        let mut to = save.stdin.take().expect("asked for");
        to.write_all(message.replace('\n', "\r\n").as_bytes()).expect("it reads");
        drop(to);
        assert!(save.wait().expect("it ends").success(), "the message is not taken");
    }

    /// How many messages of a folder were read.
    ///
    /// # Panics
    /// When the server does not say.
    pub fn seen(&self, user: &str, folder: &str) -> usize {
        self.count(user, folder, &["SEEN"])
    }

    /// How many messages of a folder have this in their subject.
    ///
    /// # Panics
    /// When the server does not say.
    pub fn about(&self, user: &str, folder: &str, subject: &str) -> usize {
        self.count(user, folder, &["HEADER", "SUBJECT", subject])
    }

    fn count(&self, user: &str, folder: &str, which: &[&str]) -> usize {
        let asked = self
            .doveadm(&["search", "-u", user, "mailbox", folder])
            .args(which)
            .output()
            .expect("it is here");
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
        String::from_utf8_lossy(&asked.stdout).lines().count()
    }

    fn doveadm(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("doveadm");
        command.arg("-c").arg(self.home.path().join("dovecot.conf")).args(arguments);
        command
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // Its children end with it only if it is asked.
        let _ = Command::new("kill").arg(self.master.id().to_string()).status();
        let _ = self.master.wait();
    }
}
