//! A request from its beginning to its end: checked, placed, connected, sent, and sent on where the answer says so.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::answer::Response;
use crate::connection::{addresses, open};
use crate::error::{Error, Kind, Sent};
use crate::exchange::{Answer, exchange};
use crate::lookup::{Lookup, System};
use crate::places::Places;
use crate::policy::Policy;
use crate::progress::{Phase, Progress};
use crate::redirect::{self, REDIRECTS_MAX};
use crate::request::{Outgoing, Request};
use crate::target::Target;
use crate::tls;

/// Bounds, and whom to trust.
#[derive(Clone, Debug)]
pub struct Options {
    /// For a request with all its redirects.
    pub deadline: Duration,
    /// So much of an answer's body is read.
    pub body_bytes_max: usize,
    /// Requests under way at one time.
    pub requests_max: usize,
    /// And of them at one server.
    pub requests_per_server_max: usize,
    /// Authorities to trust besides the machine's: a PEM file.
    pub ca_file: Option<PathBuf>,
}

/// Sends requests. One is made for a process; clones are the same one.
#[derive(Clone)]
pub struct Client {
    policy: Policy,
    options: Options,
    places: Arc<Places>,
    lookup: Arc<dyn Lookup>,
    /// Read at the first https request: the authorities are a megabyte.
    tls: Arc<OnceCell<Arc<ClientConfig>>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            // What a model or a person reads of an answer; larger things are files.
            body_bytes_max: 1024 * 1024,
            requests_max: 64,
            requests_per_server_max: 8,
            ca_file: None,
        }
    }
}

impl Client {
    /// One that asks the machine's own resolver.
    pub fn new(policy: Policy, options: Options) -> Self {
        Self::with_lookup(policy, options, Arc::new(System))
    }

    /// One that asks `lookup` for the addresses of names.
    pub fn with_lookup(policy: Policy, options: Options, lookup: Arc<dyn Lookup>) -> Self {
        let places = Places::new(options.requests_max, options.requests_per_server_max);
        Self { policy, options, places: Arc::new(places), lookup, tls: Arc::default() }
    }

    /// The same client for whom less is allowed: with the same bounds, which are counted together.
    #[must_use]
    pub fn narrowed(&self, by: Policy) -> Self {
        Self { policy: self.policy.narrowed(by), ..self.clone() }
    }

    /// Whether the list lets this request begin, without sending anything: for checking what is written down.
    ///
    /// # Errors
    /// What [`Client::send`] would say before it looks a name up.
    pub fn check(&self, request: &Request) -> Result<(), Error> {
        let (target, _) = request.check()?;
        target.admit(&self.policy)
    }

    /// Sends `request` within the usual deadline and reads the answer.
    ///
    /// # Errors
    /// [`Error`], which says whether the server may have had it.
    pub async fn send(&self, request: &Request) -> Result<Response, Error> {
        self.send_within(request, self.options.deadline).await
    }

    /// Sends `request`, for at most `deadline`. To drop this future is to close the connection.
    ///
    /// # Errors
    /// [`Error`], which says whether the server may have had it.
    pub async fn send_within(&self, request: &Request, deadline: Duration) -> Result<Response, Error> {
        let progress = Arc::new(Progress::default());
        let began = Instant::now();
        let done = timeout(deadline, self.follow(request, &progress)).await;
        let (target, answer) = match done {
            Ok(done) => done.map_err(|error| error.sent(progress.sent()))?,
            Err(_) => return Err(late(&progress, deadline)),
        };
        let response = Response::of(&answer, target.origin(), began.elapsed());
        if request.expects(response.status) { Ok(response) } else { Err(unexpected(request, response)) }
    }

    /// The request, and those that follow from it.
    async fn follow(&self, request: &Request, progress: &Arc<Progress>) -> Result<(Target, Answer), Error> {
        let (mut target, mut outgoing) = request.check()?;
        target.admit(&self.policy)?;
        for _ in 0..=REDIRECTS_MAX {
            let answer = self.once(&target, &outgoing, progress).await?;
            // Who expects a redirect wants to see it.
            let wanted = !request.expect_status.is_empty() && request.expects(answer.status);
            if !request.follow || wanted || !redirect::is_one(answer.status) {
                return Ok((target, answer));
            }
            let from = target.origin();
            (target, outgoing) = redirect::follow(&target, &outgoing, answer.status, &answer.headers)?;
            target.admit(&self.policy).map_err(|error| {
                let message = format!("{from} redirects to where nobody is let. {}", error.message);
                Error { message, ..error }
            })?;
        }
        let why =
            format!("It is redirected more than {REDIRECTS_MAX} times, at last to {}.", target.origin());
        Err(Error::new(Kind::Redirect, why))
    }

    async fn once(
        &self,
        target: &Target,
        outgoing: &Outgoing,
        progress: &Arc<Progress>,
    ) -> Result<Answer, Error> {
        progress.enter(Phase::Waiting);
        let _place = self.places.take(&target.origin()).await;
        progress.enter(Phase::Lookup);
        let addresses = addresses(target, &self.policy, &*self.lookup).await?;
        let tls = if target.encrypted { Some(self.tls().await?) } else { None };
        let connection = open(target, &addresses, tls, progress).await?;
        exchange(connection, target, outgoing, self.options.body_bytes_max, progress).await
    }

    async fn tls(&self) -> Result<Arc<ClientConfig>, Error> {
        let config = self.tls.get_or_try_init(|| async {
            let file = self.options.ca_file.clone();
            let read = tokio::task::spawn_blocking(move || tls::config(file.as_deref())).await;
            read.map_err(|error| Error::new(Kind::Tls, format!("The authorities were not read: {error}.")))?
        });
        config.await.cloned()
    }
}

fn late(progress: &Progress, deadline: Duration) -> Error {
    let what = match progress.phase() {
        Phase::Waiting => "Too many requests are under way: it had no place",
        Phase::Lookup => "The host's address was not found",
        Phase::Connecting => "The server could not be connected to",
        Phase::Encrypting => "TLS did not begin",
        Phase::Sending => "No answer came",
        Phase::Answering => "The answer did not end",
    };
    let message = format!("{what} within {} s.", deadline.as_secs_f64());
    Error { kind: Kind::Timeout, sent: progress.sent(), message, response: None }
}

fn unexpected(request: &Request, response: Response) -> Error {
    let expected: Vec<String> = request.expect_status.iter().map(ToString::to_string).collect();
    let expected = if expected.is_empty() { "200-299".to_owned() } else { expected.join(", ") };
    let message = format!("{} answered with status {}, not {expected}.", response.origin, response.status);
    Error { kind: Kind::Status, sent: Sent::Yes, message, response: Some(Box::new(response)) }
}
