//! The shell's own affairs: `connect`, `licence`, `exit`.

use serde_json::json;

use super::options::Given;
use crate::client::{Endpoint, Target};
use crate::failure::Failure;
use crate::session::{Flow, Session};
use crate::token::TokenSource;

pub(super) async fn licence(session: &mut Session) -> Result<Flow, Failure> {
    let result = session.call("mcp.licence.check", &json!({})).await?;
    session.screen.result(&result)?;
    Ok(Flow::Continue)
}

pub(super) async fn connect(session: &mut Session, given: Given) -> Result<Flow, Failure> {
    let mut target = session.endpoint.target.clone();
    if let Some(word) = given.words.first() {
        target = word.text.parse::<Target>().map_err(Failure::Usage)?;
    }
    let token = match given.words.get(1) {
        Some(file) => TokenSource::File(file.text.clone().into()),
        // The same daemon again: a file that `connect` named stays its token.
        None if given.words.is_empty() && session.endpoint.token.is_some() => session.endpoint.token.clone(),
        None => session.wallet.token_for(&target),
    };
    if let Some(warning) = token.warning() {
        session.screen.note(&warning);
    }
    let endpoint = Endpoint { target, token };
    if let Err(failure) = session.client.dial(endpoint.clone()).await {
        // A mistyped address costs nothing: back to the daemon that was there.
        session.client.redial(session.endpoint.clone()).await;
        return Err(failure);
    }
    session.endpoint = endpoint;
    session.knowledge.forget();
    session.greet().await?;
    Ok(Flow::Continue)
}

pub(super) fn exit(given: &Given) -> Result<Flow, Failure> {
    let code = given.words.first().map_or(Ok(0), |word| word.text.parse());
    code.map(Flow::Exit).map_err(|_| Failure::Usage("the code must be a number from 0 to 255".into()))
}
