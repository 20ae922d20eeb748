//! One backend: connected, its methods are in the catalogue; not connected, they are not.
//!
//! A link that died says nothing about its backend: the methods stay, and who calls meanwhile is told that they are
//! restarting. They go when the backend does, or with its capability file, and that discovery sees to.

use std::sync::Arc;
use std::time::Duration;

use protocol::Entry;
use protocol::dispatch::Call;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use supervisor::{Meter, Slot, Tasks};
use tokio::io::AsyncReadExt as _;

use super::capfile::CapFile;
use super::wire::Pool;
use crate::routes::{About, Destination, Routes};

/// Between attempts to connect: at first at once, then doubling.
const RETRY_FIRST: Duration = Duration::from_millis(50);

/// From an actor's start until it is in its slot.
const SLOT_FILLED_WITHIN: Duration = Duration::from_millis(1);

/// A person who starts a backend should not wait for us longer than this.
const RETRY_MAX: Duration = Duration::from_secs(2);

/// Answers the calls of one backend by passing them on.
pub(crate) struct Link;

/// What a link is made from.
#[derive(Clone)]
pub(crate) struct Arguments {
    pub(crate) name: String,
    pub(crate) file: CapFile,
    pub(crate) pool: Arc<Pool>,
    pub(crate) routes: Routes,
    pub(crate) slot: Slot<Call>,
}

pub(crate) struct State {
    tasks: Tasks,
    meter: Meter,
}

impl Actor for Link {
    type Msg = Call;
    type State = State;
    type Arguments = (Arguments, Tasks, Meter);

    async fn pre_start(
        &self,
        _: ActorRef<Call>,
        (arguments, tasks, meter): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        tasks.spawn(keep_connected(arguments));
        Ok(State { tasks, meter })
    }

    async fn handle(
        &self,
        _: ActorRef<Call>,
        call: Call,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let busy = state.meter.begin();
        state.tasks.spawn(async move {
            service::run_until_cancelled(call).await;
            drop(busy);
        });
        Ok(())
    }
}

/// Holds one connection on which nothing is ever asked: its end tells that the backend is gone.
async fn keep_connected(link: Arguments) {
    let mut retry = RETRY_FIRST;
    loop {
        match link.pool.connect().await {
            Ok(mut line) => {
                // The supervisor puts this actor into its slot a moment after it has started; before that, calls
                // would find nobody there.
                while !link.slot.is_filled() {
                    tokio::time::sleep(SLOT_FILLED_WITHIN).await;
                }
                if link.offer() {
                    retry = RETRY_FIRST;
                }
                // Anything but silence is the end, or a peer that talks without being asked.
                let _ = line.read(&mut [0; 1]).await;
                link.routes.remove(&link.name);
                link.pool.forget_idle();
                tracing::warn!(backend = link.name, "backend is gone; its methods are withdrawn");
            }
            Err(error) => {
                link.routes.remove(&link.name);
                tracing::debug!(backend = link.name, socket = %link.pool.socket().display(), %error, "cannot connect");
            }
        }
        tokio::time::sleep(retry).await;
        retry = (retry * 2).min(RETRY_MAX);
    }
}

impl Arguments {
    fn offer(&self) -> bool {
        let entries: Result<Vec<Entry>, String> = self
            .file
            .capabilities
            .iter()
            .map(|capability| {
                let (pool, method) = (Arc::clone(&self.pool), capability.method.clone());
                Entry::remote(
                    capability.method.clone(),
                    capability.description.clone(),
                    &capability.params_schema,
                    &capability.result_schema,
                    move |context, params| {
                        let (pool, method) = (Arc::clone(&pool), method.clone());
                        Box::pin(async move { pool.call(&method, &params, &context).await })
                    },
                )
                .map_err(|error| format!("schema of {}: {error}", capability.method))
            })
            .collect();
        let about = About { description: self.file.description.clone(), version: self.file.version.clone() };
        let offered = entries.and_then(|entries| {
            let to = Destination::There(self.slot.clone());
            self.routes.add(&self.name, about, entries, &to).map_err(|error| error.to_string())
        });
        match offered {
            Ok(()) => tracing::info!(
                backend = self.name,
                methods = self.file.capabilities.len(),
                "backend connected"
            ),
            Err(ref why) => tracing::error!(backend = self.name, "backend refused: {why}"),
        }
        offered.is_ok()
    }
}
