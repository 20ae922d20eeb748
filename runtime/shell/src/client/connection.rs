//! The task that owns the socket: connects, hands answers to the calls that wait for them, notices a loss, and
//! connects again. Calls that were under way when the connection went fail at once; they are never repeated
//! here, because only the person knows whether twice is harmless.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::message::{self, Incoming};
use super::wire::{Heard, Refusal, Wire};
use super::{Endpoint, Link, News, backoff};
use crate::failure::Failure;

/// How often a silent server is asked for a sign of life.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Two pings unanswered: the machine at the other end is gone.
const SILENCE_MAX: Duration = Duration::from_secs(50);
/// A connection that lasted this long was a good one, and the back-off starts anew.
const GOOD_AFTER: Duration = Duration::from_secs(5);

/// What a [`super::Client`] asks of the task.
pub(super) enum Command {
    Call(Job),
    Cancel(u64),
    /// Leave this endpoint (or the dead connection) and connect there.
    Dial(Endpoint, oneshot::Sender<Result<(), Failure>>),
    /// Say goodbye and end.
    Close(oneshot::Sender<()>),
}

/// A call to send and the place its answer goes.
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) text: String,
    pub(super) news: mpsc::Sender<News>,
}

pub(super) struct Connection {
    pub(super) endpoint: Endpoint,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) link: watch::Sender<Link>,
    /// Calls made while there is no connection yet.
    pub(super) waiting: Vec<Job>,
    /// Who asked to be told how dialling ends.
    pub(super) dials: Vec<oneshot::Sender<Result<(), Failure>>>,
    /// Calls sent and not answered.
    pub(super) pending: HashMap<u64, mpsc::Sender<News>>,
}

/// Why a connection is no longer served.
enum End {
    Lost(String),
    Redial,
    /// Nobody is left who could call.
    Abandoned,
}

impl Connection {
    pub(super) async fn run(mut self) {
        let mut failures = 0;
        let mut epoch = 0;
        loop {
            let retry = match self.attempt().await {
                None => return,
                Some(Ok(wire)) => {
                    epoch += 1;
                    let since = Instant::now();
                    self.link.send_replace(Link::Up { epoch });
                    for dial in self.dials.drain(..) {
                        let _ = dial.send(Ok(()));
                    }
                    match self.serve(wire).await {
                        End::Abandoned => return,
                        End::Redial => {
                            self.lose("the shell was told to connect anew", Link::Connecting);
                            continue;
                        }
                        End::Lost(reason) => {
                            self.lose(&reason, Link::Down { reason: reason.clone() });
                        }
                    }
                    failures = if since.elapsed() >= GOOD_AFTER { 0 } else { failures + 1 };
                    true
                }
                Some(Err(Refusal { reason, retry })) => {
                    failures += 1;
                    self.give_up(&reason);
                    retry
                }
            };
            if !self
                .pause(retry.then(|| backoff::pause(failures - u32::from(failures > 0), fastrand::f64())))
                .await
            {
                return;
            }
        }
    }

    /// Dials until it is known whether there is a connection; `None` when nobody wants one any more.
    async fn attempt(&mut self) -> Option<Result<Wire, Refusal>> {
        loop {
            let dialling = Wire::open(self.endpoint.clone());
            tokio::pin!(dialling);
            let redial = loop {
                tokio::select! {
                    outcome = &mut dialling => return Some(outcome),
                    command = self.commands.recv() => match command? {
                        Command::Call(job) => self.waiting.push(job),
                        Command::Cancel(id) => self.waiting.retain(|job| job.id != id),
                        Command::Dial(endpoint, reply) => break (endpoint, reply),
                        Command::Close(_) => return None,
                    },
                }
            };
            self.redirect(redial.0, redial.1);
        }
    }

