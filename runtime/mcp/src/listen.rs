//! What clients are told without asking again: lists that changed, resources that changed.
//!
//! A modern client opens `subscriptions/listen`, a request that stays open and says what it wants; a legacy one is
//! told of lists always, and of resources that it subscribed to.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use protocol::dispatch::BoxFuture;
use protocol::mcp::{Toolbox, key, mail_folder_of_uri, path_of_uri};
use protocol::{Cancel, Cause, Code, Id};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

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

/// How long a service that was restarted is given before it is asked again.
const WATCH_AGAIN: Duration = Duration::from_millis(100);

/// How long the file service is given to begin.
const BEGINS_WITHIN: Duration = Duration::from_secs(5);

/// How long a mail server is.
const MAIL_BEGINS_WITHIN: Duration = Duration::from_secs(30);

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
#[derive(Clone)]
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
        // Acknowledged once it is watched: what changes after that is told.
        let (mut changes, watched) = Changes::begin(&server, &asking, &wanted, watched).await;
        acknowledge(&news, &wanted, &watched, &meta);
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
    path_of_uri(uri).is_some() || mail_folder_of_uri(uri).is_some()
}

/// Changes as they happen; what watches for them ends with this.
struct Changes {
    changes: mpsc::Receiver<Change>,
    watching: Vec<tokio::task::AbortHandle>,
}

impl Changes {
    /// Begins to watch; also says which of the resources are watched.
    async fn begin(
        server: &Arc<Server>,
        asking: &Arc<Asking>,
        wanted: &Wanted,
        uris: Vec<String>,
    ) -> (Self, Vec<String>) {
        let (tell, changes) = mpsc::channel(64);
        let mut all = Self { changes, watching: Vec::new() };
        if wanted.tools_list_changed {
            let known = server.dispatch.tools(&asking.caller);
            let watching = tools(Arc::clone(server), Arc::clone(asking), known, tell.clone());
            all.watching.push(server.tasks.spawn(watching));
        }
        if wanted.prompts_list_changed {
            let changed = (server.prompts_changed)();
            all.watching.push(server.tasks.spawn(prompts(Arc::clone(server), changed, tell.clone())));
        }
        if wanted.resources_list_changed {
            all.watch(server, asking, vec![("/".to_owned(), None)], &tell).await;
        }
        let (mut paths, mut folders) = (Vec::new(), Vec::new());
        for uri in uris {
            if let Some(path) = path_of_uri(&uri) {
                paths.push((path, Some(uri)));
            } else if let Some(folder) = mail_folder_of_uri(&uri) {
                folders.push((folder, uri));
            }
        }
        let mut watched =
            if paths.is_empty() { Vec::new() } else { all.watch(server, asking, paths, &tell).await };
        watched.extend(all.watch_mail(server, asking, folders, &tell).await);
        (all, watched)
    }

    /// Also says which folders are watched. All are asked for at once: each waits for its server.
    async fn watch_mail(
        &mut self,
        server: &Arc<Server>,
        asking: &Arc<Asking>,
        folders: Vec<((String, String), String)>,
        tell: &mpsc::Sender<Change>,
    ) -> Vec<String> {
        let mut waiting = Vec::new();
        for (folder, uri) in folders {
            let (begun, is_begun) = oneshot::channel();
            let watching =
                mail(Arc::clone(server), Arc::clone(asking), folder, uri.clone(), tell.clone(), begun);
            self.watching.push(server.tasks.spawn(watching));
            waiting.push((is_begun, uri));
        }
        let until = tokio::time::Instant::now() + MAIL_BEGINS_WITHIN;
        let mut watched = Vec::new();
        for (is_begun, uri) in waiting {
            if let Ok(Ok(())) = tokio::time::timeout_at(until, is_begun).await {
                watched.push(uri);
            }
        }
        watched
    }

