//! A server that says what a test tells it to: what no decent server would say.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cluster_config::Environment;
use cluster_config::mail::load_mail_accounts;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use imap::Account;

/// What it says to a command that comes without its tag: `{tag}` stands for that. `None` is the usual, and an empty text
/// closes the connection. What stands behind `{forever}` is said until nobody listens.
pub(crate) type Script = dyn Fn(&str) -> Option<String> + Send + Sync;

/// A running server; its threads end with the connections.
pub(crate) struct Fake {
    pub(crate) port: u16,
    commands: Mutex<mpsc::Receiver<String>>,
    seen: Mutex<Vec<String>>,
    connections: Arc<Mutex<usize>>,
}

impl Fake {
    /// A server with these capabilities.
    pub(crate) fn start(
        capabilities: &'static str,
        script: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self::greeting("* OK hello\r\n", capabilities, script)
    }

    /// The same with this greeting.
    pub(crate) fn greeting(
        greeting: &'static str,
        capabilities: &'static str,
        script: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, commands) = mpsc::channel();
        let connections = Arc::<Mutex<usize>>::default();
        let (script, count): (Arc<Script>, _) = (Arc::new(script), Arc::clone(&connections));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                *count.lock().unwrap() += 1;
                let (script, sender) = (Arc::clone(&script), sender.clone());
                std::thread::spawn(move || drop(serve(&stream, greeting, capabilities, &*script, &sender)));
            }
        });
        Self { port, commands: Mutex::new(commands), seen: Mutex::default(), connections }
    }

    /// An account there, with these further fields.
    pub(crate) fn account(&self, fields: &str, limit: Duration) -> Account {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("accounts.yaml");
        let port = self.port;
        let fields = format!("host: 127.0.0.1, port: {port}, user: ada, password: hunter2, {fields}");
        std::fs::write(&path, format!("accounts:\n  a: {{{fields}}}\n")).unwrap();
        let (accounts, _) = load_mail_accounts(&path, &Environment::default()).unwrap();
        Account::new(accounts.get("a").unwrap().unwrap().clone(), limit)
    }

    /// The usual one, in clear.
    pub(crate) fn clear(&self) -> Account {
        self.account("ssl: false", crate::dovecot::LIMIT)
    }

    /// Every command so far, without tags.
    pub(crate) fn seen(&self) -> Vec<String> {
        let mut seen = self.seen.lock().unwrap();
        seen.extend(self.commands.lock().unwrap().try_iter());
        seen.clone()
    }

    /// Waits for a command, so long at most.
    pub(crate) fn wait(&self, limit: Duration) {
        let next = self.commands.lock().unwrap().recv_timeout(limit);
        self.seen.lock().unwrap().extend(next);
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

fn serve(
    stream: &TcpStream,
    greeting: &str,
    capabilities: &str,
    script: &Script,
    sender: &mpsc::Sender<String>,
) -> std::io::Result<()> {
    let mut lines: Box<dyn BufRead> = Box::new(BufReader::new(stream.try_clone()?));
    let mut out: Box<dyn Write> = Box::new(stream.try_clone()?);
    out.write_all(greeting.as_bytes())?;
    loop {
        let mut line = Vec::new();
        loop {
            if lines.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            // A literal that waits for its word; the text behind it is the rest of the command.
            if !line.ends_with(b"}\r\n") || line.ends_with(b"+}\r\n") {
                break;
            }
            out.write_all(b"+ go on\r\n")?;
            out.flush()?;
        }
        let line = String::from_utf8_lossy(&line).into_owned();
        let (tag, command) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
        let _ = sender.send(command.to_owned());
        let usual = || {
            let untagged = match command.split(' ').next().unwrap_or_default() {
                "CAPABILITY" => format!("* CAPABILITY {capabilities}\r\n"),
                "EXAMINE" | "SELECT" => "* 4 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n".to_owned(),
                _ => String::new(),
            };
            format!("{untagged}{{tag}} OK done\r\n")
        };
        let answer = script(command);
        let compressed = answer.is_none() && command == "COMPRESS DEFLATE";
        let answer = answer.unwrap_or_else(usual);
        if answer.is_empty() {
            return Ok(());
        }
        let answer = answer.replace("{tag}", tag);
        let (once, again) = answer.split_once("{forever}").unwrap_or((&answer, ""));
        out.write_all(once.as_bytes())?;
        out.flush()?;
        let again = again.repeat(100_000 / again.len().max(1));
        while !again.is_empty() {
            out.write_all(again.as_bytes())?;
        }
        if compressed {
            lines = Box::new(BufReader::new(DeflateDecoder::new(stream.try_clone()?)));
            out = Box::new(DeflateEncoder::new(stream.try_clone()?, Compression::best()));
        }
    }
}
