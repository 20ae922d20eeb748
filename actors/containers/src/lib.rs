//! One container on a Docker engine: held within limits, run once for each key, and found again after a crash of ours.
//!
//! ```text
//! let engine = Engine::new("/run/docker.sock", "state-4711", policy);
//! let running = engine.start("run-12/step-3", &run).await?;        // or finds what that key has started before
//! let outcome = running.wait(lines, &cancel).await?;               // lines as they come; exit code, time, memory
//! // ... the caller writes the outcome down ...
//! engine.remove("run-12/step-3").await?;                           // only then is the container gone
//! ```
//!
//! A container has a name that follows from its key, so that a second start with the same key finds the first; it stays
//! until it is removed, so that what became of it is known however often we crash in between. Dropping a handle ends
//! nothing. [`Error::started`] says whether something may have run.
//!
//! What a container may is in [`Policy`]; nothing of the machine is mounted into it, ever. bollard speaks to the engine,
//! and no type of its is seen outside (decision 0021).

mod allowed;
mod engine;
mod error;
mod image;
mod inputs;
mod lines;
mod outcome;
mod policy;
mod run;
mod running;
mod socket;
mod spec;

pub use engine::{Engine, Found, Leftover};
pub use error::{Error, Kind, Started};
pub use image::Images;
pub use lines::{Line, Stream};
pub use outcome::{End, Outcome};
pub use policy::{BadEntries, Bound, Limits, Policy};
pub use run::{Run, User};
pub use running::Running;

// bollard logs what it tells the engine at the level debug, a container's variables with it: that level is left out.
const _: () = assert!(matches!(log::STATIC_MAX_LEVEL, log::LevelFilter::Info));
