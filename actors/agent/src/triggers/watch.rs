//! A method that tells news until it is cancelled, called through the gateway.

use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::{Caller, Cancel, Error, Incoming, Reply};
use serde_json::Value;
use serde_json::value::to_raw_value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::doors::Abandons;
use crate::service::Agent;

/// How long one watch lasts before it is begun anew.
const LASTS: Duration = Duration::from_hours(24);

/// One such call. Its drop ends it.
pub(super) struct Watch {
    /// As whom it is made.
    pub(super) caller: Arc<Caller>,
    news: mpsc::Receiver<String>,
    outcome: oneshot::Receiver<service::Outcome>,
    ended: Option<Error>,
    _abandons: Abandons,
}

impl Watch {
    /// Begins it, once this process is the one that looks after runs.
    pub(super) async fn begin(agent: &Agent, method: &str, params: &Value) -> Result<Self, Error> {
        agent.clerk().ready().await?;
        let caller = agent.owner().ok_or_else(|| Error::unavailable("agent"))?;
        let (outbox, outcome, news) = service::once_with_news();
        let abandons = Abandons(Cancel::new());
        agent.dispatch()?.dispatch(Incoming {
            method: method.into(),
            params: Some(to_raw_value(params).map_err(Error::internal)?),
            caller: Arc::clone(&caller),
            deadline: Instant::now() + LASTS,
            cancel: abandons.0.clone(),
            inputs: None,
            reply: Reply::new(outbox, 0),
        });
        Ok(Self { caller, news, outcome, ended: None, _abandons: abandons })
    }

    /// The next that it tells; an error when it has ended.
    pub(super) async fn next(&mut self) -> Result<Value, Error> {
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        let ended = tokio::select! {
            biased;
            Some(text) = self.news.recv() => return Ok(serde_json::from_str(&text).unwrap_or_default()),
            ended = &mut self.outcome => ended,
        };
        let error = ended.ok().and_then(Result::err).unwrap_or_else(|| Error::unavailable("agent"));
        self.ended = Some(error.clone());
        Err(error)
    }

    /// The next that it tells, unless it is quiet for so long.
    pub(super) async fn within(&mut self, quiet: Duration) -> Option<Value> {
        timeout(quiet, self.next()).await.ok()?.ok()
    }
}
