//! Which request is answered by what, in which era.

use std::sync::Arc;

use protocol::jsonrpc::Request;
use protocol::mcp::Meta;
use protocol::{Caller, Id};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::asking::{self, Asking};
use crate::client::Client;
use crate::listen;
use crate::out::Out;
use crate::prompts;
use crate::resources::{self, Native, Uri};
use crate::rpc::RpcError;
use crate::tools;
use crate::{Server, hello};

#[derive(Default, Deserialize)]
struct Page {
    #[serde(default)]
    cursor: Option<String>,
}

/// Typed params; absent ones are an empty object.
fn params<T: DeserializeOwned>(raw: Option<&RawValue>) -> Result<T, RpcError> {
    serde_json::from_str(raw.map_or("{}", RawValue::get)).map_err(RpcError::invalid_params)
}

impl Server {
    /// Answers a request of a byte stream: of the modern era if it says so itself, else of the legacy one.
    pub fn take(self: &Arc<Self>, client: &Arc<Client>, request: &Request, out: Out) {
        match asking::meta(request.params.as_deref()) {
            Ok(meta) if meta.protocol_version.is_some() || &*request.method == "server/discover" => {
                self.take_modern(&client.caller, request, meta, out);
            }
            Ok(meta) => self.take_legacy(client, request, meta, out),
            Err(error) => out.error(&error),
        }
    }

    /// Answers a modern request.
    pub fn take_modern(self: &Arc<Self>, caller: &Arc<Caller>, request: &Request, meta: Meta, out: Out) {
        match Asking::modern(caller, meta) {
            Ok(asking) => self.answer_modern(Arc::new(asking), request, out),
            Err(error) => out.error(&error),
        }
    }

    fn answer_modern(self: &Arc<Self>, asking: Arc<Asking>, request: &Request, out: Out) {
        let raw = request.params.as_deref();
        match &*request.method {
            "server/discover" => out.result(hello::discover(&asking)),
            "subscriptions/listen" => {
                listen::listen(self, asking, request.id.as_ref().unwrap_or(&Id::Null), raw, out);
            }
            method @ ("tasks/get" | "tasks/update" | "tasks/cancel") => {
                out.finish(self.book.ask(&asking, method, raw));
            }
            _ => self.answer(asking, request, out),
        }
    }

    /// Answers a request of a connection that opened with `initialize`, or has yet to.
    pub fn take_legacy(self: &Arc<Self>, client: &Arc<Client>, request: &Request, meta: Meta, out: Out) {
        let raw = request.params.as_deref();
        match &*request.method {
            "initialize" => return out.finish(hello::initialize(client, raw)),
            "ping" => return out.result("{}".to_owned()),
            _ => {}
        }
        let Some(session) = client.session() else {
            let advice = "Send initialize first, or say in _meta which revision the request is of.";
            return out.error(&RpcError::invalid_request(advice));
        };
        let asking = Arc::new(Asking {
            caller: Arc::clone(&client.caller),
            revision: session.revision,
            capabilities: session.capabilities,
            log_level: Some(session.log_level),
            progress_token: meta.progress_token,
            result_max: meta.max_result_bytes,
            client: Some(Arc::clone(client)),
        });
        match &*request.method {
            "logging/setLevel" => out.finish(set_level(client, raw)),
            "resources/subscribe" => match params(raw) {
                Ok(Uri { uri }) => {
                    let subscribed = listen::subscribe(Arc::clone(self), Arc::clone(client), asking, uri);
                    let done = async move { out.finish(subscribed.await.map(|()| "{}".to_owned())) };
                    self.tasks.spawn(done);
                }
                Err(error) => out.error(&error),
            },
            "resources/unsubscribe" => {
                let done = params(raw).map(|uri| listen::unsubscribe(client, &uri));
                out.finish(done.map(|()| "{}".to_owned()));
            }
            _ => self.answer(asking, request, out),
        }
    }

    /// What both eras have.
    fn answer(self: &Arc<Self>, asking: Arc<Asking>, request: &Request, out: Out) {
        let raw = request.params.as_deref();
        match &*request.method {
            "tools/call" => tools::call(self, &asking, raw, out),
            "tools/list" => {
                let listed =
                    params(raw).and_then(|Page { cursor }| tools::list(self, &asking, cursor.as_deref()));
                out.finish(listed);
            }
            "prompts/get" => prompts::get(self, asking, raw, out),
            "prompts/list" => {
                self.later(asking, raw, out, |native, page: Page| prompts::list(native, page.cursor));
            }
            "resources/list" => {
                self.later(asking, raw, out, |native, page: Page| resources::list(native, page.cursor));
            }
            "resources/read" => self.later(asking, raw, out, resources::read),
            "resources/templates/list" => {
                let listed = params(raw)
                    .and_then(|Page { cursor }| resources::templates(self, &asking, cursor.as_deref()));
                out.finish(listed);
            }
            "completion/complete" => self.later(asking, raw, out, prompts::complete),
            unknown => out.error(&RpcError::method_not_found(unknown)),
        }
    }

    /// Answers in a task, since it takes calls of others.
    fn later<P, F, W>(self: &Arc<Self>, asking: Arc<Asking>, raw: Option<&RawValue>, out: Out, work: F)
    where
        P: DeserializeOwned,
        F: FnOnce(Native, P) -> W,
        W: Future<Output = Result<String, RpcError>> + Send + 'static,
    {
        match params(raw) {
            Ok(params) => {
                let work = work(Native::new(self, asking, &out), params);
                self.tasks.spawn(async move { out.finish(work.await) });
            }
            Err(error) => out.error(&error),
        }
    }

    /// Takes a notification; one that is not understood is none of our business.
    pub fn hear(self: &Arc<Self>, client: &Arc<Client>, request: &Request) -> Heard {
        match &*request.method {
            "notifications/cancelled" => {
                let cancelled: Result<Cancelled, _> = params(request.params.as_deref());
                cancelled.map_or(Heard::Nothing, |it| Heard::Cancel(it.request_id))
            }
            "notifications/initialized" => {
                if let Some(session) = client.session()
                    && client.tell()
                {
                    let asking = Asking {
                        caller: Arc::clone(&client.caller),
                        revision: session.revision,
                        capabilities: session.capabilities,
                        log_level: None,
                        progress_token: None,
                        result_max: None,
                        client: None,
                    };
                    listen::tell_of_lists(self, client, &Arc::new(asking));
                }
                Heard::Nothing
            }
            _ => Heard::Nothing,
        }
    }
}

/// What a notification asks of the transport.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// Nothing.
    Nothing,
    /// To stop the request of this id, and not to answer it.
    Cancel(Id),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cancelled {
    request_id: Id,
}

#[derive(Deserialize)]
struct Level {
    level: String,
}

fn set_level(client: &Client, raw: Option<&RawValue>) -> Result<String, RpcError> {
    let Level { level } = params(raw)?;
    client.set_log_level(asking::level(&level)?);
    Ok("{}".to_owned())
}
