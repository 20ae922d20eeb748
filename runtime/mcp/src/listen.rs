//! What clients are told without asking again: lists that changed, resources that changed.
//!
//! A modern client opens `subscriptions/listen`, a request that stays open and says what it wants; a legacy one is
//! told of lists always, and of resources that it subscribed to.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use protocol::mcp::{key, path_of_uri};
use protocol::{Cancel, Cause, Code, Id};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::Server;
use crate::asking::{Asking, server_info_short};
use crate::client::Client;
use crate::native::{NativeCall, notification};
use crate::out::{News, Out};
use crate::resources::Uri;
use crate::rpc::RpcError;

/// A listener listens as long as it likes: its connection's end, or a cancel, ends it.
const LISTENS: Duration = Duration::from_hours(24 * 365);

/// Resources that one client may watch.
const RESOURCES_MAX: usize = 64;

/// How long a file service that was restarted is given before it is asked again.
const WATCH_AGAIN: Duration = Duration::from_millis(100);

/// What one change of several lists within a moment is gathered over.
const SETTLE: Duration = Duration::from_millis(50);

#[derive(Deserialize)]
struct Params {
    notifications: Wanted,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wanted {
    tools_list_changed: bool,
    prompts_list_changed: bool,
    resources_list_changed: bool,
    resource_subscriptions: Option<Vec<String>>,
}

/// What happened.
enum Change {
    Tools,
    Prompts,
    Resources,
    Resource(String),
}

impl Change {
    fn method(&self) -> &'static str {
        match self {
            Self::Tools => "notifications/tools/list_changed",
            Self::Prompts => "notifications/prompts/list_changed",
            Self::Resources => "notifications/resources/list_changed",
            Self::Resource(_) => "notifications/resources/updated",
        }
    }

    fn params(&self) -> Value {
        match self {
            Self::Resource(uri) => json!({ "uri": uri }),
            _ => json!({}),
        }
    }
}

/// `subscriptions/listen`.
pub(crate) fn listen(
    server: &Arc<Server>,
    asking: Arc<Asking>,
    id: &Id,
    params: Option<&RawValue>,
    mut out: Out,
) {
    let text = params.map_or("{}", RawValue::get);
    let Params { notifications: mut wanted } = match serde_json::from_str(text) {
        Ok(params) => params,
        Err(error) => return out.error(&RpcError::invalid_params(error)),
    };
    let uris = wanted.resource_subscriptions.take().unwrap_or_default();
    if uris.len() > RESOURCES_MAX {
        let why = format!("{} resources; {RESOURCES_MAX} can be watched", uris.len());
        return out.error(&RpcError::invalid_params(why));
    }
    out.extend(Instant::now() + LISTENS);
    let (server, id) = (Arc::clone(server), json!(id));
    Arc::clone(&server).tasks.spawn(async move {
        let watched: Vec<String> = uris.into_iter().filter(|uri| watchable(uri)).collect();
        let meta = json!({ key::SUBSCRIPTION_ID: id });
        let news = out.news();
        acknowledge(&news, &wanted, &watched, &meta);
        let mut changes = Changes::begin(&server, &asking, &wanted, watched);
        loop {
            let change = tokio::select! {
                _ = server.stopping.cancelled() => return out.result(ended(&meta)),
                cause = out.cancel.cancelled() => {
                    if cause == Cause::Shutdown {
                        out.result(ended(&meta));
                    }
                    return;
                }
                change = changes.next() => change,
            };
            let mut params = change.params();
            params["_meta"] = meta.clone();
            news.send(notification(change.method(), &params));
        }
    });
}

/// The result of a subscription that the server ends.
fn ended(meta: &Value) -> String {
    let mut meta = meta.clone();
    meta[key::SERVER_INFO] = server_info_short();
    json!({ "resultType": "complete", "_meta": meta }).to_string()
}

/// What of it is honoured, ahead of everything else.
fn acknowledge(news: &News, wanted: &Wanted, watched: &[String], meta: &Value) {
    let mut honoured = json!({});
    for (name, wanted) in [
        ("toolsListChanged", wanted.tools_list_changed),
        ("promptsListChanged", wanted.prompts_list_changed),
        ("resourcesListChanged", wanted.resources_list_changed),
    ] {
        if wanted {
            honoured[name] = true.into();
        }
    }
    if !watched.is_empty() {
        honoured["resourceSubscriptions"] = json!(watched);
    }
    let params = json!({ "notifications": honoured, "_meta": meta });
    news.send(notification("notifications/subscriptions/acknowledged", &params));
}

/// Whether changes of this resource can be told.
fn watchable(uri: &str) -> bool {
    path_of_uri(uri).is_some()
}

/// Changes as they happen; what watches for them ends with this.
struct Changes {
    changes: mpsc::Receiver<Change>,
    watching: Vec<tokio::task::AbortHandle>,
}

