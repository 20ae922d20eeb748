//! Sockets that a service manager has opened for us: socket activation. The gateway's is the one that may be.

use std::os::unix::net::UnixListener;
use std::path::Path;

use listenfd::ListenFd;

/// The sockets that were handed over. Taken before there is a second thread: it is read from the environment, and the
/// environment forgets it.
pub(crate) fn take() -> anyhow::Result<Vec<UnixListener>> {
    let mut handed = ListenFd::from_env();
    (0..handed.len())
        .map(|at| {
            let socket = handed.take_unix_listener(at).map_err(|error| {
                anyhow::anyhow!(
                    "{error}: only gateway.sock can be handed over (ListenStream= of the socket unit)"
                )
            })?;
            socket.ok_or_else(|| anyhow::anyhow!("a socket was handed over twice"))
        })
        .collect()
}

/// The one of them that is at `path`; any other one would never be answered.
pub(crate) fn at(path: &Path, handed: Vec<UnixListener>) -> anyhow::Result<Option<UnixListener>> {
    let mut found = None;
    for socket in handed {
        let address = socket.local_addr()?;
        if address.as_pathname() != Some(path) {
            anyhow::bail!(
                "was handed a socket at {address:?}, which is not {}: change ListenStream= of the socket unit, or \
                 --run-dir",
                path.display()
            );
        }
        found = Some(socket);
    }
    Ok(found)
}
