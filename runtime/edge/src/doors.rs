//! Doors: sockets bound once, before anything runs, and held over every restart of the actor that listens.
//!
//! So a killed listener refuses nobody (the kernel queues who knocks meanwhile), and what can go wrong with an
//! address goes wrong at the start, with a message that says what to do.

use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a door could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The address is taken, not ours, or not allowed.
    #[error("cannot listen on {address}: {source}. Free it, or choose another with --listen HOST:PORT")]
    Tcp {
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The socket's folder is not usable.
    #[error("cannot use {}: {source}. Choose a folder of yours with --run-dir", path.display())]
    Path {
        /// Folder or socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another daemon has it.
    #[error("another llmbasedos is running on {} (it holds {}): stop it, or choose another folder with --run-dir", dir.display(), lock.display())]
    Taken {
        /// The run directory.
        dir: PathBuf,
        /// The lock file.
        lock: PathBuf,
    },
}

/// The TCP door.
pub struct TcpDoor {
    listener: std::net::TcpListener,
    address: SocketAddr,
}

/// A UNIX socket door.
pub struct UnixDoor {
    name: String,
    service: Option<Arc<str>>,
    listener: std::os::unix::net::UnixListener,
}

/// The run directory is ours for as long as this lives, and by the kernel's word: a lock does not survive its
/// process. Its end removes what was put there.
pub struct RunDir {
    path: PathBuf,
    files: Vec<PathBuf>,
    _lock: File,
}

/// Makes the run directory if need be, and claims it.
///
/// # Errors
/// When it cannot be made or written, or another daemon has claimed it.
pub fn prepare_run_dir(path: &Path) -> Result<RunDir, DoorError> {
    let failed = |source| DoorError::Path { path: path.to_owned(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o750).create(path).map_err(failed)?;
    let lock = path.join("llmbasedos.lock");
    let file = File::options().create(true).truncate(false).write(true).open(&lock).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(RunDir { path: path.to_owned(), files: Vec::new(), _lock: file }),
        Err(TryLockError::WouldBlock) => Err(DoorError::Taken { dir: path.to_owned(), lock }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

impl RunDir {
    /// Opens `NAME.sock` with mode 0660, in place of whatever a crash has left there. With `service`, only that
    /// service's methods are answered behind it. `capabilities` is published beside it as `NAME.cap.json`.
    ///
    /// # Errors
    /// When the socket or the file cannot be made.
    pub fn door(
        &mut self,
        name: &str,
        service: Option<&str>,
        capabilities: Option<&str>,
    ) -> Result<UnixDoor, DoorError> {
        let socket = self.path.join(format!("{name}.sock"));
        let fresh = self.path.join(format!(".{name}.sock.new"));
        let failed = |source| DoorError::Path { path: socket.clone(), source };
        let _ = std::fs::remove_file(&fresh);
        // Under another name until its mode is right, then renamed over a stale one: nobody ever finds a socket
        // that is open to all, or none.
        let listener = std::os::unix::net::UnixListener::bind(&fresh).map_err(failed)?;
        std::fs::set_permissions(&fresh, Permissions::from_mode(0o660)).map_err(failed)?;
        std::fs::rename(&fresh, &socket).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        self.files.push(socket.clone());
        if let Some(text) = capabilities {
            let file = self.path.join(format!("{name}.cap.json"));
            replace(&file, text).map_err(|source| DoorError::Path { path: file.clone(), source })?;
            self.files.push(file);
        }
        Ok(UnixDoor { name: name.to_owned(), service: service.map(Into::into), listener })
    }

    /// Takes a socket that somebody else has opened, and will remove.
    ///
    /// # Errors
    /// When it cannot be used without waiting for it.
    pub fn adopt(
        &self,
        name: &str,
        listener: std::os::unix::net::UnixListener,
    ) -> Result<UnixDoor, DoorError> {
        let socket = self.path.join(format!("{name}.sock"));
        listener.set_nonblocking(true).map_err(|source| DoorError::Path { path: socket, source })?;
        Ok(UnixDoor { name: name.to_owned(), service: None, listener })
    }
}

/// Writes a file so that readers see the old one or the new one, whole.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    std::fs::write(&fresh, text)?;
    std::fs::rename(&fresh, path)
}

impl TcpDoor {
    /// Binds `address`, given as HOST:PORT.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn open(address: &str) -> Result<Self, DoorError> {
        let failed = |source| DoorError::Tcp { address: address.to_owned(), source };
        let listener = std::net::TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// The address, with the port that was really taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn listen(&self) -> io::Result<tokio::net::TcpListener> {
        tokio::net::TcpListener::from_std(self.listener.try_clone()?)
    }
}

impl UnixDoor {
    /// The socket's name without `.sock`.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn service(&self) -> Option<&Arc<str>> {
        self.service.as_ref()
    }

    pub(crate) fn listen(&self) -> io::Result<tokio::net::UnixListener> {
        tokio::net::UnixListener::from_std(self.listener.try_clone()?)
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = std::fs::remove_file(file);
        }
    }
}
