//! Damaged files: whatever happens to one, opening says so and the index is as if it were not there.

use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::tests::{SHAPE, SMALL, Truth, settle, vector};
use crate::{Index, Opened, VectorsError, open};

/// A folder with one segment of 40 chunks, some of them equal.
fn folder() -> (TempDir, PathBuf, Vec<u8>) {
    let folder = TempDir::new().expect("a temporary folder");
    let index = open(folder.path(), SHAPE, SMALL).expect("an empty folder").index;
    let chunks: Vec<_> = (0..40).map(|id| (id * 7, vector(id / 2))).collect();
    index.insert(&chunks[..32]).expect("good vectors");
    settle(&index);
    let path = folder.path().join("0000000000000000.hnsw");
    let bytes = fs::read(&path).expect("it is sealed");
    (folder, path, bytes)
}

fn opened(folder: &TempDir) -> Opened {
    open(folder.path(), SHAPE, SMALL).expect("the folder is there")
}

/// Opens a folder whose only file is damaged.
fn is_damaged(folder: &TempDir, path: &Path, bytes: &[u8], what: &str) {
    fs::write(path, bytes).expect("a writable folder");
    let Opened { index, unusable } = opened(folder);
    assert_eq!(index.stats().chunks, 0, "{what}");
    assert!(matches!(unusable[..], [(_, Unusable::Damaged(_))]), "{what}: {unusable:?}");
    assert!(!path.exists(), "{what}");
}

#[test]
fn what_is_written_is_read() {
    let (folder, path, bytes) = folder();
    let segment = read(&path, &SHAPE).expect("it is good");
    assert_eq!((segment.len(), segment.codes.len()), (32, 16));
    assert_eq!(write(folder.path(), &SHAPE, &segment).expect("there is room"), path);
    assert_eq!(fs::read(&path).expect("it is there"), bytes);
    let Opened { index, unusable } = opened(&folder);
    assert!(unusable.is_empty());
    assert_eq!(index.ids(), (0..32).map(|id| id * 7).collect());
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 1, "nothing unfinished is left");
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_damaged() {
    let (folder, path, bytes) = folder();
    for length in (0..HEADER).chain((HEADER..bytes.len()).step_by(7)) {
        is_damaged(&folder, &path, &bytes[..length], &format!("{length} bytes"));
    }
}

#[test]
fn a_file_with_any_byte_altered_is_damaged() {
    let (folder, path, bytes) = folder();
    for at in (0..HEADER).chain((HEADER..bytes.len()).step_by(5)) {
        let mut altered = bytes.clone();
        altered[at] ^= 1 << (at % 8);
        is_damaged(&folder, &path, &altered, &format!("byte {at}"));
    }
    is_damaged(&folder, &path, &[&bytes[..], &[0]].concat(), "a byte more");
}

#[test]
fn a_header_that_promises_too_much_allocates_nothing() {
    let (folder, path, bytes) = folder();
    let mut header = bytes[..HEADER - HASH].to_vec();
    header[44..52].fill(0xff);
    header.extend(*blake3::hash(&header).as_bytes());
    header.extend(&bytes[HEADER..]);
    is_damaged(&folder, &path, &header, "four thousand million nodes");
}

#[test]
fn a_file_of_another_model_is_left_alone() {
    for shape in [Shape { fingerprint: [7; 16], ..SHAPE }, Shape { dimension: 25, ..SHAPE }] {
        let (folder, path, _) = folder();
        let Opened { index, unusable } = open(folder.path(), shape, SMALL).expect("the folder is there");
        assert!(matches!(unusable[..], [(_, Unusable::Foreign)]), "{unusable:?}");
        assert!(path.exists());
        let chunks: Vec<_> = (0..21).map(|id| (id, vec![0.1; shape.dimension])).collect();
        index.insert(&chunks).expect("good vectors");
        settle(&index);
        assert_eq!(opened(&folder).index.stats().chunks, 32, "new segments have names of their own");
    }
}

#[test]
fn of_two_segments_with_a_chunk_the_newer_has_it() {
    // A crash between a build's file and the removal of those that it replaces.
    let (folder, path, bytes) = folder();
    let index = opened(&folder).index;
    index.delete(&(0..70).collect());
    settle(&index);
    assert!(!path.exists());
    fs::write(&path, bytes).expect("a writable folder");
    let index = opened(&folder).index;
    assert_eq!((index.stats().chunks, index.stats().segments, index.stats().dead), (32, 2, 22));
    // The caller knows that the first ten are gone, and then nothing is left of the older one.
    index.delete(&(0..70).collect());
    settle(&index);
    assert_eq!((index.stats().chunks, index.stats().segments, index.stats().dead), (22, 1, 0));
    assert!(!path.exists());
}

#[test]
fn a_build_that_cannot_be_written_changes_nothing() {
    let folder = TempDir::new().expect("a temporary folder");
    let index = opened(&folder).index;
    index.insert(&Truth::clustered(1, 30).chunks()).expect("good vectors");
    let plan = index.plan().expect("the tail is long");
    fs::remove_dir_all(folder.path()).expect("it is there");
    let failed = plan.build(1, &AtomicBool::new(false));
    assert!(matches!(failed, Err(VectorsError::Write { .. })));
    assert_eq!(index.stats().tail, 30);
}

#[test]
fn what_was_not_finished_is_removed() {
    let (folder, path, bytes) = folder();
    let unfinished = path.with_extension(UNFINISHED);
    fs::write(&unfinished, bytes).expect("a writable folder");
    assert!(opened(&folder).unusable.is_empty());
    assert!(!unfinished.exists());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Someone who can compute hashes: whatever the content, it is refused or can be searched.
    #[test]
    fn content_with_the_right_hash_does_not_break_a_search(
        changes in prop::collection::vec((HEADER..5000_usize, any::<u8>()), 1..6),
    ) {
        let (folder, path, mut bytes) = folder();
        let end = bytes.len() - HASH;
        for (at, value) in changes {
            bytes[HEADER + at % (end - HEADER)] = value;
        }
        let hash = *blake3::hash(&bytes[..end]).as_bytes();
        bytes[end..].copy_from_slice(&hash);
        fs::write(&path, bytes).expect("a writable folder");
        search(&opened(&folder).index);
    }

    #[test]
    fn noise_is_no_segment(mut bytes in prop::collection::vec(any::<u8>(), 0..2000), honest: bool) {
        let folder = TempDir::new().expect("a temporary folder");
        if honest {
            bytes.splice(..8.min(bytes.len()), *MAGIC);
        }
        is_damaged(&folder, &folder.path().join("0000000000000001.hnsw"), &bytes, "noise");
    }
}

fn search(index: &Index) {
    let truth = Truth((0..40).map(|id| (id * 7, vector(id / 2))).collect());
    let allowed = index.ids();
    for seed in 0..4 {
        let query = crate::Query { vector: &vector(seed), k: 20, allowed: (seed > 1).then_some(&allowed) };
        index.search(&query, &truth).expect("it answers");
    }
}
