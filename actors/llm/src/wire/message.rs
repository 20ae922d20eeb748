//! Messages of a chat, read once into types. What is wrong is said with its place: `messages[2].content[0].text`.
//!
//! Everything is borrowed from the caller's JSON: a picture of megabytes is not copied to be looked at.

use std::fmt;

use serde_json::{Map, Value};

use super::WireError;

/// One message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) place: Place,
    pub(super) said: Said<'a>,
}

/// Who says what.
#[derive(Debug)]
pub(super) enum Said<'a> {
    /// Roles `system` and `developer`: the latter is the former's newer name.
    System(Vec<Part<'a>>),
    User(Vec<Part<'a>>),
    Assistant {
        parts: Vec<Part<'a>>,
        /// `reasoning_content`, as it was given to the caller.
        reasoning: Option<&'a str>,
        calls: Vec<Call<'a>>,
    },
    Tool {
        /// The call that this answers.
        call: &'a str,
        parts: Vec<Part<'a>>,
    },
}

/// A piece of a message.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) place: Place,
    pub(super) content: Content<'a>,
}

/// What a part is.
#[derive(Debug)]
pub(super) enum Content<'a> {
    Text(&'a str),
    Image(Source<'a>),
    Audio {
        /// Base64.
        data: &'a str,
        /// `wav` or `mp3`.
        format: &'a str,
    },
    File(Source<'a>),
    /// A kind of part that only providers with OpenAI's protocol may know.
    Other(&'a str),
}

/// Where the bytes of a picture or a file are.
#[derive(Debug, PartialEq)]
pub(super) enum Source<'a> {
    /// From a `data:` URL.
    Inline {
        mime: &'a str,
        /// Base64.
        data: &'a str,
    },
    /// At an `http:` or `https:` address, which the provider fetches.
    Remote(&'a str),
}

/// A call of a tool that the model made.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) place: Place,
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    /// JSON text.
    pub(super) arguments: &'a str,
    /// What Gemini wants back as it gave it: `extra_content.google.thought_signature`, as in Google's own
    /// OpenAI-compatible service.
    pub(super) signature: Option<&'a str>,
}

/// Where something stands, for errors; made into words only then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    message: usize,
    inner: Inner,
}

#[derive(Clone, Copy, Debug)]
enum Inner {
    Whole,
    Content(usize),
    Call(usize),
}

/// Reads all messages.
pub(super) fn read(messages: &[Value]) -> Result<Vec<Message<'_>>, WireError> {
    if messages.is_empty() {
        return Err(wrong("messages", "must have at least one message"));
    }
    messages.iter().enumerate().map(|(index, message)| Message::read(index, message)).collect()
}

/// An error about a place of the caller's.
pub(super) fn wrong(place: impl fmt::Display, what: impl fmt::Display) -> WireError {
    WireError::Unsupported(format!("{place} {what}"))
}

/// All text of `parts`; `None` when one of them is something else.
pub(super) fn text_of<'a>(parts: &[Part<'a>]) -> Option<Vec<&'a str>> {
    parts
        .iter()
        .map(|part| match part.content {
            Content::Text(text) => Some(text),
            _ => None,
        })
        .collect()
}

// === impl Message ===

impl<'a> Message<'a> {
    fn read(index: usize, message: &'a Value) -> Result<Self, WireError> {
        let place = Place { message: index, inner: Inner::Whole };
        let Some(fields) = message.as_object() else {
            return Err(wrong(place, "must be an object with 'role' and 'content'"));
        };
        let said = match fields.get("role").and_then(Value::as_str) {
            Some("system" | "developer") => Said::System(needed_parts(place, fields)?),
            Some("user") => Said::User(needed_parts(place, fields)?),
            Some("assistant") => assistant(place, fields)?,
            Some("tool") => Said::Tool {
                call: text_field(place, fields, "tool_call_id")?,
                parts: needed_parts(place, fields)?,
            },
            _ => {
                return Err(wrong(
                    format_args!("{place}.role"),
                    "must be one of: system, developer, user, assistant, tool",
                ));
            }
        };
        Ok(Self { place, said })
    }
}

fn assistant(place: Place, fields: &Map<String, Value>) -> Result<Said<'_>, WireError> {
    let calls = match given(fields, "tool_calls") {
        None => Vec::new(),
        Some(Value::Array(calls)) => calls
            .iter()
            .enumerate()
            .map(|(index, call)| Call::read(place, index, call))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(wrong(format_args!("{place}.tool_calls"), "must be an array")),
    };
    let parts = parts(place, fields)?;
    // What a model refused to say, or said aloud, stands in place of content.
    let spoke = given(fields, "refusal").is_some() || given(fields, "audio").is_some();
    if parts.is_none() && calls.is_empty() && !spoke {
        return Err(wrong(format_args!("{place}.content"), "must be given where there are no tool_calls"));
    }
    let reasoning = given(fields, "reasoning_content").and_then(Value::as_str);
    Ok(Said::Assistant { parts: parts.unwrap_or_default(), reasoning, calls })
}

fn needed_parts(place: Place, fields: &Map<String, Value>) -> Result<Vec<Part<'_>>, WireError> {
    parts(place, fields)?
        .ok_or_else(|| wrong(format_args!("{place}.content"), "must be a string or an array of parts"))
}

