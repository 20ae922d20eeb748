//! A language model that works with tools until it has an answer.

use crate::doors::Became;
use crate::failure::{Failure, Flow};

use super::machine::Machine;

impl Machine {
    /// Works until there is an answer.
    pub(crate) async fn agent_loop(&self, _agent: &workflow::model::Agent, _path: &str) -> Flow<Became> {
        Ok(Became::Failed(Failure::new("agent_missing", "Steps of the kind `agent` are not in this build.")))
    }
}
