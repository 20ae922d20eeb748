//! luca-shell.
fn main() {}
