//! UNIX sockets: the original's framing, a NUL byte after each message, or lines for whoever begins with one. Who is
//! there, the kernel says.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use protocol::jsonrpc::write_error;
use protocol::{Caller, Credentials, Error, Id};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::Tasks;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::sync::OwnedSemaphorePermit;

use crate::bytes_wire::BytesWire;
use crate::doors::UnixDoor;
use crate::knock;
use crate::session;
use crate::{Edges, Shared};

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
            let wire = BytesWire::new(stream, shared.limits.frame_bytes);
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
    let mut text = String::new();
    write_error(&mut text, &Id::Null, error);
    text.push('\0');
    text.into_bytes()
}
