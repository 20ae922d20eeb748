//! The way to the engine: a connection, or a plain word at once on why there is none.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, Docker};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::error::{Error, Kind};

/// An engine on the same machine answers this in milliseconds; on a loaded one in a second or two.
const HELLO: Duration = Duration::from_secs(5);

/// Until the head of an answer. Making a container copies its image on some engines, and that is what takes longest.
pub(crate) const ANSWER: Duration = Duration::from_mins(2);

/// Connects, and agrees on a version of the API.
pub(crate) async fn connect(socket: &Path) -> Result<Docker, Error> {
    let shown = socket.display();
    let none = |why: String| Error::new(Kind::NoEngine, why);
    // bollard says only that it could not; and it would look for a file before.
    match timeout(HELLO, UnixStream::connect(socket)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            return Err(none(match error.kind() {
                ErrorKind::NotFound => {
                    format!(
                        "No Docker engine: there is no socket at {shown}. Install and start one, or set its socket."
                    )
                }
                ErrorKind::PermissionDenied => format!(
                    "The Docker engine at {shown} may not be used by this user. Add it to the group 'docker', which \
                     is as good as root, or set another socket."
                ),
                ErrorKind::ConnectionRefused => {
                    format!("No Docker engine: nobody listens at {shown}. Start it.")
                }
                _ => format!("No Docker engine at {shown}: {error}."),
            }));
        }
        Err(_) => return Err(none(format!("The Docker engine at {shown} takes no connection. Restart it."))),
    }
    let Some(path) = socket.to_str() else {
        return Err(none(format!("The path of the engine's socket is no text: {shown}.")));
    };
    let docker = Docker::connect_with_unix(path, ANSWER.as_secs(), API_DEFAULT_VERSION);
    let docker = docker.map_err(|error| none(format!("No Docker engine at {shown}: {error}.")))?;
    match timeout(HELLO, docker.negotiate_version()).await {
        Ok(Ok(docker)) => Ok(docker),
        Ok(Err(_)) => {
            Err(none(format!("What listens at {shown} is no Docker engine. Set the engine's own socket.")))
        }
        Err(_) => Err(none(format!(
            "What listens at {shown} does not answer. Restart the engine, or set its socket."
        ))),
    }
}
