//! What stands above the root: it hears of the root's end, which is the tree's.

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use schemars::JsonSchema;
use serde::Serialize;

use crate::ended::Ended;
use crate::events::What;
use crate::launch::{Berth, StartFailed};
use crate::seat::State;
use crate::tree::Tree;

/// How a tree ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "exit", rename_all = "snake_case")]
pub enum Exit {
    /// It was asked to stop, or its significant children had ended.
    Stopped,
    /// The root gave up, or failed itself. The process should exit with a code that
    /// has it restarted.
    Exhausted {
        /// What it failed of.
        what: String,
    },
}

pub(crate) struct Keeper;

pub(crate) struct Kept {
    tree: Tree,
    root: ActorId,
}

impl Actor for Keeper {
    type Msg = ();
    type State = Kept;
    type Arguments = Tree;

    async fn pre_start(&self, myself: ActorRef<()>, tree: Tree) -> Result<Kept, ActorProcessingErr> {
        let seat = tree.root();
        seat.begin();
        let occupant =
            (seat.spec.launch)(Berth::new(seat, &tree, myself.get_cell())).await.map_err(|cause| {
                seat.vacate(State::Stopped);
                StartFailed::at(&seat.path, cause)
            })?;
        let root = occupant.cell.get_id();
        seat.occupy(occupant);
        tree.tell(&seat.path, What::Started { restarts: 0 });
        Ok(Kept { tree, root })
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<()>,
        event: SupervisionEvent,
        kept: &mut Kept,
    ) -> Result<(), ActorProcessingErr> {
        if event.actor_id() == Some(kept.root)
            && let Some(how) = Ended::from_event(event)
        {
            kept.root_ended(&how).await;
            myself.stop(None);
        }
        Ok(())
    }
}

impl Kept {
    async fn root_ended(&self, how: &Ended) {
        let seat = self.tree.root();
        seat.gone_with_all_below().await;
        seat.vacate(State::Stopped);
        let text = how.to_string();
        if how.is_failure() && !self.tree.is_stopping() {
            seat.failed(&text);
            self.tree.tell(&seat.path, What::Failed { text: text.clone() });
            self.tree.exit(Exit::Exhausted { what: format!("{}: {text}", seat.path) });
        } else {
            self.tree.tell(&seat.path, What::Stopped { reason: text });
            self.tree.exit(Exit::Stopped);
        }
    }
}
