//! The few colours there are, and the one place that decides whether they appear.

/// Whether a stream gets colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Paint {
    Plain,
    Coloured,
}

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy)]
pub(crate) enum Ink {
    Bad,
    Good,
    Folder,
    Key,
    Faint,
    Strong,
}

impl Paint {
    pub(crate) fn ink(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Bad => "31",
            Ink::Good => "32",
            Ink::Folder => "1;34",
            Ink::Key => "36",
            Ink::Faint => "2",
            Ink::Strong => "1",
        };
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}
