//! What becomes of the tail and of the dead: plans, their builds, and the swap that puts a build in use.
//!
//! Builds are slow, so they are few: segments are of 16 k times a power of two, and two of a size become one of the next
//! (as in a binary counter), so that a million chunks are in 8 large segments and a few small ones, and each has been
//! built about four times. A build works on what a plan has seen and holds no lock; what was deleted, replaced or
//! inserted meanwhile is accounted for when it is installed.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use roaring::{RoaringBitmap, RoaringTreemap};

use crate::error::VectorsError;
use crate::file;
use crate::index::{Home, Index, Limits};
use crate::segment::Segment;
use crate::tail::Tail;
use crate::view::{Placed, View};

/// What to build, and of what: a moment's view, which changes no more.
#[derive(Debug)]
pub struct Plan {
    home: Home,
    serial: u64,
    segments: Vec<Placed>,
    tail: Tail,
    /// The last insertion that `tail` holds.
    until: u64,
}

/// A segment that is built, and written if the index has a folder, but not in use yet.
#[derive(Debug)]
pub struct Built {
    /// `None` when everything in the plan was dead.
    segment: Option<Segment>,
    plan: Plan,
}

impl Plan {
    /// How many chunks it is about; a build takes about 0.3 ms for each, on two cores.
    pub fn chunks(&self) -> usize {
        self.segments.iter().map(Placed::alive_count).sum::<usize>() + self.tail.len()
    }

    /// How many segments it replaces.
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// Builds the segment with `threads` threads of its own while this one waits: up to a minute, on a thread that may
    /// block. Ends soon after `cancel` is set. The segment's file is complete and on the disk when this returns.
    ///
    /// # Errors
    /// When cancelled, when threads cannot be started, or when the file cannot be written. Nothing has changed then.
    pub fn build(self, threads: usize, cancel: &AtomicBool) -> Result<Built, VectorsError> {
        let sealed = self.segments.iter().flat_map(|placed| placed.segment.alive(&placed.dead));
        let chunks: Vec<_> = sealed.chain(self.tail.rows()).collect();
        if chunks.is_empty() {
            return Ok(Built { segment: None, plan: self });
        }
        let shape = &self.home.shape;
        let mut segment = Segment::build(self.serial, shape.dimension, &chunks, threads, cancel)?;
        if let Some(folder) = &self.home.folder {
            segment.file = Some(file::write(folder, shape, &segment)?);
        }
        Ok(Built { segment: Some(segment), plan: self })
    }
}

impl Index {
    /// The next build that is worth its time, if any: the tail is long, or a segment has many dead. Make one at a time,
    /// install it and ask again, until there is none.
    pub fn plan(&self) -> Option<Plan> {
        let mut clock = self.clock();
        let view = self.view();
        let rows = tail_rows(&view, &self.limits);
        let mut segments = Vec::new();
        if rows == 0 {
            let dying = |placed: &&Placed| {
                placed.dead_count() * 100 >= placed.segment.len() * self.limits.dead_percent.max(1)
            };
            segments
                .push(view.segments.iter().filter(dying).max_by_key(|placed| placed.dead_count())?.clone());
        }
        merge(&view, rows, &mut segments, &self.limits);
        let (tail, until) = view.tail.oldest(rows);
        Some(Plan { home: self.home.clone(), serial: clock.next_serial(), segments, tail, until })
    }

    /// Puts a build in use and removes the files of what it replaces. Short, but for the removal of files.
    ///
    /// # Errors
    /// [`VectorsError::Stale`] when another build was installed that replaced a segment of this one's plan.
    pub fn install(&self, built: Built) -> Result<(), VectorsError> {
        let Built { segment, plan } = built;
        let segment = segment.map(Arc::new);
        let installed = self.change(|view, _| {
            let places: Vec<_> =
                plan.segments.iter().map(|input| place(view, input)).collect::<Option<_>>()?;
            let mut gone = RoaringTreemap::new();
            for (place, input) in places.iter().zip(&plan.segments) {
                let since = &*view.segments[*place].dead - &*input.dead;
                gone.extend(since.iter().map(|row| input.segment.id(row)));
            }
            let left = view.tail.take_until(plan.until);
            gone.extend(plan.tail.ids().filter(|id| !left.contains(*id)));
            view.segments.retain(|placed| {
                !plan.segments.iter().any(|input| Arc::ptr_eq(&input.segment, &placed.segment))
            });
            if let Some(segment) = &segment {
                let dead: RoaringBitmap = segment.rows_of(&gone).collect();
                view.segments.push(Placed { segment: segment.clone(), dead: Arc::new(dead) });
            }
            Some(())
        });
        // What cannot be removed is found at the next opening to hold nothing that a newer file does not.
        match installed {
            Some(()) => plan.segments.iter().for_each(|input| file::remove(&input.segment)),
            None => segment.iter().for_each(|segment| file::remove(segment)),
        }
        installed.ok_or(VectorsError::Stale)
    }
}

/// How many of the tail's oldest chunks to seal now: `seal` times the largest power of two that there are.
fn tail_rows(view: &View, limits: &Limits) -> usize {
    let (seal, tail) = (limits.seal.max(1), view.tail.len());
    let enough = tail >= seal && (tail > limits.exact_max || !view.segments.is_empty());
    let mut rows = if enough { seal } else { 0 };
    while rows > 0 && rows * 2 <= tail.min(limits.segment_max) {
        rows *= 2;
    }
    rows
}

/// Adds to what a build is of (`rows` of the tail, and `segments`) every segment that is not much larger than it.
fn merge(view: &View, rows: usize, segments: &mut Vec<Placed>, limits: &Limits) {
    let mut size = rows + segments.iter().map(Placed::alive_count).sum::<usize>();
    let taken: Vec<_> = segments.iter().map(|placed| placed.segment.serial).collect();
    let mut others: Vec<_> =
        view.segments.iter().filter(|placed| !taken.contains(&placed.segment.serial)).collect();
    others.sort_by_key(|placed| placed.alive_count());
    for other in others {
        let alive = other.alive_count();
        // A quarter more: two segments of one size have lost different numbers of chunks since.
        if alive <= size + size / 4 && size + alive <= limits.segment_max {
            size += alive;
            segments.push(other.clone());
        }
    }
}

fn place(view: &View, input: &Placed) -> Option<usize> {
    view.segments.iter().position(|placed| Arc::ptr_eq(&placed.segment, &input.segment))
}
