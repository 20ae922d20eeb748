//! `llmbasedos`: the program. What it does is in the library beside it, where tests reach it.

/// glibc's allocator locks an arena whenever another thread frees into it, which is what every answered call does
/// here (decision 0007).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    daemon::main()
}