    async fn serve(&mut self, mut wire: Wire) -> End {
        for job in std::mem::take(&mut self.waiting) {
            if let Err(reason) = self.send(&mut wire, job).await {
                return End::Lost(reason);
            }
        }
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard_at = Instant::now();
        loop {
            let step = tokio::select! {
                command = self.commands.recv() => match command {
                    None => return End::Abandoned,
                    Some(Command::Call(job)) => match self.catch_up(&mut wire).await {
                        Ok(()) => self.send(&mut wire, job).await,
                        Err(reason) => {
                            // It was not sent, so it can wait for the next connection without harm.
                            self.waiting.push(job);
                            Err(reason)
                        }
                    },
                    Some(Command::Cancel(id)) => match self.pending.remove(&id) {
                        Some(_) => wire.send(message::cancel(id)).await,
                        None => Ok(()),
                    },
                    Some(Command::Dial(endpoint, reply)) => {
                        self.redirect(endpoint, reply);
                        return End::Redial;
                    }
                    Some(Command::Close(reply)) => {
                        wire.close().await;
                        let _ = reply.send(());
                        return End::Abandoned;
                    }
                },
                heard = wire.next() => {
                    heard_at = Instant::now();
                    match heard {
                        Ok(Heard::Message(text)) => { self.deliver(&text).await; Ok(()) }
                        Ok(Heard::Alive) => Ok(()),
                        Err(reason) => Err(reason),
                    }
                },
                _ = ping.tick() => match wire.ping().await {
                    Ok(true) if heard_at.elapsed() > SILENCE_MAX => Err("the server stopped answering".into()),
                    Ok(_) => Ok(()),
                    Err(reason) => Err(reason),
                },
            };
            if let Err(reason) = step {
                return End::Lost(reason);
            }
        }
    }

    /// Takes in what has arrived already: the end of a connection that died while nobody looked, most of all.
    async fn catch_up(&mut self, wire: &mut Wire) -> Result<(), String> {
        // Only after a turn of the runtime is it known what has arrived.
        tokio::task::yield_now().await;
        while let Some(heard) = wire.next().now_or_never() {
            if let Heard::Message(text) = heard? {
                self.deliver(&text).await;
            }
        }
        Ok(())
    }

    async fn send(&mut self, wire: &mut Wire, job: Job) -> Result<(), String> {
        self.pending.insert(job.id, job.news);
        wire.send(job.text).await
    }

    /// Waits for room at a call that reads slowly, which slows the server down in turn; a call that was dropped
    /// has room for everything.
    async fn deliver(&mut self, text: &[u8]) {
        let (to, news) = match message::read(text) {
            Some(Incoming::Answer(id, outcome)) => {
                (self.pending.remove(&id), News::Done(outcome.map_err(Failure::Call)))
            }
            Some(Incoming::Progress(id, value)) => (self.pending.get(&id).cloned(), News::Progress(value)),
            Some(Incoming::Complaint(fault)) => {
                // It belongs to the only call there is, if there is only one.
                let id = self.pending.keys().next().copied().filter(|_| self.pending.len() == 1);
                (id.and_then(|id| self.pending.remove(&id)), News::Done(Err(Failure::Call(fault))))
            }
            Some(Incoming::Other) | None => return,
        };
        if let Some(to) = to {
            let _ = to.send(news).await;
        }
    }

    fn redirect(&mut self, endpoint: Endpoint, reply: oneshot::Sender<Result<(), Failure>>) {
        self.endpoint = endpoint;
        self.dials.push(reply);
    }

    /// The connection is gone: everything that waits for an answer hears of it now.
    fn lose(&mut self, reason: &str, link: Link) {
        self.link.send_replace(link);
        for (_, news) in self.pending.drain() {
            let text = format!("{reason} before the answer came; the call may or may not have taken effect");
            // A full channel ends by being closed, which says the same in fewer words.
            let _ = news.try_send(News::Done(Err(Failure::Connection(text))));
        }
    }

    /// No connection came about: everything that waits for one hears why.
    fn give_up(&mut self, refusal: &str) {
        self.link.send_replace(Link::Down { reason: refusal.to_owned() });
        for dial in self.dials.drain(..) {
            let _ = dial.send(Err(Failure::Connection(refusal.to_owned())));
        }
        for job in self.waiting.drain(..) {
            let _ = job.news.try_send(News::Done(Err(Failure::Connection(refusal.to_owned()))));
        }
    }

    /// Waits until it is time for another attempt: the pause is over (`None`: it never is), or somebody wants
    /// something. False when nobody is left.
    async fn pause(&mut self, pause: Option<Duration>) -> bool {
        if !self.waiting.is_empty() {
            return true;
        }
        let over = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return true,
                command = self.commands.recv() => match command {
                    None | Some(Command::Close(_)) => return false,
                    Some(Command::Call(job)) => self.waiting.push(job),
                    Some(Command::Dial(endpoint, reply)) => self.redirect(endpoint, reply),
                    Some(Command::Cancel(_)) => continue,
                },
            }
            return true;
        }
    }
}
