//! UNIX sockets: the original's framing, a NUL byte after each message. Who is there, the kernel says.

use std::io::{self, Write as _};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use protocol::frame::{Frames, Framing};
use protocol::jsonrpc::write_error;
use protocol::{Caller, Credentials, Error, Id};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::Tasks;
use tokio::io::{AsyncRead as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::UnixStream;
use tokio::sync::OwnedSemaphorePermit;

use crate::doors::UnixDoor;
use crate::knock;
use crate::session::{self, Received, Wire};
use crate::{Edges, Shared};

/// What is read at once. It lives on the stack, so an idle connection costs no buffer.
const READ: usize = 16 * 1024;

/// Answers gathered before no more are taken.
const WRITE_BUFFER: usize = 64 * 1024;

/// When the process is out of files, accepting again at once would spin.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Accepts at one UNIX door.
pub(crate) struct Listener;

impl Actor for Listener {
    type Msg = ();
    type State = Tasks;
    type Arguments = (Edges, Arc<UnixDoor>, Tasks);

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        (edges, door, tasks): Self::Arguments,
    ) -> Result<Tasks, ActorProcessingErr> {
        let listener = door.listen()?;
        let shared = edges.shared;
        tasks.spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => welcome(&shared, &door, stream).await,
                    Err(error) => {
                        tracing::warn!(%error, door = door.name(), "cannot accept");
                        tokio::time::sleep(ACCEPT_AGAIN).await;
                    }
                }
            }
        });
        Ok(tasks)
    }
}

/// Identifies and starts one connection. The kernel names the peer at once, so this does not wait for it.
async fn welcome(shared: &Arc<Shared>, door: &UnixDoor, stream: UnixStream) {
    let Ok(place) = Arc::clone(&shared.places).try_acquire_owned() else {
        tracing::warn!(door = door.name(), "connection refused: limits.connections are open");
        // Not waited for: whoever is still outside must not hold up those behind.
        let _ = stream
            .into_std()
            .and_then(|mut s| s.write_all(&refusal(&knock::full(shared.limits.connections))));
        return;
    };
    match identify(shared, door, &stream).await {
        Ok(caller) => {
            let wire = UnixWire::new(stream, shared.limits.frame_bytes);
            session::start(shared, "unix", caller, wire, place).await;
        }
        Err(error) => turn_away(stream, &error, place).await,
    }
}

async fn identify(shared: &Shared, door: &UnixDoor, stream: &UnixStream) -> Result<Arc<Caller>, Error> {
    let uid = stream.peer_cred().map_err(Error::internal)?.uid();
    let caller = shared.dispatch.identify(Credentials::Uid(uid)).await?;
    Ok(match door.service() {
        Some(service) => Arc::new(Caller { service: Some(Arc::clone(service)), ..Caller::clone(&caller) }),
        None => caller,
    })
}

/// Says why, in the dialect of the socket, as far as the kernel's buffer takes it.
async fn turn_away(mut stream: UnixStream, error: &Error, _place: OwnedSemaphorePermit) {
    let _ = tokio::time::timeout(ACCEPT_AGAIN, stream.write_all(&refusal(error))).await;
}

fn refusal(error: &Error) -> Vec<u8> {
    let mut text = Vec::new();
    write_error(&mut text, &Id::Null, error);
    text.push(0);
    text
}

struct UnixWire {
    stream: UnixStream,
    frames: Frames,
    incoming: BytesMut,
    outgoing: BytesMut,
}

impl UnixWire {
    fn new(stream: UnixStream, frame_bytes: usize) -> Self {
        let frames = Frames::new(Framing::Nul, frame_bytes);
        Self { stream, frames, incoming: BytesMut::new(), outgoing: BytesMut::new() }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut bytes = [0; READ];
        let mut buffer = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
        self.incoming.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl Wire for UnixWire {
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Received> {
        loop {
            match self.frames.next(&mut self.incoming) {
                Some(Ok(message)) => return Poll::Ready(Received::Message(message)),
                Some(Err(too_long)) => return Poll::Ready(Received::TooLong(too_long.limit)),
                None if self.incoming.is_empty() => self.incoming = BytesMut::new(),
                None => {}
            }
            match ready!(self.poll_read(context)) {
                Ok(0) | Err(_) => return Poll::Ready(Received::Gone),
                Ok(_) => {}
            }
        }
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ()>> {
        if self.outgoing.len() < WRITE_BUFFER { Poll::Ready(Ok(())) } else { self.poll_flush(context) }
    }

    fn send(&mut self, message: String) {
        self.outgoing.extend_from_slice(message.as_bytes());
        self.outgoing.extend_from_slice(&[0]);
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ()>> {
        while !self.outgoing.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(context, &self.outgoing)) {
                Ok(0) | Err(_) => return Poll::Ready(Err(())),
                Ok(written) => self.outgoing.advance(written),
            }
        }
        self.outgoing = BytesMut::new();
        Poll::Ready(Ok(()))
    }
}
