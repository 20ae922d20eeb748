//! `llmbasedos-embed`: the processes beside the daemon, which starts them when they are wanted and ends them when they are
//! not. Without arguments it holds the embedding model; `read MODELS MODEL` reads files, in the pieces that this model's
//! tokenizer makes of them. Both speak frames on their standard input and output, and are of no use to people.

use std::ffi::OsString;
use std::io::{self, BufReader, BufWriter};
use std::path::PathBuf;
use std::process::ExitCode;

use embedding::{Places, Tokens};

fn main() -> ExitCode {
    subprocess::be_a_child();
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let served = match &arguments[..] {
        [] => hold_a_model(),
        [verb, models, model] if verb == "read" => read(models.into(), &model.to_string_lossy()),
        _ => Err(io::Error::other("it is started by llmbasedos, not by hand")),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("llmbasedos-embed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn hold_a_model() -> io::Result<()> {
    embedding::serve(BufReader::new(io::stdin()), BufWriter::new(io::stdout()), embedding::load)
}

fn read(models: PathBuf, model: &str) -> io::Result<()> {
    // Without one, words are as good a measure as there is.
    let tokens = Tokens::open(&Places { models, model: model.to_owned(), runtime: None }).ok();
    reading::confine()?;
    let tokenize = |text: &str| tokens.as_ref()?.begins(text);
    reading::serve(BufReader::new(io::stdin()), BufWriter::new(io::stdout()), &tokenize)
}
