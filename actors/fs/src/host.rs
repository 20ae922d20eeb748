//! Where a folder of a root is on this machine, for a program that cannot be handed a handle (rclone).
//!
//! The path is resolved beneath the root's handle like any other, and what is told is where the kernel says that the
//! opened folder lies: there is no link in it. What is missing of it is told too, for a program that makes it.

use std::os::fd::AsFd as _;
use std::path::PathBuf;

use protocol::Error;
use rustix::io::Errno;

use crate::beneath::{self, Last, TO_LOOK};
use crate::fault::{Fault, What};
use crate::path::VirtualPath;
use crate::service::Fs;

/// What a program is to do in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Look.
    Read,
    /// Everything; the folder may be missing yet.
    Write,
}

impl Fs {
    /// Where the folder `path` is for callers of `tier`.
    ///
    /// # Errors
    /// As any method's: no such folder, not a folder, a read-only root, a path that leads out.
    pub fn host_folder(&self, tier: &str, path: &str, access: Access) -> Result<PathBuf, Error> {
        Ok(self.folder(tier, path, access)?)
    }

    /// Whether callers of `tier` see the root that `path` is in.
    pub fn shows(&self, tier: &str, path: &str) -> bool {
        path.parse::<VirtualPath>().is_ok_and(|path| matches!(self.roots().place(tier, path), Ok(Some(_))))
    }

    /// Where the roots are, and what may be done in each.
    pub fn host_roots(&self) -> Vec<(PathBuf, Access)> {
        let access = |writable| if writable { Access::Write } else { Access::Read };
        let roots = self.roots().iter();
        roots
            .filter_map(|root| Some((beneath::place_of(root.dir.as_fd())?, access(root.writable()))))
            .collect()
    }

    fn folder(&self, tier: &str, path: &str, access: Access) -> Result<PathBuf, Fault> {
        let path: VirtualPath = path.parse()?;
        let place = self.roots().place(tier, path)?.ok_or_else(|| Fault::new(What::Protected, "/"))?;
        let mut place = if access == Access::Write { place.changeable()? } else { place };
        let mut missing = Vec::new();
        loop {
            match place.open(TO_LOOK | rustix::fs::OFlags::DIRECTORY, Last::Followed) {
                Ok(folder) => {
                    let there = beneath::place_of(folder.as_fd());
                    let there = there.ok_or_else(|| Fault::new(What::NotFound, &place.path))?;
                    return Ok(missing
                        .into_iter()
                        .rev()
                        .fold(there, |at: PathBuf, name: String| at.join(name)));
                }
                Err(error)
                    if access == Access::Write
                        && Errno::from_io_error(&error) == Some(Errno::NOENT)
                        && !place.is_root() =>
                {
                    let (above, name) = place.parent()?;
                    missing.push(name.to_owned());
                    place = above;
                }
                Err(error) => return Err(Fault::io(error, &place.path)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::config::{Mode, Root, Settings};

    #[test]
    fn a_folder_is_where_its_handle_is_and_never_outside() {
        let home = tempfile::tempdir().unwrap();
        let at = home.path().canonicalize().unwrap();
        for name in ["rw/inner", "ro", "secret", "outside"] {
            std::fs::create_dir_all(at.join(name)).unwrap();
        }
        std::fs::write(at.join("rw/file"), "x").unwrap();
        symlink(at.join("outside"), at.join("rw/out")).unwrap();
        symlink("inner", at.join("rw/in")).unwrap();
        let root = |name: &str, mode, tiers: &[&str]| Root {
            at: format!("/{name}"),
            path: at.join(name),
            mode,
            tiers: tiers.iter().map(|tier| (*tier).to_owned()).collect(),
        };
        let roots = vec![
            root("rw", Mode::ReadWrite, &[]),
            root("ro", Mode::ReadOnly, &[]),
            root("secret", Mode::ReadWrite, &["ELITE"]),
        ];
        let fs = Fs::open(&Settings { roots, ..Settings::default() }).unwrap();
        let check = |path: &str, access, expected: Result<&str, &str>| {
            let got = fs.host_folder("FREE", path, access);
            let got = got
                .map(|host| host.strip_prefix(&at).unwrap().display().to_string())
                .map_err(|error| error.data.unwrap()["kind"].as_str().unwrap().to_owned());
            assert_eq!(got.as_deref().map_err(String::as_str), expected, "{path}");
        };
        check("/rw/inner", Access::Read, Ok("rw/inner"));
        check("/rw/in", Access::Write, Ok("rw/inner"));
        check("/rw/new/deep", Access::Write, Ok("rw/new/deep"));
        check("/rw/in/new", Access::Write, Ok("rw/inner/new"));
        check("/rw/new", Access::Read, Err("not_found"));
        check("/rw/file", Access::Read, Err("not_a_directory"));
        check("/rw/out", Access::Read, Err("outside"));
        check("/rw/out/new", Access::Write, Err("outside"));
        check("/rw/../outside", Access::Write, Err("outside"));
        check("/ro", Access::Read, Ok("ro"));
        check("/ro/new", Access::Write, Err("read_only"));
        check("/secret", Access::Read, Err("not_found"));
        check("/rw/.llmbasedos-trash", Access::Write, Err("reserved"));
        check("/", Access::Read, Err("protected"));
        check("relative", Access::Read, Err("not_absolute"));
        assert!(fs.shows("ELITE", "/secret/x") && !fs.shows("FREE", "/secret/x") && fs.shows("FREE", "/ro"));
        assert_eq!(fs.host_roots().len(), 3);
    }
}