impl Changes {
    fn begin(server: &Arc<Server>, asking: &Arc<Asking>, wanted: &Wanted, uris: Vec<String>) -> Self {
        let (tell, changes) = mpsc::channel(64);
        let mut watching = Vec::new();
        if wanted.tools_list_changed {
            watching.push(server.tasks.spawn(tools(Arc::clone(server), Arc::clone(asking), tell.clone())));
        }
        if wanted.prompts_list_changed {
            watching.push(server.tasks.spawn(prompts(Arc::clone(server), tell.clone())));
        }
        if wanted.resources_list_changed {
            let paths = vec![("/".to_owned(), None)];
            watching.push(server.tasks.spawn(files(
                Arc::clone(server),
                Arc::clone(asking),
                paths,
                tell.clone(),
            )));
        }
        let paths: Vec<_> =
            uris.into_iter().filter_map(|uri| Some((path_of_uri(&uri)?, Some(uri)))).collect();
        if !paths.is_empty() {
            watching.push(server.tasks.spawn(files(Arc::clone(server), Arc::clone(asking), paths, tell)));
        }
        Self { changes, watching }
    }

    async fn next(&mut self) -> Change {
        match self.changes.recv().await {
            Some(change) => change,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.watching.iter().for_each(tokio::task::AbortHandle::abort);
    }
}

/// Tells when the tools of this caller changed.
async fn tools(server: Arc<Server>, asking: Arc<Asking>, tell: mpsc::Sender<Change>) {
    loop {
        let changed = server.dispatch.offer_changed();
        let before = server.dispatch.tools(&asking.caller);
        changed.await;
        tokio::time::sleep(SETTLE).await;
        let after = server.dispatch.tools(&asking.caller);
        let same = before.all().iter().map(|tool| &tool.text).eq(after.all().iter().map(|tool| &tool.text));
        if !same && tell.send(Change::Tools).await.is_err() {
            return;
        }
    }
}

async fn prompts(server: Arc<Server>, tell: mpsc::Sender<Change>) {
    loop {
        (server.prompts_changed)().await;
        if tell.send(Change::Prompts).await.is_err() {
            return;
        }
    }
}

/// One change that `mcp.fs.watch` tells.
#[derive(Deserialize)]
struct FileChange {
    path: String,
}

/// Tells when one of these paths changed: as the resource that it is, or as the list of all.
async fn files(
    server: Arc<Server>,
    asking: Arc<Asking>,
    paths: Vec<(String, Option<String>)>,
    tell: mpsc::Sender<Change>,
) {
    let names: Vec<&str> = paths.iter().map(|(path, _)| path.as_str()).collect();
    let change = |uri: &Option<String>| uri.clone().map_or(Change::Resources, Change::Resource);
    loop {
        let cancel = Cancel::new();
        let call =
            NativeCall::new("mcp.fs.watch", &json!({ "paths": names }), &cancel, Instant::now() + LISTENS);
        let mut following = call.follow(&asking, &*server.dispatch);
        let ended = loop {
            match following.next().await {
                Ok(news) => {
                    let Ok(FileChange { path }) = serde_json::from_str(&news) else { continue };
                    let Some((_, uri)) = paths.iter().find(|(known, _)| *known == path) else { continue };
                    if tell.send(change(uri)).await.is_err() {
                        return;
                    }
                }
                Err(error) => break error,
            }
        };
        if !matches!(ended.code, Code::Unavailable | Code::Interrupted) {
            tracing::debug!(
                caller = asking.caller.name,
                error = ended.message,
                "resources are no longer watched"
            );
            return;
        }
        // The file service was restarted. What changed meanwhile nobody knows, so everything may have.
        tokio::time::sleep(WATCH_AGAIN).await;
        for (_, uri) in &paths {
            if tell.send(change(uri)).await.is_err() {
                return;
            }
        }
    }
}

/// Tells a legacy client of changed lists for as long as it is there.
pub(crate) fn tell_of_lists(server: &Arc<Server>, client: &Arc<Client>, asking: &Arc<Asking>) {
    let wanted = Wanted { tools_list_changed: true, prompts_list_changed: true, ..Wanted::default() };
    let changes = Changes::begin(server, asking, &wanted, Vec::new());
    client.tasks().spawn(tell_client(changes, Arc::downgrade(client)));
}

async fn tell_client(mut changes: Changes, client: Weak<Client>) {
    loop {
        let change = changes.next().await;
        let Some(client) = client.upgrade() else { return };
        client.push(notification(change.method(), &change.params()));
    }
}

/// `resources/subscribe`.
pub(crate) fn subscribe(
    server: &Arc<Server>,
    client: &Arc<Client>,
    asking: &Arc<Asking>,
    uri: String,
) -> Result<(), RpcError> {
    let fixed = server.fixed.as_ref().is_some_and(|fixed| fixed.read(&uri).is_some());
    if fixed || uri.starts_with("llmbasedos://") {
        return Ok(());
    }
    if !watchable(&uri) {
        return Err(RpcError::resource_not_found(&uri, asking.revision));
    }
    if client.subscriptions() >= RESOURCES_MAX {
        return Err(RpcError::invalid_params(format!("{RESOURCES_MAX} resources are watched already")));
    }
    let changes = Changes::begin(server, asking, &Wanted::default(), vec![uri.clone()]);
    let watching = client.tasks().spawn(tell_client(changes, Arc::downgrade(client)));
    client.subscribed(uri, watching);
    Ok(())
}

/// `resources/unsubscribe`.
pub(crate) fn unsubscribe(client: &Client, Uri { uri }: &Uri) {
    client.unsubscribed(uri);
}
