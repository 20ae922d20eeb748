//! Copying between the roots and the remotes of rclone, in jobs that a person can trust (`mcp.sync.*`).
//!
//! ```text
//! method -> Sync -> Runner (an actor: turns, stops) -> attempt -> by_remote_control -> rclone::Keeper -> rclone rcd
//!             |                                          `------> by_itself, planning -> rclone::Once -> rclone …
//!             `---> Journal: jobs, definitions and plans, committed before anybody is told
//! ```
//!
//! What a caller says is read once into values with a grammar (`Side`, `Options`, `Verb`); nothing else reaches rclone,
//! and no text of a caller's is ever a flag. Beneath that the kernel holds the process to the roots (`rclone::confine`).
//!
//! Nothing begins by itself: what was interrupted waits for `resume`, and what deletes waits for a plan that somebody saw.

mod attempt;
mod by_itself;
mod by_remote_control;
mod job;
mod journal;
mod methods;
mod options;
mod planning;
mod progress;
mod rclone;
mod refusal;
mod remotes;
mod roots;
mod runner;
mod service;
mod side;
mod verb;
mod view;

pub use methods::methods;
pub use rclone::{become_confined, find, landlock_is_here};
pub use roots::{Access, Roots};
pub use service::{Config, Sync};
