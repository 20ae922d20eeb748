//! Opening a folder of segments: what is good is used, and what is not is said.
//!
//! The folder is a cache. Whoever opens it compares [`Index::ids`] with the truth: what is here and not there is to be
//! deleted, what is there and not here is to be inserted. A missing segment needs no other word than that.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use roaring::{RoaringBitmap, RoaringTreemap};

use crate::error::VectorsError;
use crate::file::{self, EXTENSION, UNFINISHED, Unusable};
use crate::index::{Home, Index, Limits, Shape};
use crate::segment::Segment;
use crate::view::{Placed, View};

/// An index, and the files that it could not use.
pub struct Opened {
    /// Of all good segments. To be compared with the truth before it is asked.
    pub index: Index,
    /// Every other segment file, and why.
    pub unusable: Vec<(PathBuf, Unusable)>,
}

/// Opens the index in `folder`, which is made if it is not there, and reads all of its segments: seconds for a million
/// chunks. Damaged files are removed, those of another model or version are left alone. One process at a time: a second
/// one would remove the files of the first, which loses time and nothing else.
///
/// # Errors
/// When the folder cannot be made or listed, or the dimension is 0 or too large.
pub fn open(folder: &Path, shape: Shape, limits: Limits) -> Result<Opened, VectorsError> {
    let failed = |source| VectorsError::Folder { path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    let (mut segments, mut unusable, mut serial) = (Vec::new(), Vec::new(), 0);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some(UNFINISHED) => drop(fs::remove_file(&path)),
            Some(EXTENSION) => {
                serial = serial.max(serial_after(&path));
                match file::read(&path, &shape) {
                    Ok(segment) => segments.push(segment),
                    Err(why) => {
                        if matches!(why, Unusable::Damaged(_)) {
                            let _ = fs::remove_file(&path);
                        }
                        unusable.push((path, why));
                    }
                }
            }
            _ => {}
        }
    }
    unusable.sort_by(|(a, _), (b, _)| a.cmp(b));
    let newest = segments.iter().map(|segment| segment.serial.saturating_add(1)).max();
    let view = View { segments: newest_first(segments), ..View::new(shape.dimension) };
    let home = Home { shape, folder: Some(Arc::new(folder.to_owned())) };
    let index = Index::of(home, limits, view, serial.max(newest.unwrap_or(0)))?;
    Ok(Opened { index, unusable })
}

/// After a crash between a build's file and the removal of those that it replaces, a chunk is in two of them. The newer
/// has it, and a segment that has nothing of its own goes.
fn newest_first(mut segments: Vec<Segment>) -> Vec<Placed> {
    segments.sort_by_key(|segment| std::cmp::Reverse(segment.serial));
    let mut seen = RoaringTreemap::new();
    let mut placed = Vec::with_capacity(segments.len());
    for segment in segments {
        let dead: RoaringBitmap = segment.rows_of(&seen).collect();
        seen.extend(segment.chunks().ids.iter().copied());
        let one = Placed { segment: Arc::new(segment), dead: Arc::new(dead) };
        if one.alive_count() > 0 {
            placed.push(one);
        } else {
            file::remove(&one.segment);
        }
    }
    placed
}

/// The serial number after the one that a file is named by. An unusable file keeps its name for itself.
fn serial_after(path: &Path) -> u64 {
    let name = path.file_stem().and_then(|stem| stem.to_str());
    name.and_then(|name| u64::from_str_radix(name, 16).ok()).map_or(0, |serial| serial.saturating_add(1))
}
