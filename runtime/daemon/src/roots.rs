//! What the service of sync jobs needs of the roots, which belong to the file service.

use std::path::PathBuf;

/// The roots as jobs see them.
pub(crate) struct RootsOf(pub(crate) fs::Fs);

impl sync::Roots for RootsOf {
    fn folder(&self, tier: &str, path: &str, access: sync::Access) -> Result<PathBuf, protocol::Error> {
        let access = match access {
            sync::Access::Read => fs::Access::Read,
            sync::Access::Write => fs::Access::Write,
        };
        self.0.host_folder(tier, path, access)
    }

    fn shows(&self, tier: &str, path: &str) -> bool {
        self.0.shows(tier, path)
    }

    fn all(&self) -> Vec<(PathBuf, sync::Access)> {
        let access = |access| match access {
            fs::Access::Read => sync::Access::Read,
            fs::Access::Write => sync::Access::Write,
        };
        self.0.host_roots().into_iter().map(|(folder, of)| (folder, access(of))).collect()
    }
}
