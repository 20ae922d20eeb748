//! The settings of finding files by what is in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Finding files by what is in them: `mcp.fs.embed` and `mcp.fs.search`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    /// The embedding model: a name among those in `models` in `state_dir`, which `make model` fills, or the path of a
    /// folder with `model.onnx` and `tokenizer.json`. The original's by default. With another one all texts are read by
    /// it anew; with none words are searched, and meaning is not.
    #[schemars(length(min = 1, max = 4096))]
    pub model: String,
    /// How many cores reading texts may take; 0 is half of them. A core reads some 15 pieces of text in a second, so
    /// a large folder takes an hour, and the machine has other work.
    #[schemars(range(min = 0, max = 256))]
    pub threads: usize,
    /// After how many seconds without use the model is ended, which gives its memory back, some 250 MB. A minute is
    /// longer than the pause between two questions.
    #[schemars(range(min = 1, max = 86_400))]
    pub idle_seconds: u64,
    /// The longest text that is read, in bytes; longer files are skipped. 16 MiB, because what is longer is a log or
    /// a dump with a hundred thousand pieces.
    #[schemars(range(min = 1024, max = 268_435_456))]
    pub text_bytes_max: u64,
    /// The longest document (PDF, DOCX) that is read, in bytes. 64 MiB, because most of a document is pictures.
    #[schemars(range(min = 1024, max = 1_073_741_824))]
    pub document_bytes_max: u64,
    /// How often everything is looked at, in minutes, in case a change was not told. Changes are told at once where
    /// the system can watch, which it cannot on every file system.
    #[schemars(range(min = 1, max = 10_080))]
    pub look_every_minutes: u64,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            model: "all-MiniLM-L6-v2".to_owned(),
            threads: 0,
            idle_seconds: 60,
            text_bytes_max: 16 * 1024 * 1024,
            document_bytes_max: 64 * 1024 * 1024,
            look_every_minutes: 30,
        }
    }
}
