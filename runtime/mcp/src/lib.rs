//! The Model Context Protocol (modelcontextprotocol.io) over the gateway: what every transport that speaks it shares.
//!
//! A transport reads messages and knows which client each is from ([`Client`]); [`Server`] answers them. Tools are
//! the native methods that the caller may call, prompts and resources are made of such calls: everything that
//! happens goes through [`Dispatch`], under the same identity, policy and quota as the native dialect.
//!
//! Requests become texts that are spliced from texts: a tool's result is the method's own JSON, written once.
//! Why not the official SDK's server: runtime/decisions/0008.

mod asking;
mod client;
mod cursor;
mod hello;
mod listen;
mod native;
mod out;
mod prompts;
mod questions;
mod resources;
mod rpc;
mod seal;
mod serve;
mod spill;
mod tasks;
mod tools;

use std::path::PathBuf;
use std::sync::Arc;

use protocol::dispatch::BoxFuture;
use protocol::mcp::FixedResources;
use protocol::{Cancel, Cause, Dispatch};
use supervisor::Tasks;

pub use client::{Channel, Client};
pub use out::Out;
pub use rpc::RpcError;
pub use seal::unguessable;
pub use serve::Heard;

/// What the server is made of.
pub struct Config {
    /// The gateway.
    pub dispatch: Arc<dyn Dispatch>,
    /// Resolves when the prompts have changed.
    pub prompts_changed: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
    /// Resources that are part of the program.
    pub fixed: Option<Arc<dyn FixedResources>>,
    /// Where results are kept that are too large to be given at once.
    pub spill: Option<PathBuf>,
    /// The largest result of a tool, in bytes of JSON, unless the request says otherwise.
    pub result_bytes: usize,
    /// The largest that a request may ask for.
    pub result_bytes_max: usize,
}

/// Answers requests of the Model Context Protocol.
pub struct Server {
    dispatch: Arc<dyn Dispatch>,
    prompts_changed: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
    fixed: Option<Arc<dyn FixedResources>>,
    spill: spill::Spill,
    seal: seal::Seal,
    book: tasks::TaskBook,
    tasks: Tasks,
    /// Raised when the process stops.
    stopping: Cancel,
    result_bytes: usize,
    result_bytes_max: usize,
}

impl Server {
    /// A server. Makes the spill folder, which blocks for a moment.
    pub fn new(config: Config) -> Arc<Self> {
        Arc::new(Self {
            dispatch: config.dispatch,
            prompts_changed: config.prompts_changed,
            fixed: config.fixed,
            spill: spill::Spill::new(config.spill),
            seal: seal::Seal::new(),
            book: tasks::TaskBook::default(),
            tasks: Tasks::named("mcp"),
            stopping: Cancel::new(),
            result_bytes: config.result_bytes,
            result_bytes_max: config.result_bytes_max,
        })
    }

    /// Ends what would never end by itself, so that nothing waits for it: every `subscriptions/listen` is answered.
    pub fn stop_listening(&self) {
        self.stopping.cancel(Cause::Shutdown);
    }
}
