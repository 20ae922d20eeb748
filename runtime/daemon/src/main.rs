//! llmbasedos.
fn main() {}
