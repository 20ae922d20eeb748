//! The front matter of a prompt's file: what the prompt is called and takes, in YAML between two lines `---`.

use protocol::mcp::PromptArgument;
use serde::Deserialize;

use crate::template::Mistake;

/// A person is asked for each of them before anything happens.
const ARGUMENTS_MAX: usize = 20;

/// What the front matter says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    #[serde(default)]
    pub(crate) title: Option<String>,
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) arguments: Vec<PromptArgument>,
}

/// The head, and the number of lines before the body.
pub(crate) fn read(lines: &[&str]) -> Result<(Head, usize), Mistake> {
    const SHAPE: &str = "a prompt begins with a line `---`, then `description: …`, then another line `---`";
    if lines.first().map(|line| line.trim_end()) != Some("---") {
        return Err(Mistake::at(1, format!("is no `---`: {SHAPE}")));
    }
    let end = lines.iter().skip(1).position(|line| line.trim_end() == "---");
    let end = end.ok_or_else(|| Mistake::at(1, format!("has no second `---`: {SHAPE}")))? + 1;
    // An empty line stands for the first, so that the parser counts as the file does.
    let yaml = format!("\n{}", lines[1..end].join("\n"));
    let head: Head = serde_yaml::from_str(&yaml).map_err(|error| {
        let line = error.location().map_or(1, |place| place.line().clamp(1, end + 1));
        Mistake::at(line, format!("correct the front matter: {error}"))
    })?;
    head.check().map_err(|message| Mistake::at(1, message))?;
    Ok((head, end + 1))
}

impl Head {
    fn check(&self) -> Result<(), String> {
        if self.description.trim().is_empty() {
            return Err("has an empty `description`: say what the prompt is for".to_owned());
        }
        if self.arguments.len() > ARGUMENTS_MAX {
            return Err(format!("has more than {ARGUMENTS_MAX} arguments: ask for less"));
        }
        for (at, argument) in self.arguments.iter().enumerate() {
            let name = &argument.name;
            if !is_name(name) {
                return Err(format!("has an argument '{name}': use letters, digits, '-' and '_'"));
            }
            if self.arguments[..at].iter().any(|other| other.name == *name) {
                return Err(format!("has two arguments '{name}': rename one"));
            }
        }
        Ok(())
    }
}

/// Whether an argument may be called so: it stands between braces.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    !name.is_empty() && name.len() <= 64 && name.chars().all(fits)
}
