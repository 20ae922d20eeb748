//! Parts of the index on the disk are a cache: whatever becomes of them, searches are right and nothing is made again.

use std::fs;
use std::path::PathBuf;

use crate::kept::Kept;

/// What becomes of a file.
type Damage = fn(Vec<u8>) -> Vec<u8>;

/// The files of graphs.
fn parts(kept: &Kept) -> Vec<PathBuf> {
    let models = fs::read_dir(kept.state().join("index")).expect("graphs were built");
    let folder = models.map(|model| model.expect("a folder").path()).next().expect("a model's");
    fs::read_dir(folder).expect("a folder").map(|part| part.expect("a file").path()).collect()
}

#[test]
fn damaged_parts_are_made_again_from_the_state_file() {
    let kept = Kept::new();
    for n in 0..300 {
        kept.file(&format!("{n}.txt"), format!("special text of word{n}"));
    }
    drop(kept.current());
    let made = kept.embedded().len();
    assert!(parts(&kept).len() > 1, "{:?}", parts(&kept));
    let damages: [(&str, Damage); 4] = [
        ("cut off", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("empty", |_| Vec::new()),
        ("a byte changed", |mut bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            bytes
        }),
        ("something else", |bytes| vec![0xaa; bytes.len()]),
    ];
    for (damage, apply) in damages {
        for part in parts(&kept) {
            let bytes = fs::read(&part).expect("it is there");
            fs::write(&part, apply(bytes)).expect("there is room");
        }
        let mut keeper = kept.current();
        for n in [0, 17, 299] {
            let near = keeper.find("semantic", &format!("special text of word{n}"));
            assert!(near.contains(&format!("/{n}.txt")), "{damage}: {near:?}");
        }
        assert_eq!((keeper.status().vectors, kept.embedded().len()), (300, made), "{damage}");
    }
}
