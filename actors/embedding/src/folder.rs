//! The folders of a model and of its runtime: which files, where, and whether they are the ones that were installed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::EmbedError;

/// The name of the runtime's folder among the models'.
const RUNTIME: &str = "onnxruntime";

/// The runtime.
const LIBRARY: &str = "libonnxruntime.so";

/// What cuts texts into tokens.
pub(crate) const TOKENIZER: &str = "tokenizer.json";

/// What every model consists of.
const FILES: [&str; 5] =
    ["model.onnx", TOKENIZER, "config.json", "tokenizer_config.json", "special_tokens_map.json"];

/// Beside the files of a folder, what they were when they were installed.
const MANIFEST: &str = "manifest.json";

/// Where a model and its runtime are looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// The folder of all models, and of the runtime: `state_dir/models`.
    pub models: PathBuf,
    /// A name among them (`all-MiniLM-L6-v2`), or the path of a folder.
    pub model: String,
    /// The library, if it is elsewhere.
    pub runtime: Option<PathBuf>,
}

/// What `make model` writes. A folder without one is somebody's own, and is taken as it is.
#[derive(Debug, Default, Deserialize)]
struct Manifest {
    /// Where it is from: for people.
    #[cfg(feature = "onnx")]
    source: String,
    files: BTreeMap<String, Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    bytes: u64,
    #[cfg(any(feature = "onnx", feature = "rten"))]
    blake3: String,
}

/// A folder, and what its manifest says.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    manifest: Option<Manifest>,
}

/// The files of a model, read and found whole.
#[cfg(any(feature = "onnx", feature = "rten"))]
pub(crate) struct Parts {
    pub(crate) model: Vec<u8>,
    pub(crate) tokenizer: Vec<u8>,
    pub(crate) config: Vec<u8>,
    pub(crate) tokenizer_config: Vec<u8>,
    pub(crate) special_tokens_map: Vec<u8>,
}

// === impl Places ===

impl Places {
    /// The model's folder.
    pub fn folder(&self) -> PathBuf {
        if self.model.contains('/') { PathBuf::from(&self.model) } else { self.models.join(&self.model) }
    }

    /// The runtime's library.
    pub fn library(&self) -> PathBuf {
        self.runtime.clone().unwrap_or_else(|| self.models.join(RUNTIME).join(LIBRARY))
    }

    /// Whether everything is there and of the right size.
    ///
    /// # Errors
    /// [`EmbedError::NotInstalled`] or [`EmbedError::Damaged`], for the first file that is not.
    pub fn look(&self) -> Result<(), EmbedError> {
        let folder = Folder::open(self.folder())?;
        FILES.iter().try_for_each(|name| folder.look(name))?;
        // With rten in the program it is not needed.
        if cfg!(feature = "rten") {
            return Ok(());
        }
        self.look_for_library()
    }

    /// Whether the library is there and of the right size.
    pub(crate) fn look_for_library(&self) -> Result<(), EmbedError> {
        let library = self.library();
        Folder::of(&library)?.look(&file_name(&library))
    }

    /// The library's path, once its bytes are found to be what was installed; and its name for people.
    #[cfg(feature = "onnx")]
    pub(crate) fn checked_library(&self) -> Result<(PathBuf, String), EmbedError> {
        let library = self.library();
        let folder = Folder::of(&library)?;
        let name = file_name(&library);
        folder.look(&name)?;
        // Only its bytes tell a truncated library from a good one; the kernel would end the process over it.
        if folder.manifest.is_some() {
            folder.read(&name)?;
        }
        // The wheel's name begins with package and version; the library itself does not tell its version.
        let source = folder.source().and_then(|wheel| wheel.strip_prefix("onnxruntime-"));
        let version = source.and_then(|rest| rest.split('-').next());
        Ok((library, version.map_or("ONNX Runtime".into(), |version| format!("ONNX Runtime {version}"))))
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

// === impl Folder ===

impl Folder {
    pub(crate) fn open(path: PathBuf) -> Result<Self, EmbedError> {
        let file = path.join(MANIFEST);
        let manifest = match fs::read(&file) {
            Ok(text) => Some(
                serde_json::from_slice(&text)
                    .map_err(|error| EmbedError::damaged(&file, format!("no manifest: {error}")))?,
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(EmbedError::damaged(&file, error.to_string())),
        };
        Ok(Self { path, manifest })
    }

    fn of(file: &Path) -> Result<Self, EmbedError> {
        Self::open(file.parent().unwrap_or(Path::new(".")).to_owned())
    }

    /// That a file is there, with the size it should have.
    fn look(&self, name: &str) -> Result<(), EmbedError> {
        let file = self.path.join(name);
        let found = match fs::metadata(&file) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            _ => return Err(EmbedError::NotInstalled { file }),
        };
        match self.entry(name) {
            Some(entry) if entry.bytes != found => {
                let what = format!("{found} bytes instead of {}", entry.bytes);
                Err(EmbedError::damaged(&file, what))
            }
            _ => Ok(()),
        }
    }

    #[cfg(any(feature = "onnx", feature = "rten"))]
    /// A file's bytes, once they are found to be what was installed.
    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>, EmbedError> {
        self.look(name)?;
        let file = self.path.join(name);
        let bytes = fs::read(&file).map_err(|error| EmbedError::damaged(&file, error.to_string()))?;
        match self.entry(name) {
            Some(entry) if blake3::hash(&bytes).to_hex().as_str() != entry.blake3 => {
                Err(EmbedError::damaged(&file, "its bytes have changed"))
            }
            _ => Ok(bytes),
        }
    }

    /// Where its files are from, if it says so.
    #[cfg(feature = "onnx")]
    pub(crate) fn source(&self) -> Option<&str> {
        self.manifest.as_ref().map(|manifest| manifest.source.as_str())
    }

    #[cfg(any(feature = "onnx", feature = "rten"))]
    /// A file that a model may do without.
    pub(crate) fn json(&self, name: &str) -> Option<serde_json::Value> {
        serde_json::from_slice(&fs::read(self.path.join(name)).ok()?).ok()
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.manifest.as_ref()?.files.get(name)
    }
}

// === impl Parts ===

#[cfg(any(feature = "onnx", feature = "rten"))]
impl Parts {
    pub(crate) fn read(folder: &Folder) -> Result<Self, EmbedError> {
        let [model, tokenizer, config, tokenizer_config, special_tokens_map] = FILES;
        Ok(Self {
            model: folder.read(model)?,
            tokenizer: folder.read(tokenizer)?,
            config: folder.read(config)?,
            tokenizer_config: folder.read(tokenizer_config)?,
            special_tokens_map: folder.read(special_tokens_map)?,
        })
    }
}
