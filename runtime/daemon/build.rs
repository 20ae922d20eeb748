//! What the linker is told.

use std::fmt::Write as _;

/// How far the number of a function's copy may have shifted since the list was made.
const SHIFT: u32 = 64;

#[expect(clippy::disallowed_methods, reason = "how cargo tells a build script")]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Functions that are the same machine code become one: generics of many methods are. Nothing here compares
    // addresses of functions. An idle process weighs what its program weighs (decision 0011).
    // LLD's own words, which is what Rust links with on x86-64 Linux.
    let target =
        ["OS", "ARCH"].map(|part| std::env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default());
    if target == ["linux", "x86_64"] {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
        // What an idle process has called lies side by side, so that the rest is not resident (order/make).
        if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
            // Asked for now: what this script was compiled with may be another clone's that shares the target folder.
            let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
            let list = format!("{folder}/order/functions.txt");
            println!("cargo::rerun-if-changed={list}");
            let list = with_neighbours(&list);
            println!(
                "cargo::rustc-link-arg-bins=-Wl,--symbol-ordering-file={list},--no-warn-symbol-ordering"
            );
            // All of the table of what is to be relocated is read at the start: 50 kB of it instead of 1.9 MB.
            if glibc().is_some_and(|version| version >= (2, 36)) {
                println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
            }
        }
    }
}

/// Copies of one function are numbered in the order in which the compiler comes by them (`NAME.4285`), and every change
/// anywhere shifts the numbers by a few: so the copies near a listed one are listed too. Names that are none cost nothing.
/// Returns where the longer list is.
#[expect(clippy::disallowed_methods, reason = "how cargo tells a build script")]
fn with_neighbours(list: &str) -> String {
    let names = std::fs::read_to_string(list).unwrap_or_default();
    let mut all = String::with_capacity(4 * names.len());
    for name in names.lines() {
        match name.rsplit_once('.').and_then(|(base, number)| Some((base, number.parse::<u32>().ok()?))) {
            Some((base, number)) => {
                for number in number.saturating_sub(SHIFT)..=number + SHIFT {
                    let _ = writeln!(all, "{base}.{number}");
                }
            }
            None => {
                let _ = writeln!(all, "{name}");
            }
        }
    }
    let longer = format!("{}/functions.txt", std::env::var("OUT_DIR").unwrap_or_default());
    std::fs::write(&longer, all).expect("OUT_DIR is for this");
    longer
}

/// The version of the C library that is linked to; older ones cannot read the short table.
fn glibc() -> Option<(u32, u32)> {
    let said = std::process::Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
