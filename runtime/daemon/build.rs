//! What the linker is told.

#[expect(clippy::disallowed_methods, reason = "how cargo tells a build script")]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Functions that are the same machine code become one: generics of many methods are. Nothing here compares
    // addresses of functions. An idle process weighs what its program weighs (decision 0011).
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
        // What an idle process has called lies side by side, so that the rest is not resident (order/make).
        if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
            let list = concat!(env!("CARGO_MANIFEST_DIR"), "/order/functions.txt");
            println!("cargo::rerun-if-changed={list}");
            println!(
                "cargo::rustc-link-arg-bins=-Wl,--symbol-ordering-file={list},--no-warn-symbol-ordering"
            );
        }
    }
}
