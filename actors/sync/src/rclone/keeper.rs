//! Keeps one rclone that is driven by its remote control: started when somebody wants it, started again with longer and
//! longer pauses when it dies, ended when nobody wants it any more.
//!
//! That rclone dies is no failure of this actor's, so it never counts against a restart budget.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use protocol::Error;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use serde_json::{Value, json};
use supervisor::{ChildContext, ChildSpec, Slot, Tasks};
use tokio::sync::mpsc;

use super::client::Door;
use super::{Client, Hold, Place, Process, Reach, Version};
use crate::refusal;
use crate::service::random;

/// How long it may take to start on a busy machine.
const START_WITHIN: Duration = Duration::from_secs(30);

/// Between looks whether it listens.
const LOOK: Duration = Duration::from_millis(20);

/// Pauses before it is started again.
const PAUSE_FIRST: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// One that lived so long did not die of its start.
const HEALTHY_AFTER: Duration = Duration::from_mins(1);

/// How long it may take to end when it is asked.
const END_WITHIN: Duration = Duration::from_secs(3);

/// How many of its last lines are kept for who wants to know why it ended.
const LINES_KEPT: usize = 20;

/// A running rclone, kept while somebody holds it.
pub(crate) type Lease = Arc<Running>;

/// A running rclone.
pub(crate) struct Running {
    pub(crate) client: Client,
    pub(crate) process: Process,
    pub(crate) version: Version,
    pub(crate) hold: Hold,
    config: PathBuf,
    since: Instant,
    said: Said,
}

/// What it said last.
type Said = Arc<Mutex<Vec<String>>>;

impl Running {
    /// Its last words, for the operator.
    pub(crate) fn last_words(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}

/// The handle.
#[derive(Clone)]
pub(crate) struct Keeper {
    place: Arc<Place>,
    idle: Duration,
    slot: Slot<Message>,
    shown: Arc<Mutex<String>>,
}

pub(crate) enum Message {
    /// Wanted with this configuration.
    Lease(PathBuf, RpcReplyPort<Result<Lease, Error>>),
    Started(Result<Lease, Error>),
    /// That rclone has ended, by itself or not.
    Over(u32),
    Tick,
}

struct Actual;

pub(crate) struct State {
    keeper: Keeper,
    tasks: Tasks,
    phase: Phase,
    pauses: u32,
}

enum Phase {
    Down,
    Starting(Vec<RpcReplyPort<Result<Lease, Error>>>),
    Up { running: Lease, used: Instant },
}

impl Keeper {
    pub(crate) fn new(place: Arc<Place>, idle: Duration) -> Self {
        Self { place, idle, slot: Slot::vacant(), shown: Arc::new(Mutex::new("not started".to_owned())) }
    }

    /// The actor as a child of a supervisor.
    pub(crate) fn child(&self, id: &str) -> ChildSpec {
        let (keeper, shown) = (self.clone(), Arc::clone(&self.shown));
        ChildSpec::worker(id, &self.slot, move |context: &ChildContext| {
            (Actual, (keeper.clone(), context.tasks()))
        })
        .note(move || Some(shown.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }

    /// A running rclone, started if need be.
    pub(crate) async fn lease(&self) -> Result<Lease, Error> {
        let place = Arc::clone(&self.place);
        let config =
            tokio::task::spawn_blocking(move || place.configuration()).await.map_err(Error::internal)??;
        let asked = self.slot.call(|port| Message::Lease(config, port), START_WITHIN + PAUSE_MAX).await;
        asked.unwrap_or_else(|error| {
            Err(refusal::rclone("not_started", "rclone is being restarted; try again.").with_detail(error))
        })
    }

    fn show(&self, text: String) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }
}

impl Actor for Actual {
    type Msg = Message;
    type State = State;
    type Arguments = (Keeper, Tasks);

