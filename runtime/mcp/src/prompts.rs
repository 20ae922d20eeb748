//! `prompts/*` and `completion/complete`, by the prompt service and the file service.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use protocol::mcp::PromptInfo;
use protocol::{Code, Error};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::Server;
use crate::asking::Asking;
use crate::cursor;
use crate::out::Out;
use crate::questions::{Askable, Returned};
use crate::resources::Native;
use crate::rpc::RpcError;

/// How long a list stays good: `list_changed` says when it does not.
const TTL_MS: u64 = 60_000;

/// Prompts in one page.
const PAGE: usize = 100;

/// Values that a completion may have.
const VALUES_MAX: usize = 100;

#[derive(Deserialize)]
struct Prompts {
    prompts: Vec<PromptInfo>,
}

/// `prompts/list`.
pub(crate) async fn list(native: Native, cursor: Option<String>) -> Result<String, RpcError> {
    let from = cursor::read::<usize>(cursor.as_deref())?.unwrap_or_default();
    let prompts = all(&native).await?;
    let page = prompts.get(from..).ok_or_else(cursor::invalid)?;
    let shown: Vec<_> = page.iter().take(PAGE).map(listed).collect();
    let mut members = format!("\"prompts\":{}", json!(shown));
    if page.len() > PAGE {
        let _ = write!(members, ",\"nextCursor\":{}", json!(cursor::write(&(from + PAGE))));
    }
    Ok(native.asking.cacheable(&members, TTL_MS))
}

/// The prompts that there are for this caller; none where it may not use them.
async fn all(native: &Native) -> Result<Vec<PromptInfo>, RpcError> {
    match native.read::<Prompts>("mcp.prompts.list", &json!({})).await {
        Ok(found) => Ok(found.prompts),
        Err(error) if matches!(error.code, Code::PermissionDenied | Code::MethodNotFound) => Ok(Vec::new()),
        Err(error) => Err(RpcError::of(&error)),
    }
}

/// A prompt as the protocol lists it: without what only completion needs.
fn listed(prompt: &PromptInfo) -> Value {
    let argument = |argument: &protocol::mcp::PromptArgument| json!({ "name": argument.name, "description": argument.description, "required": argument.required });
    let mut listed = json!({ "name": prompt.name });
    if let Some(title) = &prompt.title {
        listed["title"] = title.clone().into();
    }
    listed["description"] = prompt.description.clone().into();
    listed["arguments"] = prompt.arguments.iter().map(argument).collect();
    listed
}

#[derive(Deserialize)]
struct Get<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default)]
    arguments: Map<String, Value>,
    #[serde(rename = "inputResponses", default)]
    responses: Option<Map<String, Value>>,
    #[serde(rename = "requestState", default)]
    state: Option<String>,
}

/// `prompts/get`.
pub(crate) fn get(server: &Arc<Server>, asking: Arc<Asking>, params: Option<&RawValue>, out: Out) {
    let text = params.map_or("{}", RawValue::get);
    let get: Get<'_> = match serde_json::from_str(text) {
        Ok(get) => get,
        Err(error) => return out.error(&RpcError::invalid_params(error)),
    };
    let wanted = json!({ "name": get.name, "arguments": get.arguments });
    let askable = Askable {
        server: Arc::clone(server),
        asking,
        method: "mcp.prompts.get".into(),
        params: serde_json::value::to_raw_value(&wanted).expect("values serialise to memory"),
        finish: Arc::new(|_, asking, outcome| {
            let payload = outcome.map_err(|error| match error.code {
                Code::PermissionDenied | Code::MethodNotFound => RpcError::invalid_params("unknown prompt"),
                _ => RpcError::of(&error),
            })?;
            let text = payload.as_str();
            let members = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            Ok(asking.complete(members.ok_or_else(RpcError::internal)?))
        }),
        early: Map::new(),
        round: 0,
    };
    askable.begin(Returned { responses: get.responses, state: get.state }, out);
}

#[derive(Deserialize)]
pub(crate) struct Complete {
    r#ref: Reference,
    argument: Argument,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Reference {
    #[serde(rename = "ref/prompt")]
    Prompt { name: String },
    #[serde(rename = "ref/resource")]
    Resource { uri: String },
}

#[derive(Deserialize)]
struct Argument {
    name: String,
    value: String,
}

/// `completion/complete`.
pub(crate) async fn complete(native: Native, params: Complete) -> Result<String, RpcError> {
    let Complete { r#ref, argument } = params;
    let values = match r#ref {
        Reference::Prompt { name } => {
            let prompts = all(&native).await?;
            let prompt = prompts.into_iter().find(|prompt| prompt.name == name);
            let prompt =
                prompt.ok_or_else(|| RpcError::invalid_params(format!("no prompt '{}'", short(&name))))?;
            match prompt.arguments.into_iter().find(|known| known.name == argument.name) {
                Some(known) if known.path => paths(&native, &argument.value).await?,
                Some(known) => {
                    known.values.into_iter().filter(|value| value.starts_with(&argument.value)).collect()
                }
                None => {
                    return Err(RpcError::invalid_params(format!("no argument '{}'", short(&argument.name))));
                }
            }
        }
        Reference::Resource { uri } if uri.starts_with("file:///") => {
            let value = argument.value.trim_start_matches('/');
            let found = paths(&native, &format!("/{value}")).await?;
            found.into_iter().map(|path| path.trim_start_matches('/').to_owned()).collect()
        }
        Reference::Resource { .. } => Vec::new(),
    };
    let total = values.len();
    let values: Vec<String> = values.into_iter().take(VALUES_MAX).collect();
    let completion = json!({ "values": values, "total": total, "hasMore": total > VALUES_MAX });
    Ok(native.asking.complete(&format!("\"completion\":{completion}")))
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

/// Paths that begin with `value`: the entries of the folder it has reached.
async fn paths(native: &Native, value: &str) -> Result<Vec<String>, RpcError> {
    #[derive(Deserialize)]
    struct Listing {
        entries: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        path: String,
        r#type: String,
    }
    let value = if value.starts_with('/') { value.to_owned() } else { format!("/{value}") };
    let folder = value.rfind('/').map_or("/", |at| if at == 0 { "/" } else { &value[..at] });
    let listing: Result<Listing, Error> = native.read("mcp.fs.list", &json!({ "path": folder })).await;
    let entries = match listing {
        Ok(listing) => listing.entries,
        // A folder that is not there, or not for this caller, completes to nothing.
        Err(error) if matches!(error.code, Code::RateLimited | Code::Authentication) => {
            return Err(RpcError::of(&error));
        }
        Err(_) => return Ok(Vec::new()),
    };
    let fitting = entries.into_iter().filter(|entry| entry.path.starts_with(&value));
    Ok(fitting
        .map(|entry| if entry.r#type == "directory" { format!("{}/", entry.path) } else { entry.path })
        .collect())
}
