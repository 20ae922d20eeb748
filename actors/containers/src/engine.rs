//! A Docker engine, as it is used here: start once for each key, find again, remove.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as Cause;
use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum as Status, ContainerSummaryStateEnum,
};
use bollard::query_parameters::{
    CreateContainerOptions, CreateImageOptions, InspectContainerOptions, ListContainersOptions,
    RemoveContainerOptions, StartContainerOptions, UploadToContainerOptions,
};
use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use crate::allowed::Plan;
use crate::error::{Error, Kind, Started, status};
use crate::inputs;
use crate::lines::Line;
use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::run::Run;
use crate::running::Running;
use crate::socket::{ANSWER, connect};
use crate::spec::{self, INSTANCE, KEY, TIMEOUT};

/// Longer keys are no keys; they become labels.
const KEY_MAX: usize = 256;
/// An image that wants more places for itself wants a disk.
const VOLUMES_MAX: usize = 8;

/// A Docker engine behind a socket, and what may be done with it. It need not be there: every call says so then.
#[derive(Clone, Debug)]
pub struct Engine {
    socket: PathBuf,
    instance: String,
    policy: Policy,
}

/// What a key's container is at the moment.
#[derive(Debug)]
pub enum Found {
    /// There is none: it was never started, or has been removed.
    Nothing,
    /// It runs, and can be waited for.
    Running(Box<Running>),
    /// It is over; with what it printed.
    Exited(Outcome, Vec<Line>),
}

/// A container of this instance's that is still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// What it was started with.
    pub key: String,
    /// Whether it runs.
    pub running: bool,
}

impl Engine {
    /// The engine at `socket`. `instance` is what several daemons on one engine are told apart by: a name of the state
    /// folder that stays.
    pub fn new(socket: impl Into<PathBuf>, instance: impl Into<String>, policy: Policy) -> Self {
        Self { socket: socket.into(), instance: instance.into(), policy }
    }

    /// Where the engine is.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// What may run.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether the engine is there and answers.
    ///
    /// # Errors
    /// [`Kind::NoEngine`], with why and what to do.
    pub async fn ping(&self) -> Result<(), Error> {
        connect(&self.socket).await.map(drop)
    }

    /// Starts `run`, or finds what was started with `key` before, be it over or not: nothing is started twice.
    ///
    /// # Errors
    /// [`Error`], which says whether something may have been started.
    pub async fn start(&self, key: &str, run: &Run) -> Result<Running, Error> {
        let plan = self.policy.plan(run)?;
        let name = self.name(key)?;
        let docker = connect(&self.socket).await?;
        if let Some(found) = begun(&docker, &name).await? {
            return Ok(self.running(docker, name, &found, plan.timeout));
        }
        let (image, volumes) = self.image(&docker, &plan).await?;
        let labels = [
            (KEY, key.to_owned()),
            (INSTANCE, self.instance.clone()),
            (TIMEOUT, plan.timeout.as_millis().to_string()),
        ];
        let options =
            CreateContainerOptions { name: Some(name.clone()), ..CreateContainerOptions::default() };
        let body = spec::body(&plan, &image, &volumes, labels);
        let made = match timeout(ANSWER, docker.create_container(Some(options), body)).await {
            Ok(Err(error)) if status(&error) == Some(409) => {
                let why =
                    "Somebody else starts a container with the same key at this moment. Look for it then.";
                return Err(Error::new(Kind::Refused, why).started(Started::Maybe));
            }
            Ok(made) => made.map_err(|error| Error::of(&error, "make the container"))?,
            Err(_) => return Err(Error::late("make the container")),
        };
        // By its id: a request of somebody who crashed, that the engine has not read yet, goes by another one.
        if let Err(error) = begin(&docker, &made.id, &plan).await {
            if error.started == Started::No {
                // It holds a place and nothing else. What cannot be removed now is a leftover.
                let _ = remove(&docker, &made.id, Force::Yes).await;
            }
            return Err(error);
        }
        let found = inspect(&docker, &name).await.map_err(|error| error.started(Started::Yes))?;
        let gone = || {
            let why = "The container was removed by somebody else as soon as it had begun.";
            Error::new(Kind::Lost, why).started(Started::Yes)
        };
        Ok(self.running(docker, name, &found.ok_or_else(gone)?, plan.timeout))
    }

