//! Which prompts there are: the shipped ones, and every `*.md` of a folder. A file that is no prompt is left out and
//! complained about; it never hides another.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::template::{Mistake, Template};

/// A prompt is a page of text; what is longer is something else in the wrong folder.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// More than anybody finds their way in, and `prompts/list` is sent whole.
const FILES_MAX: usize = 200;

/// A prompt's name is typed behind a slash in most hosts.
const NAME_MAX: usize = 64;

const SHIPPED: &[(&str, &str)] = &[
    ("find-and-read", include_str!("../shipped/find-and-read.md")),
    ("summarize-folder", include_str!("../shipped/summarize-folder.md")),
    ("tidy-notes", include_str!("../shipped/tidy-notes.md")),
];

/// What was found, and what is wrong with the rest, one sentence each.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) prompts: BTreeMap<String, Arc<Template>>,
    pub(crate) complaints: Vec<String>,
}

/// Reads everything anew.
pub(crate) fn all(folder: Option<&Path>) -> Found {
    let mut found = Found::default();
    for (name, text) in SHIPPED {
        found.take(name, Template::parse(name, text), Path::new("(shipped)"));
    }
    let Some(folder) = folder else { return found };
    let mut files = match markdown(folder) {
        Ok(files) => files,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return found,
        Err(error) => {
            let message = format!("{}: cannot be read ({error}): make it readable", folder.display());
            found.complaints.push(message);
            return found;
        }
    };
    files.sort();
    if files.len() > FILES_MAX {
        found.complaints.push(format!(
            "{}: has {} prompts, and the first {FILES_MAX} by name are offered: move some away",
            folder.display(),
            files.len()
        ));
        files.truncate(FILES_MAX);
    }
    for path in files {
        let (name, prompt) = read(&path);
        found.take(&name, prompt, &path);
    }
    found
}

impl Found {
    fn take(&mut self, name: &str, prompt: Result<Template, Mistake>, path: &Path) {
        match prompt {
            Ok(prompt) => drop(self.prompts.insert(name.to_owned(), Arc::new(prompt))),
            Err(Mistake { line, message }) => {
                let line = line.map_or_else(String::new, |line| format!("{line}:"));
                let place = path.display();
                self.complaints.push(format!("{place}:{line} {message} (the file is left out)"));
            }
        }
    }
}

/// The folder's `*.md`, in no order. Hidden ones are an editor's own.
fn markdown(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    Ok(files)
}

fn read(path: &Path) -> (String, Result<Template, Mistake>) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let prompt = if !stem.chars().all(fits) || stem.len() > NAME_MAX {
        Err(Mistake::of_file(format!(
            "is named by what no caller can type: rename it to at most {NAME_MAX} letters, digits, '-', '_' and '.'"
        )))
    } else {
        text(path).and_then(|text| Template::parse(&stem, &text))
    };
    (stem, prompt)
}

fn text(path: &Path) -> Result<String, Mistake> {
    let unreadable = |error| Mistake::of_file(format!("cannot be read ({error}): make it readable"));
    // Asked first: to open a pipe is to wait for somebody who writes.
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err(Mistake::of_file("is no file: move it away".to_owned()));
    }
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(unreadable)?.take(FILE_BYTES_MAX + 1);
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let message = format!("is larger than {FILE_BYTES_MAX} bytes: shorten it");
        return Err(Mistake::of_file(message));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = String::from_utf8_lossy(&error.as_bytes()[..good]).split('\n').count();
        Mistake::at(line, "is not UTF-8: save the file in that encoding".to_owned())
    })
}
