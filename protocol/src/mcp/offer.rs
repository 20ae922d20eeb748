//! Prompts and resources that are part of the program, as whoever serves them sees them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::result::Rich;
use crate::context::Context;
use crate::error::Error;

/// A prompt as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptInfo {
    /// What it is called in requests.
    pub name: String,
    /// What people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is for.
    pub description: String,
    /// What it takes, in the order in which a person is asked.
    pub arguments: Vec<PromptArgument>,
}

/// One argument of a prompt; its value is text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptArgument {
    /// What it is called in the prompt and in requests.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Whether the prompt makes no sense without it.
    #[serde(default)]
    pub required: bool,
    /// What it is completed to, where there are few sensible values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Whether it is completed to paths of files.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub path: bool,
}

/// A prompt.
pub trait Prompt: Send + Sync + 'static {
    /// How it is listed.
    fn info(&self) -> PromptInfo;

    /// Its messages: `{"description", "messages": [{"role", "content"}]}`. The arguments are known to be the
    /// prompt's own, and none that is required is missing.
    ///
    /// # Errors
    /// Whatever the caller should be told; [`Error::input_required`] where a question must be answered first.
    fn get(&self, context: &Context, arguments: &BTreeMap<String, String>) -> Result<Rich, Error>;
}

/// Resources that are in memory and the same for everybody.
pub trait FixedResources: Send + Sync + 'static {
    /// `Resource` objects: `uri`, `name`, `mimeType`…
    fn list(&self) -> Vec<Value>;

    /// `ResourceTemplate` objects: `uriTemplate`, `name`…
    fn templates(&self) -> Vec<Value>;

    /// The content of one: `{"uri", "mimeType", "text" or "blob"}`; `None` when there is none of that URI.
    fn read(&self, uri: &str) -> Option<Value>;
}
