//! The model's process, from inside: it answers one request after the other and ends with its pipe.

use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use subprocess::{frame, panic_text};

use crate::child::Settings;
use crate::engine::Embed;
use crate::error::EmbedError;
use crate::message::{self, Answer, Ask};

/// Numbers that follow an answer, as bytes.
type Numbers = Option<Vec<u8>>;

/// Answers what is asked in `input` until it ends, or the model does. A panic in the model's code is answered as
/// [`EmbedError::Crashed`] and is the last answer: what it left behind is not to be trusted.
///
/// # Errors
/// When the pipes break, or something else than a request is read.
pub fn serve(
    mut input: impl Read,
    mut output: impl Write,
    load: impl Fn(&Settings) -> Result<Box<dyn Embed>, EmbedError>,
) -> io::Result<()> {
    let mut model = None;
    while let Some(bytes) = frame::read(&mut input)? {
        let ask: Ask = frame::json(&bytes)?;
        let answered = catch_unwind(AssertUnwindSafe(|| answer(&mut model, ask, &load)));
        let outcome = answered.unwrap_or_else(|panic| Err(EmbedError::crashed(panic_text(panic.as_ref()))));
        let over = outcome.as_ref().is_err_and(EmbedError::ends_the_engine);
        match outcome {
            Ok((answer, numbers)) => {
                frame::write_json(&mut output, &answer)?;
                numbers.map_or(Ok(()), |numbers| frame::write(&mut output, &numbers))?;
            }
            Err(error) => frame::write_json(&mut output, &Answer::Failed(error))?,
        }
        output.flush()?;
        if over {
            break;
        }
    }
    Ok(())
}

fn answer(
    model: &mut Option<Box<dyn Embed>>,
    ask: Ask,
    load: &impl Fn(&Settings) -> Result<Box<dyn Embed>, EmbedError>,
) -> Result<(Answer, Numbers), EmbedError> {
    match ask {
        Ask::Load(settings) => {
            let facts = model.insert(load(&settings)?).facts().clone();
            Ok((Answer::Loaded(facts), None))
        }
        Ask::Embed { role, texts } => {
            let model = model.as_mut().ok_or_else(not_loaded)?;
            let vectors = model.embed(role, &texts)?;
            let dimensions = vectors.first().map_or(0, Vec::len);
            let numbers = message::bytes(vectors.into_iter().flatten());
            Ok((Answer::Vectors { dimensions }, Some(numbers)))
        }
        Ask::Count { texts } => {
            let model = model.as_mut().ok_or_else(not_loaded)?;
            Ok((Answer::Counts(model.count(&texts)?), None))
        }
    }
}

fn not_loaded() -> EmbedError {
    EmbedError::crashed("it was asked before it was loaded")
}
