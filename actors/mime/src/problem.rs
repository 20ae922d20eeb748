//! What was wrong with a message that is shown all the same, in words for a person.

use std::fmt;

use crate::limits;

/// Something that was broken, cut or not readable. Told beside the result, never instead of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The message is longer than what is looked at.
    MessageCut,
    /// The header is longer, or has more fields, than what is looked at.
    HeaderCut,
    /// A line of the header is none.
    HeaderLine,
    /// The header does not end with an empty line.
    NoEmptyLine,
    /// A header has letters outside ASCII without a charset: which one it is was guessed.
    HeaderGuessed {
        /// The charset's name.
        charset: &'static str,
    },
    /// There are more parts than are looked at.
    TooManyParts,
    /// Parts are deeper in one another than is looked at.
    TooDeep {
        /// The part that is shown as it is.
        part: String,
    },
    /// A multipart that has no boundary, or where it occurs nowhere.
    NoBoundary,
    /// A multipart without an end: the message may have been cut on its way.
    Unfinished,
    /// Text that is not in the charset that it says it is in.
    Charset {
        /// The part.
        part: String,
        /// What it says, if it says something.
        declared: Option<String>,
        /// What it was read as.
        read_as: &'static str,
    },
    /// Bytes that the transfer encoding cannot have; what could be read is there.
    Encoding {
        /// The part.
        part: String,
    },
    /// The text is longer than what is shown.
    BodyCut {
        /// The part.
        part: String,
    },
    /// The HTML is longer than what is made text.
    HtmlCut,
    /// The text is encrypted, or is inside the seal of its signature.
    Encrypted,
    /// Attachments are packed in Outlook's own format.
    Tnef {
        /// The part.
        part: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MessageCut => {
                write!(
                    f,
                    "the message is longer than {} MB: the rest is left out",
                    limits::MESSAGE_BYTES >> 20
                )
            }
            Self::HeaderCut => f.write_str("a header is too long: the rest of it is left out"),
            Self::HeaderLine => f.write_str("a header has a line that is no field: it is left out"),
            Self::NoEmptyLine => {
                f.write_str("no empty line is behind a header: the text begins where a line is no field")
            }
            Self::HeaderGuessed { charset } => {
                write!(f, "a header has raw letters without a charset: read as {charset}")
            }
            Self::TooManyParts => {
                write!(f, "the message has more than {} parts: the rest is left out", limits::PARTS)
            }
            Self::TooDeep { part } => {
                write!(f, "part {part} is nested deeper than {} levels: it is not looked into", limits::DEPTH)
            }
            Self::NoBoundary => f.write_str("a multipart has no boundary: it is shown as text"),
            Self::Unfinished => f.write_str("a multipart has no end: the message may have been cut"),
            Self::Charset { part, declared: Some(declared), read_as } => {
                write!(
                    f,
                    "part {part} says its charset is {declared:?}, which does not fit: read as {read_as}"
                )
            }
            Self::Charset { part, declared: None, read_as } => {
                write!(f, "part {part} does not say its charset: read as {read_as}")
            }
            Self::Encoding { part } => {
                write!(f, "part {part} is not encoded as it says: what could be decoded is shown")
            }
            Self::BodyCut { part } => {
                write!(f, "the text of part {part} is longer than {} MB: cut", limits::BODY_BYTES >> 20)
            }
            Self::HtmlCut => {
                write!(f, "the HTML is longer than {} MB: its text is cut there", limits::HTML_BYTES >> 20)
            }
            Self::Encrypted => {
                f.write_str("the message is encrypted or sealed as a whole: its text cannot be shown")
            }
            Self::Tnef { part } => {
                write!(
                    f,
                    "part {part} is Outlook's winmail.dat (TNEF): attachments inside it are not unpacked"
                )
            }
        }
    }
}

/// The problems of one message, each once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn note(&mut self, problem: Problem) {
        if self.0.len() < limits::PROBLEMS && !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    pub(crate) fn note_all(&mut self, problems: impl IntoIterator<Item = Problem>) {
        problems.into_iter().for_each(|problem| self.note(problem));
    }

    pub(crate) fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}
