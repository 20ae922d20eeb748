//! `llmbasedos`: the program. What it does is in the library beside it, where tests reach it.

fn main() -> std::process::ExitCode {
    daemon::main()
}