    async fn pre_start(
        &self,
        myself: ActorRef<Message>,
        (keeper, tasks): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let every = (keeper.idle / 4).clamp(Duration::from_millis(250), Duration::from_secs(10));
        tasks.spawn(async move {
            while myself.cast(Message::Tick).is_ok() {
                tokio::time::sleep(every).await;
            }
        });
        keeper.show("not started".to_owned());
        Ok(State { keeper, tasks, phase: Phase::Down, pauses: 0 })
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Lease(config, port) => state.lease(&config, port, myself),
            Message::Started(started) => state.started(&started, myself),
            Message::Over(pid) => state.over(pid),
            Message::Tick => state.tick(),
        }
        Ok(())
    }
}

impl State {
    fn lease(&mut self, config: &Path, port: RpcReplyPort<Result<Lease, Error>>, myself: ActorRef<Message>) {
        match &mut self.phase {
            Phase::Up { running, used } if !running.process.is_over() && !running.is_outdated(config) => {
                *used = Instant::now();
                let _ = port.send(Ok(Arc::clone(running)));
            }
            Phase::Starting(waiting) => waiting.push(port),
            Phase::Up { .. } | Phase::Down => {
                let pause = match self.pauses {
                    0 => Duration::ZERO,
                    n => (PAUSE_FIRST * 2_u32.pow((n - 1).min(8))).min(PAUSE_MAX),
                };
                self.phase = Phase::Starting(vec![port]);
                let place = Arc::clone(&self.keeper.place);
                self.tasks.spawn(async move {
                    tokio::time::sleep(pause).await;
                    let started = start(place).await.map(Arc::new);
                    let _ = myself.cast(Message::Started(started));
                });
            }
        }
    }

    fn started(&mut self, started: &Result<Lease, Error>, myself: ActorRef<Message>) {
        let before = std::mem::replace(&mut self.phase, Phase::Down);
        match started {
            Ok(running) => {
                let told = running.process.watch();
                let pid = running.process.pid();
                self.tasks.spawn(async move {
                    told.await;
                    let _ = myself.cast(Message::Over(pid));
                });
                self.keeper.show(format!("rclone {}, {}", running.version, running.hold.sentence()));
                tracing::info!(version = %running.version, pid, confined = ?running.hold, "rclone started");
                if running.hold == Hold::None {
                    tracing::warn!(
                        "this kernel has no Landlock: rclone is held by the checks of paths and remotes alone"
                    );
                }
                self.phase = Phase::Up { running: Arc::clone(running), used: Instant::now() };
            }
            Err(error) => {
                self.pauses += 1;
                self.keeper.show(format!("cannot start: {}", error.message));
                tracing::warn!(%error, detail = error.detail.as_deref(), "rclone does not start");
            }
        }
        if let Phase::Starting(waiting) = before {
            for port in waiting {
                let _ = port.send(started.clone());
            }
        }
    }

    fn over(&mut self, pid: u32) {
        let Phase::Up { running, .. } = &self.phase else { return };
        if running.process.pid() == pid {
            self.pauses = if running.since.elapsed() > HEALTHY_AFTER { 1 } else { self.pauses + 1 };
            tracing::warn!(pid, last_words = running.last_words(), "rclone has ended by itself");
            self.keeper.show("ended by itself; it is started again when it is wanted".to_owned());
            self.phase = Phase::Down;
        }
    }

