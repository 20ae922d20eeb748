//! A line to a server that breaks when it is told: at a line of the client's, in one of several ways, once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use supervisor::Tasks;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How a line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is cut before the server has read the line.
    CutBefore,
    /// It is cut when the server has, and before its answer is there.
    CutAfter,
    /// Nothing comes any more.
    Stall,
    /// Nor does anything go there any more, that line being the first.
    #[allow(dead_code, reason = "the other program that has this file uses it")]
    Hold,
    /// The server's answer is other bytes.
    Garble,
}

/// A proxy before a server.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<State>,
    tasks: Tasks,
}

#[derive(Default)]
struct State {
    /// How many lines from now on, and what then.
    armed: Mutex<Option<(usize, Fault)>>,
    open: watch::Sender<usize>,
    closed: watch::Sender<bool>,
    open_max: AtomicUsize,
}

impl Proxy {
    /// Before the server at `server`.
    pub(crate) async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<State>::default();
        let tasks = Tasks::named("proxy");
        let shared = Arc::clone(&state);
        tasks.spawn(async move {
            let connections = Tasks::named("connections");
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(connection(client, server, Arc::clone(&shared)));
            }
        });
        Self { port, state, tasks }
    }

    /// Breaks at the client's `line`th line from now on, 1 being the next.
    pub(crate) fn arm(&self, line: usize, fault: Fault) {
        *self.state.armed.lock().unwrap() = Some((line, fault));
    }

    /// Whether it broke, or nothing was to.
    #[allow(dead_code, reason = "the other program that has this file uses it")]
    pub(crate) fn is_through(&self) -> bool {
        self.state.armed.lock().unwrap().is_none()
    }

    /// Whether it broke.
    pub(crate) fn disarm(&self) -> bool {
        self.state.armed.lock().unwrap().take().is_none()
    }

    /// Cuts every line, and takes no other until it is opened again.
    pub(crate) fn close(&self) {
        self.state.closed.send_replace(true);
    }

    pub(crate) fn reopen(&self) {
        self.state.closed.send_replace(false);
    }

    /// Waits until so many connections are open.
    pub(crate) async fn open(&self, wanted: usize) {
        self.state.open.subscribe().wait_for(|open| *open == wanted).await.unwrap();
    }

    /// How many connections were open at one time.
    pub(crate) fn open_max(&self) -> usize {
        assert!(!self.tasks.is_empty(), "it is running");
        self.state.open_max.load(Ordering::SeqCst)
    }
}

impl State {
    /// What happens at the next line.
    fn line(&self) -> Option<Fault> {
        let mut armed = self.armed.lock().unwrap();
        let (left, fault) = (*armed)?;
        *armed = (left > 1).then_some((left - 1, fault));
        (left <= 1).then_some(fault)
    }
}

/// Counts a connection while it is open.
struct Open<'a>(&'a State);

impl<'a> Open<'a> {
    fn new(state: &'a State) -> Self {
        state.open.send_modify(|open| *open += 1);
        state.open_max.fetch_max(*state.open.borrow(), Ordering::SeqCst);
        Self(state)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}

async fn connection(client: TcpStream, server: u16, state: Arc<State>) {
    let mut closed = state.closed.subscribe();
    if *closed.borrow_and_update() {
        return;
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    let _open = Open::new(&state);
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let broken = Mutex::new(None);
    tokio::select! {
        () = forth(from_client, to_server, &state, &broken) => {}
        () = back(from_server, to_client, &broken) => {}
        _ = closed.wait_for(|closed| *closed) => {}
    }
}

/// What the client says; ends when the line is cut.
async fn forth(
    client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    state: &State,
    broken: &Mutex<Option<Fault>>,
) {
    let mut client = BufReader::new(client);
    let mut line = Vec::new();
    while client.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
        let fault = state.line();
        if let Some(fault) = fault {
            *broken.lock().unwrap() = Some(fault);
        }
        if fault == Some(Fault::Hold) {
            std::future::pending::<()>().await;
        }
        if fault == Some(Fault::CutBefore) || server.write_all(&line).await.is_err() {
            return;
        }
        line.clear();
    }
}

/// What the server says; ends when the line is cut.
async fn back(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, broken: &Mutex<Option<Fault>>) {
    let mut bytes = vec![0; 65_536];
    loop {
        let Ok(read @ 1..) = server.read(&mut bytes).await else { return };
        let fault = *broken.lock().unwrap();
        match fault {
            Some(Fault::CutAfter) => return,
            Some(Fault::Stall | Fault::Hold) => continue,
            Some(Fault::Garble) => {
                for (n, byte) in bytes[..read].iter_mut().enumerate() {
                    // Lines stay lines now and then, so that all kinds of nonsense come.
                    *byte = if n % 7 == 6 { *byte } else { byte.wrapping_mul(31) ^ 0x5a };
                }
            }
            _ => {}
        }
        if client.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