    /// What was started with `key`, if it is still there.
    ///
    /// # Errors
    /// [`Error`] where the engine cannot tell.
    pub async fn find(&self, key: &str) -> Result<Found, Error> {
        let unsure = |error: Error| error.started(Started::Maybe);
        let name = self.name(key)?;
        let docker = connect(&self.socket).await.map_err(unsure)?;
        let Some(found) = inspect(&docker, &name).await.map_err(unsure)?.filter(has_begun) else {
            return Ok(Found::Nothing);
        };
        let is_over = is_over(&found);
        let running = self.running(docker, name, &found, self.policy.limits.timeout.default);
        if !is_over {
            return Ok(Found::Running(Box::new(running)));
        }
        let (outcome, lines) = running.printed().await?;
        Ok(Found::Exited(outcome, lines))
    }

    /// Removes what was started with `key`, with its inputs; it is killed, if it runs. Nothing to remove is no error.
    ///
    /// # Errors
    /// Where the engine cannot.
    pub async fn remove(&self, key: &str) -> Result<(), Error> {
        let name = self.name(key)?;
        let docker = connect(&self.socket).await?;
        remove(&docker, &name, Force::Yes).await.map(drop)
    }

    /// Every container of this instance's, running or not.
    ///
    /// # Errors
    /// Where the engine cannot tell.
    pub async fn leftovers(&self) -> Result<Vec<Leftover>, Error> {
        let docker = connect(&self.socket).await?;
        let label = format!("{INSTANCE}={}", self.instance);
        let filters = HashMap::from([("label".to_owned(), vec![label])]);
        let options =
            ListContainersOptions { all: true, filters: Some(filters), ..ListContainersOptions::default() };
        let all = within("list its containers", docker.list_containers(Some(options))).await?;
        let leftover =
            |key: String, state| Leftover { key, running: state == ContainerSummaryStateEnum::RUNNING };
        let key = |labels: Option<HashMap<String, String>>| labels?.remove(KEY);
        let ours = all.into_iter().filter_map(|one| Some(leftover(key(one.labels)?, one.state?)));
        Ok(ours.collect())
    }

    /// The container's name, which follows from the key.
    fn name(&self, key: &str) -> Result<String, Error> {
        if key.is_empty() || key.len() > KEY_MAX || key.contains(char::is_control) {
            return Err(Error::new(
                Kind::Invalid,
                format!("A key has 1 to {KEY_MAX} bytes and no control characters."),
            ));
        }
        let digest =
            Sha256::new().chain_update(&self.instance).chain_update([0]).chain_update(key).finalize();
        let mut name = "llmbasedos-".to_owned();
        for byte in &digest[..16] {
            let _ = write!(name, "{byte:02x}");
        }
        Ok(name)
    }

    fn running(
        &self,
        docker: Docker,
        name: String,
        found: &ContainerInspectResponse,
        default: Duration,
    ) -> Running {
        let labels = found.config.as_ref().and_then(|config| config.labels.as_ref());
        let own = labels.and_then(|labels| labels.get(TIMEOUT)?.parse().ok()).map(Duration::from_millis);
        Running::new(
            docker,
            name,
            found.state.as_ref(),
            own.unwrap_or(default),
            self.policy.limits.log_bytes_max,
        )
    }

    /// The image's id, and the folders that it declares as volumes.
    async fn image(&self, docker: &Docker, plan: &Plan) -> Result<(String, Vec<String>), Error> {
        let written = plan.image.written();
        let found = match timeout(ANSWER, docker.inspect_image(&written)).await {
            Ok(Err(error)) if status(&error) == Some(404) && self.policy.pull => {
                self.pull(docker, &written).await?;
                within("look at the image", docker.inspect_image(&written)).await?
            }
            Ok(Err(error)) if status(&error) == Some(404) => {
                let why = format!(
                    "The engine has no image '{written}', and pulling is not allowed. Run `docker pull {written}` there."
                );
                return Err(Error::new(Kind::NoImage, why));
            }
            Ok(found) => found.map_err(|error| Error::of(&error, "look at the image"))?,
            Err(_) => return Err(Error::late("look at the image")),
        };
        let volumes = found.config.and_then(|config| config.volumes).unwrap_or_default();
        let plain = |folder: &String| folder.starts_with('/') && !folder.contains([',', ':']);
        if volumes.len() > VOLUMES_MAX || !volumes.iter().all(plain) {
            let why = format!("The image '{written}' declares more than {VOLUMES_MAX} volumes, or odd ones.");
            return Err(Error::new(Kind::NotAllowed, why));
        }
        let volumes = volumes.into_iter().filter(|folder| folder != inputs::FOLDER && folder != "/tmp");
        Ok((found.id.unwrap_or(written), volumes.collect()))
    }

