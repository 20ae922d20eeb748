//! A server of a few lines, one thread a connection: it hears a request and then does what the test says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// It listens as long as the test's process lives.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) line: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Server {
    pub(crate) fn start(act: impl Fn(&Heard, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::start_at([127, 0, 0, 1].into(), 0, act)
    }

    pub(crate) fn start_at(
        address: IpAddr,
        port: u16,
        act: impl Fn(&Heard, &mut TcpStream) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((address, port)).expect("loopback");
        let address = listener.local_addr().expect("bound");
        let heard = Arc::<Mutex<Vec<Heard>>>::default();
        let (notes, act) = (Arc::clone(&heard), Arc::new(act));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (notes, act) = (Arc::clone(&notes), Arc::clone(&act));
                thread::spawn(move || serve(stream, &notes, &*act));
            }
        });
        Self { address, heard }
    }

    /// One that answers so.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |_, stream| drop(stream.write_all(&answer)))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("no thread panicked").clone()
    }
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

fn serve(mut stream: TcpStream, notes: &Mutex<Vec<Heard>>, act: &dyn Fn(&Heard, &mut TcpStream)) {
    let Ok(copy) = stream.try_clone() else { return };
    let Some(heard) = hear(&mut BufReader::new(copy)) else { return };
    notes.lock().expect("no thread panicked").push(heard.clone());
    act(&heard, &mut stream);
}

fn hear(from: &mut BufReader<TcpStream>) -> Option<Heard> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let line = lines.first()?.clone();
    let header =
        |line: &String| line.split_once(':').map(|(a, b)| (a.to_ascii_lowercase(), b.trim().to_owned()));
    let headers: Vec<_> = lines.iter().skip(1).filter_map(header).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.and_then(|(_, length)| length.parse().ok()).unwrap_or(0)];
    from.read_exact(&mut body).ok()?;
    Some(Heard { line, headers, body: String::from_utf8(body).ok()? })
}
