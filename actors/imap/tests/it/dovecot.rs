//! A Dovecot of the test's own, started by `tests/dovecot/start` in a folder of its own and ended with the test.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use cluster_config::Environment;
use cluster_config::mail::{MailAccount, load_mail_accounts};
use imap::{Account, Flag};
use tempfile::TempDir;

use crate::tokens::Tokens;

/// How long commands are waited for where nothing is broken: the machine may be busy.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A running server.
pub(crate) struct Dovecot {
    master: Child,
    home: TempDir,
    pub(crate) imap: u16,
    pub(crate) imaps: u16,
    pub(crate) tokens: Tokens,
    files: AtomicUsize,
    options: Options,
}

/// What is not the same for all of them.
#[derive(Clone, Copy)]
struct Options {
    /// How tokens are shown.
    mechanisms: &'static str,
    /// Whether what is said may be compressed: `yes` or `no`.
    compress: &'static str,
}

impl Dovecot {
    pub(crate) fn start() -> Self {
        Self::start_with("xoauth2 oauthbearer")
    }

    /// The same with these ways to log in with a token.
    pub(crate) fn start_with(mechanisms: &'static str) -> Self {
        Self::start_as(Options { mechanisms, compress: "yes" })
    }

    /// One that compresses nothing: for a proxy that looks at lines.
    pub(crate) fn start_in_lines() -> Self {
        Self::start_as(Options { mechanisms: "xoauth2 oauthbearer", compress: "no" })
    }

    fn start_as(options: Options) -> Self {
        let home = tempfile::tempdir().unwrap();
        let tokens = Tokens::start();
        let (imap, imaps) = (free_port(), free_port());
        let (mut master, starting) = spawn(home.path(), imap, imaps, tokens.port, options);
        if starting.recv_timeout(Duration::from_mins(1)).is_err() {
            drop(master.kill());
            panic!("Dovecot does not start: is dovecot-imapd installed, and is this root?");
        }
        Self { master, home, imap, imaps, tokens, files: AtomicUsize::new(0), options }
    }

    /// The server's folder.
    pub(crate) fn file(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }

    /// What an account's settings are with these fields, as they are read from a file.
    pub(crate) fn settings(&self, fields: &str) -> MailAccount {
        // A file for each: tests ask for several at once.
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let path = self.home.path().join(format!("accounts-{number}.yaml"));
        std::fs::write(&path, format!("accounts:\n  a: {{{fields}}}\n")).unwrap();
        let (accounts, _) = load_mail_accounts(&path, &Environment::default()).unwrap();
        accounts.get("a").unwrap().cloned().unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// A user's account, over TLS.
    pub(crate) fn account(&self, user: &str) -> Account {
        let (port, ca) = (self.imaps, self.file("tls/ours.pem"));
        let fields =
            format!("host: localhost, port: {port}, user: {user}, password: {user}-pw, ca_file: \"{ca}\"");
        Account::new(self.settings(&fields), LIMIT)
    }

    /// The same in clear, through whatever is at `port`.
    pub(crate) fn account_at(&self, user: &str, port: u16, limit: Duration) -> Account {
        let fields = format!("host: 127.0.0.1, port: {port}, user: {user}, password: {user}-pw, ssl: false");
        Account::new(self.settings(&fields), limit)
    }

    /// The server's own tool, for what the client cannot do.
    pub(crate) fn doveadm(&self, arguments: &[&str]) -> String {
        let done = Command::new("doveadm")
            .arg("-c")
            .arg(self.file("dovecot.conf"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Puts the messages of a file in mbox format into a user's inbox.
    pub(crate) fn import(&self, user: &str, mbox: &str) {
        let folder = self.file("mail/import");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(format!("{folder}/inbox"), mbox).unwrap();
        let given = Command::new("chown").args(["-R", "mail:mail", &folder]).status().unwrap();
        assert!(given.success(), "the server's user reads it, and locks it");
        let from = format!("mbox:{folder}:INBOX={folder}/inbox");
        self.doveadm(&["import", "-u", user, &from, "", "mailbox", "INBOX", "all"]);
    }

    /// Ends it and starts it again, on the same ports with the same mail.
    pub(crate) fn restart(&mut self) {
        stop(&mut self.master);
        let (master, starting) =
            spawn(self.home.path(), self.imap, self.imaps, self.tokens.port, self.options);
        self.master = master;
        starting.recv_timeout(Duration::from_mins(1)).expect("it starts again");
    }

    /// The certificate's SHA-256, as openssl prints it.
    pub(crate) fn fingerprint(&self, certificate: &str) -> String {
        let done = Command::new("openssl")
            .args(["x509", "-noout", "-fingerprint", "-sha256", "-in", &self.file(certificate)])
            .output()
            .unwrap();
        let printed = String::from_utf8(done.stdout).unwrap();
        printed.trim().split_once('=').unwrap().1.to_owned()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        stop(&mut self.master);
    }
}

fn spawn(home: &Path, imap: u16, imaps: u16, oauth: u16, options: Options) -> (Child, mpsc::Receiver<()>) {
    let start = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dovecot/start");
    let mut master = Command::new(start)
        .arg(home)
        .args([imap, imaps, oauth].map(|port| port.to_string()))
        .env("OAUTH_MECHANISMS", options.mechanisms)
        .env("COMPRESS", options.compress)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = BufReader::new(master.stderr.take().unwrap());
    let (started, starting) = mpsc::channel();
    // Read to its end, or the server would wait for room in the pipe.
    std::thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            if line.contains("starting up") {
                let _ = started.send(());
            } else if line.contains("Error") || line.contains("Fatal") || line.contains("Panic") {
                eprintln!("{line}");
            }
        }
    });
    (master, starting)
}

fn stop(master: &mut Child) {
    // Its children end with it only if it is asked.
    drop(Command::new("kill").arg(master.id().to_string()).status());
    drop(master.wait());
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A message with this subject and text.
pub(crate) fn message(subject: &str, text: &str) -> Bytes {
    let head = "From: Ada <ada@example.org>\r\nTo: Charles <charles@example.org>\r\n";
    let id = id(subject);
    let rest = format!(
        "Subject: {subject}\r\nMessage-ID: <{id}@example.org>\r\nDate: Sun, 1 Nov 2026 10:00:00 +0000\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
    );
    Bytes::from(format!("{head}{rest}"))
}

/// What stands for this subject in a Message-ID.
pub(crate) fn id(subject: &str) -> String {
    subject.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// A message with an attachment.
pub(crate) fn with_attachment(subject: &str, content: &[u8]) -> Bytes {
    use base64::Engine as _;
    let content = base64::engine::general_purpose::STANDARD.encode(content);
    let lines: Vec<_> =
        content.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    Bytes::from(format!(
        "From: Ada <ada@example.org>\r\nDate: Sun, 1 Nov 2026 10:00:00 +0000\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee attached.\r\n\
         --b\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"a.pdf\"\r\n\r\n{}\r\n--b--\r\n",
        lines.join("\r\n")
    ))
}

/// Puts messages into a folder, each with its number as the subject; their UIDs.
pub(crate) async fn fill(account: &Account, folder: &str, count: usize) -> Vec<u32> {
    let mut uids = Vec::new();
    for n in 0..count {
        let message = message(&format!("number {n}"), &format!("text {n}"));
        let flags: &[Flag] = if n % 2 == 0 { &[] } else { &[Flag::Flagged] };
        uids.push(account.append(folder, flags, None, message).await.unwrap().unwrap().uid);
    }
    uids
}
