//! What a connection does when it speaks the Model Context Protocol.

use std::sync::Arc;

use bytes::Bytes;
use mcp::{Channel, Client, Heard, Out};
use protocol::jsonrpc::{self, Message, Rejected, Request};
use protocol::mcp::Revision;
use protocol::{Id, Outbox};

use super::{Dialect, Pump};
use crate::session::wire::Wire;

impl<W: Wire> Pump<W> {
    /// Whether a message opens no call: a client of the Model Context Protocol with as many calls open as allowed
    /// must still be able to cancel one, and to answer what one of them asks.
    pub(super) fn is_no_request(&self, frame: &Bytes) -> bool {
        let notification = |request: &Request| request.id.is_none();
        matches!(self.dialect, Dialect::Mcp(_))
            && match jsonrpc::parse(frame, 1) {
                Message::Single(Ok(request)) => notification(&request),
                Message::Single(Err(_)) => jsonrpc::parse_response(frame).is_some(),
                Message::Batch(_) => false,
            }
    }

    /// From here on this connection speaks the Model Context Protocol.
    pub(super) fn speak_mcp(&mut self) -> Arc<Client> {
        let client = Arc::new(Client::new(Arc::clone(&self.caller)));
        let channel: Arc<dyn Channel> = Arc::clone(&self.line) as _;
        client.connect(Arc::downgrade(&channel));
        self.line.speak_mcp();
        self.dialect = Dialect::Mcp(Arc::clone(&client));
        client
    }

    /// What is no request: the answer to one of ours, or a mistake.
    pub(super) fn take_rejected(&mut self, Rejected { id, error }: Rejected, frame: &Bytes) {
        if let Dialect::Mcp(client) = &self.dialect
            && let Some(response) = jsonrpc::parse_response(frame)
        {
            return client.answered(response);
        }
        self.line.refuse(&id, None, &error);
    }

    /// A request of the Model Context Protocol.
    pub(super) fn take_mcp(&mut self, client: &Arc<Client>, request: &Request, batch: Option<u64>) {
        let server = Arc::clone(&self.shared.mcp);
        if batch.is_some() && client.revision() != Some(Revision::V2025_03_26) {
            let text = "Batches are of revision 2025-03-26 alone; send one message at a time.";
            return self.refuse(request, batch, text);
        }
        match &request.id {
            None => {
                if let Heard::Cancel(id) = server.hear(client, request) {
                    self.line.withdraw(&id);
                }
            }
            Some(Id::Null) => {
                self.refuse(request, batch, "id must be a string or an integer, not null.");
            }
            Some(_) => {
                let Some((ticket, cancel, deadline)) = self.open(request.id.as_ref(), batch) else { return };
                let outbox: Arc<dyn Outbox> = Arc::clone(&self.line) as _;
                server.take(client, request, Out::new(outbox, ticket, cancel, deadline));
            }
        }
    }
}
