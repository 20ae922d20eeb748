//! `resources/*`: files as `file:///` URIs, folders of mail as `mail://ACCOUNT/FOLDER`, runs of workflows as `run://ID`, and
//! what this instance knows of itself. Everything here is a tool too, since some hosts have no resources.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::mcp::{file_uri, mail_folder_of_uri, mail_uri, path_of_uri, run_of_uri};
use protocol::{Cancel, Code, Error};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Server;
use crate::asking::Asking;
use crate::cursor;
use crate::native::NativeCall;
use crate::out::Out;
use crate::rpc::RpcError;
use crate::spill;

/// Files in one page.
const PAGE: usize = 100;

/// Files change at any time; whoever wants to know subscribes.
const TTL_MS: u64 = 0;

/// What this instance knows of itself: URI, name, what it is, and the method that says it.
const OWN: [(&str, &str, &str, &str); 2] = [
    ("llmbasedos://tree", "tree", "The live supervision tree of this instance", "mcp.admin.tree"),
    ("llmbasedos://licence", "licence", "Who you are here and what you may do", "mcp.licence.check"),
];

/// What says all about a run, and how many of its newest events.
const GET_RUN: &str = "mcp.agent.getRun";
const EVENTS: usize = 1000;

/// Where a list goes on.
#[derive(Serialize, Deserialize)]
struct Place {
    /// The file service's own cursor.
    files: Option<String>,
}

/// An entry of `mcp.fs.list`, as far as it is shown.
#[derive(Deserialize)]
struct Entry {
    path: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    size: i64,
    #[serde(default)]
    modified_at: Option<String>,
}

#[derive(Deserialize)]
struct Listing {
    entries: Vec<Entry>,
    next_cursor: Option<String>,
}

/// A reply of `mcp.fs.read`, as far as it is used.
#[derive(Deserialize)]
struct Content {
    content: String,
    mime_type: String,
    next_offset: Option<u64>,
}

/// A call of a native method for a request, waited for.
pub(crate) struct Native {
    pub(crate) server: Arc<Server>,
    pub(crate) asking: Arc<Asking>,
    cancel: Cancel,
    deadline: std::time::Instant,
}

impl Native {
    pub(crate) fn new(server: &Arc<Server>, asking: Arc<Asking>, out: &Out) -> Self {
        Self { server: Arc::clone(server), asking, cancel: out.cancel.clone(), deadline: out.deadline }
    }

    /// The result as text.
    pub(crate) async fn text(&self, method: &str, params: &Value) -> Result<String, Error> {
        // A child of the request's signal would be raised with it; the request's own would be raised by our end.
        let cancel = Cancel::new();
        let call = NativeCall::new(method, params, &cancel, self.deadline);
        let asked = call.ask(&self.asking, &*self.server.dispatch);
        tokio::select! {
            outcome = asked => outcome.map(|payload| payload.as_str().to_owned()),
            _ = self.cancel.cancelled() => Err(Error::cancelled()),
        }
    }

    pub(crate) async fn read<T: for<'de> Deserialize<'de>>(
        &self,
        method: &str,
        params: &Value,
    ) -> Result<T, Error> {
        let text = self.text(method, params).await?;
        serde_json::from_str(&text).map_err(Error::internal)
    }

    fn may(&self, method: &str) -> bool {
        self.server.dispatch.tools(&self.asking.caller).has_method(method)
    }
}

/// `resources/list`: what is of interest without being asked for: this instance, and the top of the files.
pub(crate) async fn list(native: Native, cursor: Option<String>) -> Result<String, RpcError> {
    let place: Option<Place> = cursor::read(cursor.as_deref())?;
    let mut resources = Vec::new();
    if place.is_none() {
        if let Some(fixed) = &native.server.fixed {
            resources.extend(fixed.list());
        }
        let own = OWN.iter().filter(|(.., method)| native.may(method));
        resources.extend(own.map(|(uri, name, description, _)| {
            json!({ "uri": uri, "name": name, "title": description, "description": description,
                "mimeType": "application/json" })
        }));
        resources.extend(inboxes(&native).await);
    }
    let mut members = String::new();
    if native.may("mcp.fs.list") {
        let mut params = json!({ "path": "/", "limit": PAGE });
        if let Some(files) = place.and_then(|place| place.files) {
            params["cursor"] = files.into();
        }
        let listing: Listing =
            native.read("mcp.fs.list", &params).await.map_err(|error| RpcError::of(&error))?;
        resources.extend(listing.entries.into_iter().filter_map(Entry::resource));
        if listing.next_cursor.is_some() {
            let next = cursor::write(&Place { files: listing.next_cursor });
            members = format!(",\"nextCursor\":{}", json!(next));
        }
    }
    Ok(native.asking.cacheable(&format!("\"resources\":{}{members}", json!(resources)), TTL_MS))
}