/// The content, or `None` where there is none.
fn parts(place: Place, fields: &Map<String, Value>) -> Result<Option<Vec<Part<'_>>>, WireError> {
    match given(fields, "content") {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(vec![Part { place, content: Content::Text(text) }])),
        Some(Value::Array(parts)) if !parts.is_empty() => parts
            .iter()
            .enumerate()
            .map(|(index, part)| Part::read(Place { inner: Inner::Content(index), ..place }, part))
            .collect::<Result<_, _>>()
            .map(Some),
        Some(_) => {
            Err(wrong(format_args!("{place}.content"), "must be a string or a non-empty array of parts"))
        }
    }
}

/// A field that is there and not null, which is the same as absent in OpenAI's shapes.
pub(super) fn given<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

fn text_field<'a>(
    place: impl fmt::Display,
    fields: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a str, WireError> {
    fields
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| wrong(format_args!("{place}.{name}"), "must be a string"))
}

fn object_field<'a>(
    place: impl fmt::Display,
    fields: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a Map<String, Value>, WireError> {
    fields
        .get(name)
        .and_then(Value::as_object)
        .ok_or_else(|| wrong(format_args!("{place}.{name}"), "must be an object"))
}

// === impl Part ===

impl<'a> Part<'a> {
    fn read(place: Place, part: &'a Value) -> Result<Self, WireError> {
        let Some(fields) = part.as_object() else {
            return Err(wrong(place, "must be an object with 'type'"));
        };
        let content = match text_field(place, fields, "type")? {
            "text" => Content::Text(text_field(place, fields, "text")?),
            "refusal" => Content::Text(text_field(place, fields, "refusal")?),
            "image_url" => {
                let image = object_field(place, fields, "image_url")?;
                let url = text_field(format_args!("{place}.image_url"), image, "url")?;
                Content::Image(Source::read(format_args!("{place}.image_url.url"), url)?)
            }
            "input_audio" => {
                let audio = object_field(place, fields, "input_audio")?;
                let place = format_args!("{place}.input_audio");
                Content::Audio {
                    data: text_field(place, audio, "data")?,
                    format: text_field(place, audio, "format")?,
                }
            }
            "file" => {
                let file = object_field(place, fields, "file")?;
                match file.get("file_data").and_then(Value::as_str) {
                    Some(url) => Content::File(Source::read(format_args!("{place}.file.file_data"), url)?),
                    // A file that was uploaded to OpenAI and is known by its id.
                    None => Content::Other("file"),
                }
            }
            other => Content::Other(other),
        };
        Ok(Self { place, content })
    }

    /// This part is of a kind that `provider` cannot read.
    pub(super) fn unsupported(&self, provider: &str) -> WireError {
        let kind = match &self.content {
            Content::Text(_) => "text",
            Content::Image(_) => "image_url",
            Content::Audio { .. } => "input_audio",
            Content::File(_) => "file",
            Content::Other(kind) => kind,
        };
        wrong(self.place, format_args!("is of type '{kind}', which is not supported by {provider} models"))
    }
}

// === impl Source ===

impl<'a> Source<'a> {
    fn read(place: impl fmt::Display, url: &'a str) -> Result<Self, WireError> {
        if url.starts_with("https://") || url.starts_with("http://") {
            return Ok(Self::Remote(url));
        }
        // Parameters between the type and `base64` are allowed by RFC 2397 and say nothing that a model needs.
        let inline =
            url.strip_prefix("data:").and_then(|rest| rest.split_once(',')).and_then(|(head, data)| {
                let mime = head.strip_suffix(";base64")?.split(';').next()?;
                (!mime.is_empty() && !data.is_empty()).then_some(Self::Inline { mime, data })
            });
        inline.ok_or_else(|| wrong(place, "must be an http(s) URL or data:TYPE;base64,DATA"))
    }
}

// === impl Call ===

impl<'a> Call<'a> {
    fn read(message: Place, index: usize, call: &'a Value) -> Result<Self, WireError> {
        let place = Place { inner: Inner::Call(index), ..message };
        let Some(fields) = call.as_object() else {
            return Err(wrong(place, "must be an object"));
        };
        let function = object_field(place, fields, "function")?;
        Ok(Self {
            place,
            id: text_field(place, fields, "id")?,
            name: text_field(format_args!("{place}.function"), function, "name")?,
            arguments: text_field(format_args!("{place}.function"), function, "arguments")?,
            signature: call.pointer("/extra_content/google/thought_signature").and_then(Value::as_str),
        })
    }

    /// The arguments as the object that all but OpenAI want. Models write nothing for "no arguments".
    pub(super) fn arguments(&self) -> Result<Value, WireError> {
        if self.arguments.trim().is_empty() {
            return Ok(Value::Object(Map::new()));
        }
        match serde_json::from_str(self.arguments) {
            Ok(arguments @ Value::Object(_)) => Ok(arguments),
            _ => Err(wrong(
                format_args!("{}.function.arguments", self.place),
                "must be the text of a JSON object",
            )),
        }
    }
}

// === impl Place ===

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "messages[{}]", self.message)?;
        match self.inner {
            Inner::Whole => Ok(()),
            Inner::Content(index) => write!(f, ".content[{index}]"),
            Inner::Call(index) => write!(f, ".tool_calls[{index}]"),
        }
    }
}
