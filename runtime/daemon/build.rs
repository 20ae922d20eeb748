//! What the linker is told.

#[expect(clippy::disallowed_methods, reason = "how cargo tells a build script")]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Functions that are the same machine code become one: generics of many methods are. Nothing here compares
    // addresses of functions. An idle process weighs what its program weighs (decision 0011).
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    }
}
