//! Supervision trees on ractor, by OTP's rules.
//!
//! ractor runs actors and tells a parent when a child ends; what to do then is
//! left open. This crate decides it: child specs, strategies, restart budgets,
//! back-off, ordered start and stop, and a picture of the whole tree that can be
//! read at any moment without asking an actor.
//!
//! ```text
//! let fs = Slot::vacant();
//! let tree = supervisor::start(
//!     SupervisorSpec::new("root").child(ChildSpec::worker("fs", &fs, |ctx| (Fs, ctx.meter.clone()))),
//! ).await?;
//! fs.call(|reply| Message::List(path, reply), Duration::from_secs(5)).await?;
//! ```
//!
//! It knows nothing of files, mail or JSON: anything that is an [`ractor::Actor`]
//! can be a child. It does not bound mailboxes (admission does, before a message
//! is made) and does not cross processes.
//!
//! Words are OTP's where OTP has one. Ours: a [`Slot`] is where others find an
//! actor, a *seat* is a child's place in the tree, which outlives its occupants.

// What is declared.
mod child_spec;
mod supervisor_spec;

// What is decided, without a runtime.
mod backoff;
mod budget;
mod ended;
mod strategy;

// What stands around one actor.
mod histogram;
mod meter;
mod slot;
mod worker;

// What a supervisor does.
mod children;
mod launch;
mod leaving;
mod request;
mod restart;
mod seat;
mod stopping;
mod supervisor;

// What is seen of the whole, from outside.
mod events;
mod handle;
mod keeper;
mod snapshot;
mod tree;

// What any actor needs besides.
mod panic_hook;
mod tasks;

#[cfg(test)]
mod tests;

pub use backoff::Backoff;
pub use budget::Intensity;
pub use child_spec::{ChildSpec, Kind};
pub use events::{Event, What};
pub use handle::{ChildError, SupervisorHandle};
pub use keeper::Exit;
pub use launch::{ChildContext, StartFailed};
pub use meter::{InFlight, Meter};
pub use panic_hook::install_panic_hook;
pub use seat::State;
pub use slot::{CallError, Reason, Slot, Undelivered};
pub use snapshot::{Failure, Latency, Node};
pub use strategy::{AutoShutdown, Restart, Strategy};
pub use supervisor_spec::{SpecError, SupervisorSpec};
pub use tasks::{Joined, Tasks};
pub use tree::{NoSuchActor, Tree, start};