/// An account of `mcp.mail.listAccounts`, as far as it is shown.
#[derive(Deserialize)]
struct Account {
    account_id: String,
    email_address: String,
    problem: Option<String>,
}

#[derive(Deserialize)]
struct Accounts {
    accounts: Vec<Account>,
}

/// The inbox of each account; no server is asked. None where that cannot be told.
async fn inboxes(native: &Native) -> Vec<Value> {
    if !native.may("mcp.mail.listMessages") {
        return Vec::new();
    }
    let listed = native.read("mcp.mail.listAccounts", &json!({})).await;
    let Accounts { accounts } = listed.unwrap_or(Accounts { accounts: Vec::new() });
    let usable = accounts.into_iter().filter(|account| account.problem.is_none());
    let inbox = |account: Account| {
        json!({ "uri": mail_uri(&account.account_id, "INBOX"), "name": format!("{} INBOX", account.account_id),
            "title": format!("Inbox of {}", account.email_address), "mimeType": "application/json",
            "description": "The newest messages at a glance. Subscribe to be told of news." })
    };
    usable.map(inbox).collect()
}

impl Entry {
    /// A link is shown by the tools; as a resource it would promise what cannot be read.
    fn resource(self) -> Option<Value> {
        let mut resource = json!({ "uri": file_uri(&self.path), "name": self.name });
        match self.kind.as_str() {
            "directory" => resource["mimeType"] = "inode/directory".into(),
            "file" => resource["size"] = self.size.into(),
            _ => return None,
        }
        if let Some(modified) = self.modified_at {
            resource["annotations"] = json!({ "lastModified": modified });
        }
        Some(resource)
    }
}

/// `resources/templates/list`.
pub(crate) fn templates(server: &Server, asking: &Asking, cursor: Option<&str>) -> Result<String, RpcError> {
    if cursor::read::<usize>(cursor)?.is_some() {
        return Err(cursor::invalid());
    }
    let mut templates = server.fixed.as_ref().map(|fixed| fixed.templates()).unwrap_or_default();
    if server.dispatch.tools(&asking.caller).has_method("mcp.fs.read") {
        templates.push(json!({
            "uriTemplate": "file:///{+path}", "name": "file", "title": "A file or folder",
            "description": "A file's content, or a folder's entries, under the roots that the owner has opened.",
        }));
    }
    if server.dispatch.tools(&asking.caller).has_method("mcp.mail.listMessages") {
        templates.push(json!({
            "uriTemplate": "mail://{account}/{+folder}", "name": "mail", "title": "A folder of mail",
            "description": "The newest messages of a folder at a glance. Subscribe to be told of news.",
        }));
    }
    if server.dispatch.tools(&asking.caller).has_method(GET_RUN) {
        templates.push(json!({
            "uriTemplate": "run://{execution_id}", "name": "run", "title": "A run of a workflow",
            "description": "How it is, what each of its steps came to, and its log.",
        }));
    }
    Ok(asking.cacheable(&format!("\"resourceTemplates\":{}", json!(templates)), 300_000))
}

#[derive(Deserialize)]
pub(crate) struct Uri {
    pub(crate) uri: String,
}

