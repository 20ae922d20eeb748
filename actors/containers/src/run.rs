//! What is to be run, as somebody wrote it down.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};
use std::time::Duration;

use serde_json::Value;

/// One run of one container. What is `None` is the policy's default. Its `Debug` is for logs: it has neither the inputs nor
/// a variable's value.
#[derive(Clone)]
pub struct Run {
    /// Which image.
    pub image: String,
    /// What to run in it, instead of the image's own command; its entry point stays. Empty for the image's own.
    pub command: Vec<String>,
    /// Read by the program from `/run/inputs/inputs.json`; never in its environment, which every child and crash report
    /// has.
    pub inputs: Value,
    /// Variables besides the image's own.
    pub env: BTreeMap<String, String>,
    /// Memory.
    pub memory_bytes: Option<u64>,
    /// Processors.
    pub cpus: Option<f64>,
    /// Processes and threads.
    pub pids: Option<u32>,
    /// A network of the engine's instead of none.
    pub network: Option<String>,
    /// From its start to its end.
    pub timeout: Option<Duration>,
    /// What people call it; a label.
    pub name: String,
    /// Instead of nobody.
    pub user: Option<User>,
}

/// A user and its group, by number: what a name means is the image's to say, and it may say 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub uid: u32,
    /// The group; not the image's, which for an unknown user would be root's.
    pub gid: u32,
}

impl Run {
    /// `command` in `image`, with all defaults.
    pub fn new(image: impl Into<String>, command: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            image: image.into(),
            command: command.into_iter().map(Into::into).collect(),
            inputs: Value::Object(serde_json::Map::new()),
            env: BTreeMap::new(),
            memory_bytes: None,
            cpus: None,
            pids: None,
            network: None,
            timeout: None,
            name: String::new(),
            user: None,
        }
    }
}

impl Debug for Run {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.env.keys().collect();
        f.debug_struct("Run").field("image", &self.image).field("env", &names).finish_non_exhaustive()
    }
}

impl User {
    /// Who owns nothing anywhere.
    pub const NOBODY: Self = Self { uid: 65534, gid: 65534 };

    /// Reads `1000` or `1000:1000`.
    pub fn parse(text: &str) -> Option<Self> {
        let number =
            |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let (uid, gid) = text.split_once(':').unwrap_or((text, text));
        Some(Self { uid: number(uid)?, gid: number(gid)? })
    }

    pub(crate) fn is_root(self) -> bool {
        self.uid == 0 || self.gid == 0
    }
}
