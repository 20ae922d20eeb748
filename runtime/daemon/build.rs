//! What the linker is told.

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

/// The version of the C library that is linked to; older ones cannot read the short table.
fn glibc() -> Option<(u32, u32)> {
    let said = std::process::Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
