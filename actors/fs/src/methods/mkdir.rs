//! `mcp.fs.mkdir`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::Kind;
use crate::change::{self, Status};
use crate::fault::{Fault, What};
use crate::files::{self, Parent};
use crate::path::ClientPath;
use crate::service::Fs;

/// Creates a directory. That it exists already is no error; `created` tells.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mkdir {
    /// The directory, from the virtual root: `/documents/2026`.
    path: ClientPath,
    /// Whether to create missing directories above it.
    #[serde(default)]
    parents: bool,
}

/// The directory is there.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Made {
    /// The path.
    path: String,
    /// Always `success`.
    status: Status,
    /// Whether it was missing.
    created: bool,
}

impl Method for Mkdir {
    const NAME: &'static str = "mcp.fs.mkdir";
    const TIER: Tier = Tier::Pro;
    const EFFECT: Effect = Effect::ENSURE;
    const RUN: Run = Run::Blocking;

    type Reply = Made;
    type Service = Fs;

    async fn call(self, context: &Context, fs: &Fs) -> Result<Made, Error> {
        Ok(self.mkdir(context, fs)?)
    }
}

// === impl Mkdir ===

impl Mkdir {
    fn mkdir(self, context: &Context, fs: &Fs) -> Result<Made, Fault> {
        let place = fs.place_to_change(context, &self.path)?;
        let path = place.path.to_string();
        if place.is_root() {
            return Ok(Made { path, status: Status::Success, created: false });
        }
        files::creatable(&place.path)?;
        if self.parents {
            change::make_parents(&place)?;
        }
        let parent = Parent::open(&place)?;
        let created = change::make_directory(&parent)?;
        if !created && parent.look_at_something()?.kind != Kind::Directory {
            return Err(Fault::new(What::NotReplaceable, &place.path));
        }
        Ok(Made { path, status: Status::Success, created })
    }
}