/// `resources/read`.
pub(crate) async fn read(native: Native, Uri { uri }: Uri) -> Result<String, RpcError> {
    let asking = &native.asking;
    let not_found = || RpcError::resource_not_found(&uri, asking.revision);
    let content = if let Some(fixed) = native.server.fixed.as_ref().and_then(|fixed| fixed.read(&uri)) {
        fixed
    } else if uri.starts_with(spill::PREFIX) {
        let text = native.server.spill.read(&asking.caller.name, &uri).ok_or_else(not_found)?;
        json!({ "uri": uri, "mimeType": "application/json", "text": text })
    } else if let Some((.., method)) = OWN.iter().find(|(own, ..)| *own == uri) {
        if !native.may(method) {
            return Err(not_found());
        }
        let text = native.text(method, &json!({})).await.map_err(|error| RpcError::of(&error))?;
        json!({ "uri": uri, "mimeType": "application/json", "text": text })
    } else if let Some(path) = path_of_uri(&uri)
        && native.may("mcp.fs.read")
    {
        file(&native, &uri, &path).await.map_err(|error| match error.code {
            Code::FsPath | Code::InvalidParams | Code::PermissionDenied => not_found(),
            _ => RpcError::of(&error),
        })?
    } else if let Some((account, folder)) = mail_folder_of_uri(&uri)
        && native.may("mcp.mail.listMessages")
    {
        let params = json!({ "account_id": account, "folder": folder });
        let text = native.text("mcp.mail.listMessages", &params).await.map_err(|error| match error.code {
            Code::MailAccount | Code::MailMessage | Code::PermissionDenied => not_found(),
            _ => RpcError::of(&error),
        })?;
        json!({ "uri": uri, "mimeType": "application/json", "text": text })
    } else if let Some(run) = run_of_uri(&uri)
        && native.may(GET_RUN)
    {
        let params = json!({ "execution_id": run, "events": EVENTS });
        let text = native.text(GET_RUN, &params).await.map_err(|error| match error.code {
            Code::AgentRun | Code::PermissionDenied => not_found(),
            _ => RpcError::of(&error),
        })?;
        json!({ "uri": uri, "mimeType": "application/json", "text": text })
    } else {
        return Err(not_found());
    };
    Ok(asking.cacheable(&format!("\"contents\":{}", json!([content])), TTL_MS))
}

/// A file's content: as text if it is, as bytes if not; a folder's entries as JSON.
async fn file(native: &Native, uri: &str, path: &str) -> Result<Value, Error> {
    match read_whole(native, path, "text").await {
        Ok((content, mime_type)) => Ok(json!({ "uri": uri, "mimeType": mime_type, "text": content })),
        Err(error) if kind(&error) == "not_utf8" => {
            let (content, mime_type) = read_whole(native, path, "base64").await?;
            Ok(json!({ "uri": uri, "mimeType": mime_type, "blob": content }))
        }
        Err(error) if kind(&error) == "is_a_directory" => {
            let text = native.text("mcp.fs.list", &json!({ "path": path })).await?;
            Ok(json!({ "uri": uri, "mimeType": "inode/directory", "text": text }))
        }
        Err(error) => Err(error),
    }
}

fn kind(error: &Error) -> &str {
    error.data.as_deref().and_then(|data| data["kind"].as_str()).unwrap_or_default()
}

/// A file in as many parts as it takes, up to what one result may be.
async fn read_whole(native: &Native, path: &str, encoding: &str) -> Result<(String, String), Error> {
    let mut bytes = Vec::new();
    let mut text = String::new();
    let mut offset = 0;
    loop {
        let params = json!({ "path": path, "encoding": encoding, "offset": offset });
        let part: Content = native.read("mcp.fs.read", &params).await?;
        if encoding == "text" {
            text.push_str(&part.content);
        } else {
            bytes.extend(STANDARD.decode(&part.content).map_err(Error::internal)?);
        }
        let Some(next) = part.next_offset else {
            let content = if encoding == "text" { text } else { STANDARD.encode(bytes) };
            return Ok((content, part.mime_type));
        };
        if text.len() + bytes.len() * 4 / 3 > native.server.result_bytes_max {
            let most = native.server.result_bytes_max;
            let advice = format!(
                "'{path}' is larger than the {most} bytes of one resource. Read it in parts with fs_read."
            );
            return Err(Error::new(Code::TooLarge, advice));
        }
        offset = next;
    }
}