    async fn watch(
        &mut self,
        server: &Arc<Server>,
        asking: &Arc<Asking>,
        paths: Vec<(String, Option<String>)>,
        tell: &mpsc::Sender<Change>,
    ) -> Vec<String> {
        let (begun, watched) = oneshot::channel();
        let watching = files(Arc::clone(server), Arc::clone(asking), paths, tell.clone(), begun);
        self.watching.push(server.tasks.spawn(watching));
        tokio::time::timeout(BEGINS_WITHIN, watched).await.ok().and_then(Result::ok).unwrap_or_default()
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

/// Tells when the tools of this caller are others than those known.
async fn tools(
    server: Arc<Server>,
    asking: Arc<Asking>,
    mut known: Arc<Toolbox>,
    tell: mpsc::Sender<Change>,
) {
    loop {
        let changed = server.dispatch.offer_changed();
        let now = server.dispatch.tools(&asking.caller);
        let same = known.all().iter().map(|tool| &tool.text).eq(now.all().iter().map(|tool| &tool.text));
        if !same && tell.send(Change::Tools).await.is_err() {
            return;
        }
        known = now;
        changed.await;
        tokio::time::sleep(SETTLE).await;
    }
}

/// Tells when the prompts changed: `changed` resolves when they do for the first time.
async fn prompts(server: Arc<Server>, mut changed: BoxFuture<'static, ()>, tell: mpsc::Sender<Change>) {
    loop {
        changed.await;
        changed = (server.prompts_changed)();
        if tell.send(Change::Prompts).await.is_err() {
            return;
        }
    }
}

/// What `mcp.fs.watch` tells.
#[derive(Deserialize)]
#[serde(untagged)]
enum FileNews {
    Begun { watching: Vec<String> },
    Change { path: String },
}

/// Tells when one of these paths changed: as the resource that it is, or as the list of all.
async fn files(
    server: Arc<Server>,
    asking: Arc<Asking>,
    paths: Vec<(String, Option<String>)>,
    tell: mpsc::Sender<Change>,
    begun: oneshot::Sender<Vec<String>>,
) {
    let names: Vec<&str> = paths.iter().map(|(path, _)| path.as_str()).collect();
    let params = json!({ "paths": names });
    let change = |uri: &Option<String>| uri.clone().map_or(Change::Resources, Change::Resource);
    let everything = paths.iter().map(|(_, uri)| change(uri)).collect();
    let mut begun = Some(begun);
    let uri_of = |path: &String| paths.iter().find(|(known, _)| known == path).map(|(_, uri)| uri);
    let read = |news: &str| match serde_json::from_str(news) {
        Ok(FileNews::Change { path }) => uri_of(&path).map(change),
        Ok(FileNews::Begun { watching }) => {
            let uris = watching.iter().filter_map(|path| uri_of(path)?.clone()).collect();
            begun.take().map(|begun| begun.send(uris));
            None
        }
        Err(_) => None,
    };
    follow(&server, &asking, ("mcp.fs.watch", params), read, everything, tell).await;
}

/// What `mcp.mail.watch` tells.
#[derive(Deserialize)]
#[serde(untagged)]
enum MailNews {
    Begun {
        #[serde(rename = "watching")]
        _folder: String,
    },
    Change {
        #[serde(rename = "change")]
        _change: String,
    },
}

/// Tells when something happened in a folder of an account.
async fn mail(
    server: Arc<Server>,
    asking: Arc<Asking>,
    (account, folder): (String, String),
    uri: String,
    tell: mpsc::Sender<Change>,
    begun: oneshot::Sender<()>,
) {
    let params = json!({ "account_id": account, "folder": folder });
    let everything = vec![Change::Resource(uri.clone())];
    let mut begun = Some(begun);
    let read = |news: &str| match serde_json::from_str(news) {
        Ok(MailNews::Change { .. }) => Some(Change::Resource(uri.clone())),
        Ok(MailNews::Begun { .. }) => {
            begun.take().map(|begun| begun.send(()));
            None
        }
        Err(_) => None,
    };
    follow(&server, &asking, ("mcp.mail.watch", params), read, everything, tell).await;
}

/// Follows a method that tells news, and tells what `read` makes of each, until nobody listens or it ends for good. When
/// its service was restarted, nobody knows what happened meanwhile, and `everything` may have.
async fn follow(
    server: &Server,
    asking: &Asking,
    (method, params): (&'static str, Value),
    mut read: impl FnMut(&str) -> Option<Change>,
    everything: Vec<Change>,
    tell: mpsc::Sender<Change>,
) {
    loop {
        let cancel = Cancel::new();
        let call = NativeCall::new(method, &params, &cancel, Instant::now() + LISTENS);
        let mut following = call.follow(asking, &*server.dispatch);
        let ended = loop {
            match following.next().await {
                Ok(news) => {
                    if let Some(change) = read(&news)
                        && tell.send(change).await.is_err()
                    {
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
        tokio::time::sleep(WATCH_AGAIN).await;
        for change in &everything {
            if tell.send(change.clone()).await.is_err() {
                return;
            }
        }
    }
}

/// Tells a legacy client of changed lists for as long as it is there.
pub(crate) fn tell_of_lists(server: &Arc<Server>, client: &Arc<Client>, asking: &Arc<Asking>) {
    let wanted = Wanted { tools_list_changed: true, prompts_list_changed: true, ..Wanted::default() };
    let (server, asking, client) = (Arc::clone(server), Arc::clone(asking), Arc::clone(client));
    let tasks = Arc::clone(&client);
    let client = Arc::downgrade(&client);
    tasks.tasks().spawn(async move {
        let (changes, _) = Changes::begin(&server, &asking, &wanted, Vec::new()).await;
        tell_client(changes, client).await;
    });
}

async fn tell_client(mut changes: Changes, client: Weak<Client>) {
    loop {
        let change = changes.next().await;
        let Some(client) = client.upgrade() else { return };
        client.push(notification(change.method(), &change.params()));
    }
}

/// `resources/subscribe`.
pub(crate) async fn subscribe(
    server: Arc<Server>,
    client: Arc<Client>,
    asking: Arc<Asking>,
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
    let (changes, watched) = Changes::begin(&server, &asking, &Wanted::default(), vec![uri.clone()]).await;
    if watched.is_empty() {
        return Err(RpcError::resource_not_found(&uri, asking.revision));
    }
    let watching = client.tasks().spawn(tell_client(changes, Arc::downgrade(&client)));
    client.subscribed(uri, watching);
    Ok(())
}

/// `resources/unsubscribe`.
pub(crate) fn unsubscribe(client: &Client, Uri { uri }: &Uri) {
    client.unsubscribed(uri);
}
