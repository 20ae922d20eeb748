//! Workflows: runs that outlast the process and do nothing twice (`mcp.agent.*`).
//!
//! ```text
//! method -> Agent -> Clerk (an actor: turns) -> Runner (an actor a run) -> run::Machine -> doors: the gateway, as the owner
//!             |         ^-- Clock (schedules)                                   |
//!             `---> Journal: runs, steps and events, committed before anything builds on them <-'
//! ```
//!
//! What a workflow is and what its expressions come to is in the crate `workflow`, without I/O. Here it is walked
//! through, from the first step each time a run's actor begins: what the journal has an outcome for is not done again.
//! What was begun and has none is repeated where that is safe, and otherwise a person is asked.

mod clerk;
mod clock;
mod doors;
mod failure;
mod journal;
mod library;
mod live;
mod methods;
mod object;
mod record;
mod refusal;
mod run;
mod runner;
mod service;
mod tools;
mod triggers;
mod view;

pub use doors::{About, Container, Ended, HttpAnswer, HttpRequest, Methods, Outside};
pub use methods::methods;
pub use service::{Agent, Config, OwnerNow};
pub use tools::SERVICE as WORKFLOWS;
