//! Who gives and checks tokens: a server of some lines that answers `/token` (RFC 6749) and `/introspect` (RFC 7662).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What it gives, and what it was asked.
#[derive(Default)]
pub(crate) struct State {
    /// The answer to the next requests for a token: status and JSON.
    pub(crate) answer: (u16, String),
    /// The forms that came.
    pub(crate) asked: Vec<String>,
    /// Tokens that are good, and whose they are.
    pub(crate) good: Vec<(String, String)>,
}

/// A running server; its thread ends with the process.
pub(crate) struct Tokens {
    pub(crate) port: u16,
    pub(crate) state: Arc<Mutex<State>>,
}

impl Tokens {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || drop(answer(stream, &shared)));
            }
        });
        Self { port, state }
    }

    /// From now on `token` is alice's, and is what is given, for so many seconds.
    pub(crate) fn give(&self, token: &str, seconds: u32) {
        let mut state = self.state.lock().unwrap();
        state.good = vec![(token.to_owned(), "alice".to_owned())];
        state.answer = (200, format!("{{\"access_token\": \"{token}\", \"expires_in\": {seconds}}}"));
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let (mut first, mut length, mut bearer) = (String::new(), 0, String::new());
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let (name, value) = line.split_once(':').unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap(),
                "authorization" => value.trim().trim_start_matches("Bearer ").clone_into(&mut bearer),
                _ => {}
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        let (status, answer) = {
            let mut state = state.lock().unwrap();
            if first.contains("/token") {
                state.asked.push(body);
                state.answer.clone()
            } else {
                let told = body.split('&').find_map(|field| field.strip_prefix("token="));
                let token = told.unwrap_or(&bearer);
                let user = state.good.iter().find(|(good, _)| good == token).map(|(_, user)| user.clone());
                let active = user.is_some();
                (200, format!("{{\"active\": \"{active}\", \"username\": \"{}\"}}", user.unwrap_or_default()))
            }
        };
        write!(
            writer,
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        )?;
    }
}