    fn tick(&mut self) {
        let Phase::Up { running, used } = &mut self.phase else { return };
        if Arc::strong_count(running) > 1 {
            *used = Instant::now();
        } else if used.elapsed() >= self.keeper.idle {
            let running = Arc::clone(running);
            self.phase = Phase::Down;
            self.pauses = 0;
            self.keeper.show("not started: nobody wants it".to_owned());
            self.tasks.spawn(async move {
                running.process.end(END_WITHIN).await;
            });
        }
    }
}

impl Running {
    /// Whether it has another configuration, and nobody has work there.
    fn is_outdated(self: &Arc<Self>, config: &Path) -> bool {
        // The actor's own is the one that is left.
        Arc::strong_count(self) == 1 && self.config != config
    }
}

async fn start(place: Arc<Place>) -> Result<Running, Error> {
    let version = version(Arc::clone(&place)).await?;
    let (user, password) = (random(16)?, random(16)?);
    let socket = place.home.join("run/rclone.sock");
    // 107 bytes are the longest path of a socket.
    let by_socket = version >= Version::PARTIAL && socket.as_os_str().len() < 107;
    let address = if by_socket { format!("unix://{}", socket.display()) } else { "127.0.0.1:0".to_owned() };
    let arguments = ["rcd", "--use-json-log", "--log-level=NOTICE", "--rc-job-expire-duration=1h"]
        .map(str::to_owned)
        .into_iter()
        .chain([format!("--rc-addr={address}")])
        .collect();
    let told = Arc::clone(&place);
    let (log_in, log_as) = (user.clone(), password.clone());
    let begun = tokio::task::spawn_blocking(move || {
        let _ = std::fs::remove_file(told.home.join("run/rclone.sock"));
        let config = told.configuration()?;
        let variables = [("RCLONE_RC_USER", log_in.as_str()), ("RCLONE_RC_PASS", log_as.as_str())];
        Ok::<_, Error>((told.start(arguments, Reach::AsRoots, &variables)?, config))
    });
    let ((process, mut lines), config) = begun
        .await
        .map_err(|error| refusal::rclone("not_started", "rclone cannot be started.").with_detail(error))??;
    let said = Said::default();
    let starting = async {
        let (mut hold, mut door) = (Hold::None, by_socket.then_some(Door::Unix(socket)));
        while hold == Hold::None || door.is_none() {
            let Some(line) = lines.recv().await else { break };
            if let Some(told) = Hold::told(&line) {
                hold = told;
                if told == Hold::None && door.is_some() {
                    break;
                }
            } else if let Some(address) = served_at(&line) {
                door = Some(Door::Tcp(address));
                break;
            }
            keep(&said, &line);
        }
        let client = Client::new(door?, &user, &password);
        while client.ask::<Value>("rc/noop", &json!({}), Duration::from_secs(1)).await.is_err() {
            if process.is_over() {
                return None;
            }
            tokio::time::sleep(LOOK).await;
        }
        Some((client, hold))
    };
    let started = tokio::time::timeout(START_WITHIN, starting).await.ok().flatten();
    let Some((client, hold)) = started else {
        while let Ok(line) = lines.try_recv() {
            keep(&said, &line);
        }
        let said = said.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
        return Err(
            refusal::rclone("not_started", "rclone does not start; the log says why.").with_detail(said)
        );
    };
    listen(lines, Arc::clone(&said));
    Ok(Running { client, process, version, hold, config, since: Instant::now(), said })
}

/// Reads what it says to its end, so that it never waits for us.
#[expect(clippy::disallowed_methods, reason = "it ends with the process whose lines it reads")]
fn listen(mut lines: mpsc::Receiver<String>, said: Said) {
    tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            keep(&said, &line);
        }
    });
}

fn keep(said: &Said, line: &str) {
    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
    if said.len() == LINES_KEPT {
        said.remove(0);
    }
    said.push(line.chars().take(500).collect());
}

/// 127.0.0.1:PORT out of the line by which it tells where it listens.
fn served_at(line: &str) -> Option<std::net::SocketAddr> {
    line.split_once("remote control on http://")?.1.split('/').next()?.parse().ok()
}

/// Which rclone it is.
pub(crate) async fn version(place: Arc<Place>) -> Result<Version, Error> {
    let asked =
        tokio::task::spawn_blocking(move || place.start(vec!["version".to_owned()], Reach::Nothing, &[]));
    let (process, mut lines) = asked
        .await
        .map_err(|error| refusal::rclone("not_started", "rclone cannot be started.").with_detail(error))??;
    let reading = async {
        let (mut found, mut said) = (None, String::new());
        while let Some(line) = lines.recv().await {
            found = found.or_else(|| Version::parse(&line));
            said.push_str(&line);
            said.push('\n');
        }
        process.ended().await;
        found.ok_or_else(|| {
            refusal::rclone("not_rclone", "sync.rclone_executable is no rclone that says its version.")
                .with_detail(said)
        })
    };
    tokio::time::timeout(START_WITHIN, reading)
        .await
        .unwrap_or_else(|_| Err(refusal::rclone("not_started", "rclone does not say its version.")))
}