    async fn pull(&self, docker: &Docker, written: &str) -> Result<(), Error> {
        let options =
            CreateImageOptions { from_image: Some(written.to_owned()), ..CreateImageOptions::default() };
        let pulled = docker.create_image(Some(options), None, None).try_for_each(|_| async { Ok(()) });
        let failed =
            |why: String| Error::new(Kind::NoImage, format!("The image '{written}' cannot be pulled: {why}"));
        match timeout(self.policy.limits.pull_timeout, pulled).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(failed(Error::of(&error, "pull it").message)),
            Err(_) => Err(failed("it takes too long. Pull it by hand.".to_owned())),
        }
    }
}

/// Brings the inputs there and starts.
async fn begin(docker: &Docker, name: &str, plan: &Plan) -> Result<(), Error> {
    let options =
        UploadToContainerOptions { path: inputs::FOLDER.to_owned(), ..UploadToContainerOptions::default() };
    let archive = bollard::body_full(inputs::archive(&plan.inputs));
    within("take the inputs", docker.upload_to_container(name, Some(options), archive)).await?;
    let started =
        within("start the container", docker.start_container(name, None::<StartContainerOptions>)).await;
    started.map_err(|error| match error.kind {
        // It answered, so it knows: nothing began.
        Kind::Refused => error,
        _ => error.started(Started::Maybe),
    })
}

/// The container, if its program was ever started. One that was made and never started, by somebody who crashed in
/// between, is removed.
async fn begun(docker: &Docker, name: &str) -> Result<Option<ContainerInspectResponse>, Error> {
    let Some(found) = inspect(docker, name).await? else { return Ok(None) };
    if has_begun(&found) {
        return Ok(Some(found));
    }
    // Not by force: their request to start it may be read just now, and then it runs and is not removed.
    if remove(docker, name, Force::No).await? {
        return Ok(None);
    }
    Ok(inspect(docker, name).await?.filter(has_begun))
}

/// Whether a container that runs is killed to be removed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Force {
    Yes,
    No,
}

/// Whether it is gone.
async fn remove(docker: &Docker, name: &str, force: Force) -> Result<bool, Error> {
    // v: with its volume, which is the inputs.
    let options = RemoveContainerOptions { force: force == Force::Yes, v: true, link: false };
    match timeout(ANSWER, docker.remove_container(name, Some(options))).await {
        Ok(Err(error)) if status(&error) == Some(404) => Ok(true),
        // It runs, or is being removed.
        Ok(Err(error)) if status(&error) == Some(409) => Ok(false),
        Ok(removed) => removed.map(|()| true).map_err(|error| Error::of(&error, "remove the container")),
        Err(_) => Err(Error::late("remove the container")),
    }
}

/// `None` where there is no such container.
pub(crate) async fn inspect(docker: &Docker, name: &str) -> Result<Option<ContainerInspectResponse>, Error> {
    match timeout(ANSWER, docker.inspect_container(name, None::<InspectContainerOptions>)).await {
        Ok(Err(error)) if status(&error) == Some(404) => Ok(None),
        Ok(found) => found.map(Some).map_err(|error| Error::of(&error, "look at the container")),
        Err(_) => Err(Error::late("look at the container")),
    }
}

/// Whether its program was ever started.
fn has_begun(found: &ContainerInspectResponse) -> bool {
    let status = found.state.as_ref().and_then(|state| state.status);
    !matches!(status, Some(Status::CREATED | Status::REMOVING))
}

/// Whether it runs no more.
pub(crate) fn is_over(found: &ContainerInspectResponse) -> bool {
    found.state.as_ref().is_some_and(|state| state.running == Some(false))
}

async fn within<T>(do_what: &str, asked: impl Future<Output = Result<T, Cause>>) -> Result<T, Error> {
    match timeout(ANSWER, asked).await {
        Ok(answer) => answer.map_err(|error| Error::of(&error, do_what)),
        Err(_) => Err(Error::late(do_what)),
    }
}
