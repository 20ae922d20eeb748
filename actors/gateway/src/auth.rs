//! Who is asking: turns credentials into a caller, and keeps licence, tiers and tokens up to date.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use protocol::{Caller, Code, Credentials, Error, Way};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use service::watch::{self, Watch};
use store::StoreError;
use supervisor::Tasks;

use crate::callers::Kind;
use crate::gate::Gate;
use crate::policy::Policy;
use crate::token::Tokens;
use crate::views::Edition;
use crate::{Config, Rules};

/// How often the token table is read again: a revoked token works for at most this long on open connections.
const TOKENS_EVERY: Duration = Duration::from_secs(1);

/// Reads of the token table for unknown tokens at one time; guessing must not occupy the disk.
const READS_MAX: usize = 4;

type Answer = RpcReplyPort<Result<Arc<Caller>, Error>>;

/// Establishes identities.
pub(crate) struct Auth;

pub(crate) enum Message {
    /// Somebody knocks.
    Identify(Credentials, Answer),
    /// The token table as it stands; with it comes back who had to wait for it.
    Tokens(Result<Tokens, StoreError>, Option<(Credentials, Answer)>),
    /// `lic.key` or `licence_tiers.yaml` changed.
    RulesChanged,
}

pub(crate) struct State {
    gate: Gate,
    config: Arc<Config>,
    tasks: Tasks,
    reads: usize,
    _watch: Option<Watch>,
}

impl Actor for Auth {
    type Msg = Message;
    type State = State;
    type Arguments = (Gate, Arc<Config>, Tasks);

    async fn pre_start(
        &self,
        myself: ActorRef<Message>,
        (gate, config, tasks): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let told = myself.clone();
        let watch = watch::files(&config.watched, &tasks, move || drop(told.cast(Message::RulesChanged)));
        let store = gate.0.store.clone();
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(TOKENS_EVERY).await;
                if myself.cast(Message::Tokens(read_tokens(store.clone()).await, None)).is_err() {
                    return;
                }
            }
        });
        Ok(State { gate, config, tasks, reads: 0, _watch: watch })
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Identify(who, answer) => state.identify(who, answer, &myself),
            Message::Tokens(tokens, waiting) => state.tokens(tokens, waiting),
            Message::RulesChanged => state.rules_changed(),
        }
        Ok(())
    }
}

impl State {
    fn identify(&mut self, who: Credentials, answer: Answer, myself: &ActorRef<Message>) {
        if let Some(outcome) = known(&self.gate, &self.config, &who) {
            let _ = answer.send(outcome);
            return;
        }
        // Not in the table that was read last: it may have been made since, by another process.
        if self.reads >= READS_MAX {
            let error = Error::new(Code::Overloaded, "Too many logins at once. Try again in a second.");
            let _ = answer.send(Err(error));
            return;
        }
        self.reads += 1;
        let (store, myself) = (self.gate.0.store.clone(), myself.clone());
        self.tasks.spawn(async move {
            let tokens = read_tokens(store).await;
            let _ = myself.cast(Message::Tokens(tokens, Some((who, answer))));
        });
    }

    fn tokens(&mut self, tokens: Result<Tokens, StoreError>, waiting: Option<(Credentials, Answer)>) {
        match tokens {
            Ok(tokens) => {
                let policy = self.gate.0.policy.load_full();
                if *policy.tokens != tokens {
                    self.gate.enforce(Policy { tokens: Arc::new(tokens), ..Policy::clone(&policy) });
                }
            }
            Err(error) => tracing::warn!(%error, "cannot read the token table; the last one stays in force"),
        }
        if let Some((who, answer)) = waiting {
            self.reads -= 1;
            let _ =
                answer.send(known(&self.gate, &self.config, &who).unwrap_or_else(|| Err(unknown_token())));
        }
    }

    fn rules_changed(&mut self) {
        match (self.config.load)() {
            Ok(Rules { tiers, licence }) => {
                let policy = self.gate.0.policy.load_full();
                if *policy.tiers == tiers && *policy.licence == licence {
                    return;
                }
                warn_about(&licence);
                tracing::info!(tier = licence.tier, user = licence.user, "licence and tiers read again");
                self.gate.enforce(Policy {
                    tiers: Arc::new(tiers),
                    licence: Arc::new(licence),
                    ..Policy::clone(&policy)
                });
            }
            Err(mistakes) => {
                tracing::error!("the edit is not used, the last good settings stay in force:\n{mistakes}");
            }
        }
    }
}

/// Decides from what is in memory; `None` for a token that is not there. It waits for nobody, so whoever knocks may
/// do it: over HTTP every request does.
pub(crate) fn known(gate: &Gate, config: &Config, who: &Credentials) -> Option<Result<Arc<Caller>, Error>> {
    let policy = gate.0.policy.load();
    let now = Timestamp::now();
    let edition = Edition { policy: policy.generation, routes: 0, expired: policy.licence.expired_at(now) };
    let ceiling = || policy.ceiling(now).to_owned();
    let owner = |kind: Kind, name: String, way: Way| {
        let make =
            || Caller { name, tier: ceiling(), allow: None, way, token: None, service: None, run: None };
        Ok(gate.0.callers.get(edition, kind, make))
    };
    match who {
        Credentials::Token(secret, way) => policy.tokens.find(secret, now).map(|token| {
            let make = || Caller {
                name: token.name.clone(),
                tier: token.tier.clone().unwrap_or_else(ceiling),
                allow: token.allow.clone(),
                way: *way,
                token: Some(token.id),
                service: None,
                run: None,
            };
            Ok(gate.0.callers.get(edition, Kind::Token(token.id, *way), make))
        }),
        Credentials::Uid(uid) if config.uids.contains(uid) => {
            Some(owner(Kind::Uid(*uid), format!("uid:{uid}"), Way::Unix))
        }
        Credentials::Uid(uid) => Some(Err(Error::new(
            Code::Authentication,
            format!("User {uid} may not use this socket. The owner can add it to auth.unix_uids."),
        ))),
        Credentials::Anonymous { loopback: true, way } if config.loopback_open => {
            Some(owner(Kind::Loopback(*way), "loopback".into(), *way))
        }
        Credentials::Anonymous { .. } => Some(Err(Error::new(
            Code::Authentication,
            "A token is needed: send 'Authorization: Bearer TOKEN'. \
             `llmbasedos token create NAME` makes one.",
        ))),
    }
}

/// Says in the log why a licence counts for less than it says.
pub(crate) fn warn_about(licence: &crate::Licence) {
    if let Some(warning) = &licence.warning {
        tracing::warn!("licence counts as FREE: {warning}");
    } else if let Some(end) = licence.expires.filter(|_| licence.expired_at(Timestamp::now())) {
        tracing::warn!(%end, "licence counts as FREE: expired");
    }
}

fn unknown_token() -> Error {
    Error::new(
        Code::Authentication,
        "Unknown, expired or revoked token. `llmbasedos token list` shows those that stand.",
    )
}

async fn read_tokens(store: store::Store) -> Result<Tokens, StoreError> {
    let read = tokio::task::spawn_blocking(move || store.read_blocking(Tokens::read));
    read.await.map_err(|_| StoreError::Closed)?
}
