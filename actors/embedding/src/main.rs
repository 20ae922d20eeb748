//! `llmbasedos-embed`: the process that holds the model. The daemon starts it when a text wants a vector, and ends it
//! when none has for a while; it speaks frames on its standard input and output, and is of no use to people.

use std::io::{self, BufReader, BufWriter};
use std::process::ExitCode;

fn main() -> ExitCode {
    embedding::be_a_child();
    let (input, output) = (BufReader::new(io::stdin()), BufWriter::new(io::stdout()));
    match embedding::serve(input, output, embedding::load) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
