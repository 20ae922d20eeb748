//! Makes every part from the settings, in the order in which they depend on one another.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use admin::{Admin, Counters};
use agent::Agent;
use anyhow::Context as _;
use cluster_config::{Environment, Flags, Loaded, Settings};
use edge::{Edges, HostRules, Limits};
use embedding::Embedder;
use gateway::{BackendConfig, Gateway, Rules};
use llm::Llm;
use mail::Mail;
use prompts::Prompts;
use protocol::Catalog;
use protocol::dispatch::{Call, Dispatch};
use protocol::mcp::FixedResources;
use store::Store;
use supervisor::{Slot, SupervisorSpec};
use sync::Sync;
use telemetry::LogLevel;

use crate::args::CONFINED;
use crate::beside::Beside;
use crate::doors;
use crate::fixtures;
use crate::roots::RootsOf;
use crate::tree::{self, Branches};
use crate::workflows;

/// The parts, made and not started.
pub(crate) struct App {
    pub(crate) root: SupervisorSpec,
    pub(crate) admin: Admin,
    pub(crate) edges: Edges,
    pub(crate) ready: String,
    /// Held to the end: the run directory is ours as long as this lives. None for a process without doors.
    pub(crate) run_dir: Option<edge::RunDir>,
    /// Answers the Model Context Protocol.
    pub(crate) mcp: Arc<mcp::Server>,
}

/// What a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It listens at all doors of the settings.
    Daemon,
    /// The same, and offers what the conformance suite expects.
    Conformance,
    /// It listens at none: it serves its own standard streams, and may run beside one that listens.
    Embedded,
}

/// The service that shows this process; `edges` are there later than it.
fn admin(
    loaded: &Arc<Loaded>,
    gateway: &Gateway,
    edges: &Arc<std::sync::OnceLock<Edges>>,
    log: LogLevel,
) -> Admin {
    let (totals, shown, edges) = (gateway.gate().clone(), Arc::clone(loaded), Arc::clone(edges));
    Admin::new(admin::Sources {
        config: Box::new(move || cluster_config::effective(&shown)),
        counters: Box::new(move || {
            let totals = totals.totals();
            Counters {
                connections: edges.get().map_or(0, Edges::connections),
                in_flight: totals.in_flight,
                answered: totals.answered,
                failed: totals.failed,
            }
        }),
        log,
    })
}

/// A built-in service: what it is called, what it does, what it answers, and where.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    entries: Vec<protocol::Entry>,
    slot: Slot<Call>,
}

const FS: (&str, &str) = ("fs", "Files under the roots that the owner has opened, confined and undoable.");
const ADMIN: (&str, &str) = ("admin", "The supervision tree, settings and counters of this instance.");
const LLM: (&str, &str) = ("llm", "Language models of any provider, under one's own limits.");
const MAIL: (&str, &str) = ("mail", "Mail and calendars of one's own accounts, read without a trace.");
const SYNC: (&str, &str) = (
    "sync",
    "Copies between the roots and the remotes of rclone, as jobs that are planned, followed and resumed.",
);
const AGENT: (&str, &str) =
    ("agent", "Workflows: steps over all other methods that outlast the process and do nothing twice.");
const PROMPTS: (&str, &str) = ("prompts", "Texts that a person starts work with, in files of their own.");

impl App {
    pub(crate) fn make(
        loaded: &Arc<Loaded>,
        flags: Flags,
        environment: Environment,
        log: LogLevel,
        role: Role,
        handed: Vec<UnixListener>,
    ) -> anyhow::Result<Self> {
        let settings = &loaded.settings;
        let mut run_dir = match role {
            Role::Daemon | Role::Conformance => Some(edge::prepare_run_dir(&settings.run_dir)?),
            Role::Embedded => None,
        };
        let store = open_store(settings)?;

        // Gateway.
        let gateway = Gateway::new(gateway_config(loaded, flags, environment.clone()), store.clone())?;

        // Services.
        let fs = fs::Fs::open(&settings.fs)?;
        let edges_later = Arc::new(std::sync::OnceLock::<Edges>::new());
        let admin = admin(loaded, &gateway, &edges_later, log);
        let prompts = Prompts::open(Some(settings.prompts_dir.clone()));
        let mail =
            Mail::open(mail_config(settings, environment.clone(), store.clone(), Arc::new(gateway.clone())));
        let beside = Beside::find(settings)?;
        let sync = Sync::open(sync_config(settings, environment.clone(), &store, &fs)?);
        let embedder = beside.embedder();
        let search = beside.search(&fs, &store, &embedder);
        let agent = workflows::open(settings, environment.clone(), store.clone(), &gateway)?;
        let llm =
            Llm::open(llm_config(settings, environment, store, gateway.gate().clone(), embedder.clone()))?;
        let services = services(&fs, &search, &mail, &sync, &admin, &prompts, &llm, &agent);
        for service in &services {
            gateway.add(service.name, service.description, service.entries.clone(), &service.slot)?;
        }
        let (answers_suite, fixtures): (_, Option<Arc<dyn FixedResources>>) =
            (role == Role::Conformance).then(|| fixtures::offer(&gateway, &prompts)).transpose()?.unzip();
        if role == Role::Conformance {
            tracing::warn!("offering the fixtures of the conformance suite");
        }

        // Doors, then the edges behind them.
        let doors = match &mut run_dir {
            Some(run_dir) => doors::open(settings, run_dir, handed, &services, gateway.gate())?,
            None => edge::Doors::default(),
        };
        let address = doors.tcp.as_ref().map(|door| door.address().to_string()).unwrap_or_default();
        let dispatch: Arc<dyn Dispatch> = Arc::new(gateway.clone());
        let prompts_seen = prompts.clone();
        let mcp = mcp::Server::new(mcp::Config {
            dispatch: Arc::clone(&dispatch),
            prompts_changed: Box::new(move || prompts_seen.changed()),
            fixed: fixtures,
            // One folder a process: an embedded one must not empty another's.
            spill: run_dir.is_some().then(|| settings.state_dir.join("results")),
            result_bytes: bytes(settings.mcp.tool_result_bytes),
            result_bytes_max: bytes(settings.limits.result_bytes),
        });
        let (edges_spec, edges) =
            edge::supervisor(dispatch, Arc::clone(&mcp), limits(settings), host_rules(settings), doors);
        let _ = edges_later.set(edges.clone());

        // Sockets of third-party services are in the run directory, which is another process's then.
        let backends = (settings.backends.allow && run_dir.is_some())
            .then(|| gateway::backends(backend_config(settings, &services), gateway.gate().routes().clone()));
        let methods = gateway.gate().routes().load().catalog.iter().count();
        let ready = format!(
            "llmbasedos {} is ready: {methods} methods on ws://{address}/ws, http://{address}/mcp and {}",
            env!("CARGO_PKG_VERSION"),
            settings.run_dir.join("gateway.sock").display(),
        );
        let root = tree::root(Branches {
            services: services
                .iter()
                .map(|s| {
                    let (models, accounts, jobs, runs) =
                        (llm.clone(), mail.clone(), sync.clone(), agent.clone());
                    let child = service::child(s.name, &s.slot);
                    match s.name {
                        name if name == LLM.0 => child.note(move || models.health()),
                        name if name == MAIL.0 => child.note(move || accounts.health()),
                        name if name == SYNC.0 => child.note(move || jobs.health()),
                        name if name == AGENT.0 => child.note(move || runs.health()),
                        _ => child,
                    }
                })
                .chain([service::chore("sweeper", SWEEP_EVERY, move |cancel| sweep(&fs, cancel))])
                .chain([embedding::child("embedding", &embedder), search.child("index")])
                .chain(sync.children())
                .chain(prompts.reader("prompts-watch"))
                .chain(llm.reader("models-watch"))
                .chain(mail.reader("mail-accounts-watch"))
                .chain(workflows::offered(&agent, &gateway, &slot_of(&services, AGENT.0)))
                .chain([supervisor::ChildSpec::supervisor(mail.keepers())])
                .chain(answers_suite)
                // Last, so that runs end before what they call does.
                .chain([supervisor::ChildSpec::supervisor(agent.runs())])
                .collect(),
            backends,
            gateway: gateway.supervisor(),
            edges: edges_spec,
        });
        Ok(Self { root, admin, edges, ready, run_dir, mcp })
    }
}

/// How often leftovers of crashes are removed and the trash is emptied of what is too old.
const SWEEP_EVERY: Duration = Duration::from_hours(24);

fn sweep(fs: &fs::Fs, cancel: &protocol::Cancel) {
    let swept = fs.sweep(cancel);
    tracing::debug!(?swept, "swept the roots");
}

/// Opens the state file, making its folder for the owner alone.
pub(crate) fn open_store(settings: &Settings) -> anyhow::Result<Store> {
    use std::os::unix::fs::DirBuilderExt as _;
    let dir = &settings.state_dir;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).with_context(|| {
        format!("cannot make {}: choose a folder of yours with --state-dir", dir.display())
    })?;
    Ok(Store::open(dir)?)
}

/// User ids that are the owner here: root, the daemon's own, and those in the settings.
fn owners(settings: &Settings) -> Vec<u32> {
    let mut uids = vec![0, rustix::process::getuid().as_raw()];
    uids.extend(&settings.auth.unix_uids);
    uids
}

fn gateway_config(loaded: &Arc<Loaded>, flags: Flags, environment: Environment) -> gateway::Config {
    let settings = &loaded.settings;
    let licence = settings.licence.clone();
    let first = std::sync::Mutex::new(Some(loaded.tiers.clone()));
    gateway::Config {
        load: Box::new(move || {
            let read = first.lock().ok().and_then(|mut tiers| tiers.take());
            let tiers = match read {
                Some(tiers) => tiers,
                None => {
                    cluster_config::load(&flags, &environment).map_err(|mistakes| mistakes.to_string())?.tiers
                }
            };
            let licence = read_licence(&licence, &tiers)?;
            Ok(Rules { tiers, licence })
        }),
        watched: vec![settings.licence.file.clone(), settings.tiers_file.clone()],
        uids: owners(settings),
        loopback_open: settings.auth.loopback == cluster_config::Loopback::Open,
        in_flight_max: settings.limits.in_flight,
    }
}

/// Judges the licence file. A missing one is no mistake; a bad public key is.
pub(crate) fn read_licence(
    settings: &cluster_config::Licence,
    tiers: &cluster_config::Tiers,
) -> Result<gateway::Licence, String> {
    let key = settings
        .public_key
        .as_deref()
        .map(|key| gateway::public_key(key).map_err(|why| format!("licence.public_key: {why}")))
        .transpose()?;
    Ok(match std::fs::read_to_string(&settings.file) {
        Ok(text) => gateway::Licence::judge(&text, |tier| tiers.get(tier).is_some(), key.as_ref()),
        Err(error) => gateway::Licence::none(Some(format!("{}: {error}", settings.file.display()))),
    })
}

fn backend_config(settings: &Settings, services: &[Service]) -> BackendConfig {
    let ours = services.iter().map(|service| service.name.to_owned());
    BackendConfig {
        dir: settings.backends.dir.clone(),
        timeout: Duration::from_secs(settings.backends.timeout_seconds),
        connections: settings.backends.connections_per_backend,
        answer_max: bytes(settings.limits.result_bytes),
        uids: owners(settings),
        reserved: ours.chain(["gateway".to_owned(), "licence".to_owned()]).collect(),
    }
}

/// What the LLM proxy is told.
fn llm_config(
    settings: &Settings,
    environment: Environment,
    store: Store,
    gate: gateway::Gate,
    local: Embedder,
) -> llm::Config {
    llm::Config {
        file: Some(settings.models_file.clone()),
        environment,
        store,
        tier: Box::new(move |name| gate.tier(name)),
        tokens_per_day: settings.llm.tokens_per_day,
        cost_per_day: settings.llm.cost_per_day,
        calls: settings.llm.calls,
        local,
    }
}

/// What the mail service is told.
fn mail_config(
    settings: &Settings,
    environment: Environment,
    store: Store,
    dispatch: Arc<dyn Dispatch>,
) -> mail::Config {
    mail::Config {
        file: Some(settings.mail_accounts_file.clone()),
        environment,
        store: Some(store),
        dispatch: Some(dispatch),
        tokens: settings.state_dir.join("mail-tokens"),
        timeout: Duration::from_secs(settings.mail.imap_timeout_seconds),
        end: Duration::from_secs(settings.mail.smtp_end_seconds),
        attachment_inline_kb: settings.mail.attachment_inline_kb,
        raw_search: settings.mail.raw_search.clone(),
    }
}

/// What the service of sync jobs is told.
fn sync_config(
    settings: &Settings,
    environment: Environment,
    store: &Store,
    fs: &fs::Fs,
) -> anyhow::Result<sync::Config> {
    Ok(sync::Config {
        store: store.clone(),
        roots: Arc::new(RootsOf(fs.clone())),
        settings: settings.sync.clone(),
        state_dir: settings.state_dir.clone(),
        launcher: (
            std::env::current_exe().context("cannot tell where this program is")?,
            CONFINED.to_owned(),
        ),
        environment,
    })
}

#[expect(clippy::too_many_arguments, reason = "one for each service")]
fn services(
    fs: &fs::Fs,
    search: &fs::Search,
    mail: &Mail,
    sync: &Sync,
    admin: &Admin,
    prompts: &Prompts,
    llm: &Llm,
    agent: &Agent,
) -> Vec<Service> {
    let service = |(name, description), entries| Service { name, description, entries, slot: Slot::vacant() };
    vec![
        service(FS, fs::methods(fs).into_iter().chain(fs::search_methods(search)).collect()),
        service(MAIL, mail::methods(mail)),
        service(SYNC, sync::methods(sync)),
        service(ADMIN, admin::methods(admin)),
        service(PROMPTS, prompts::methods(prompts)),
        service(LLM, llm::methods(llm)),
        service(AGENT, agent::methods(agent)),
    ]
}

/// Where calls of a service go.
fn slot_of(services: &[Service], name: &str) -> Slot<Call> {
    let service = services.iter().find(|service| service.name == name);
    service.map_or_else(Slot::vacant, |service| service.slot.clone())
}

fn limits(settings: &Settings) -> Limits {
    let limits = &settings.limits;
    let seconds = Duration::from_secs;
    Limits {
        connections: limits.connections,
        in_flight: limits.in_flight_per_connection,
        frame_bytes: bytes(limits.frame_bytes),
        batch: limits.batch,
        call: seconds(limits.call_seconds),
        idle: (limits.idle_seconds > 0).then(|| seconds(limits.idle_seconds)),
        send_buffer: bytes(limits.send_buffer_bytes),
        result: bytes(limits.result_bytes),
        handshake: seconds(limits.handshake_seconds),
        ping: seconds(limits.ping_seconds),
        // The rest of the time is for what comes after the last call: the ledger's last write, above all.
        drain: seconds(settings.shutdown_seconds) * 4 / 5,
        stream: seconds(settings.mcp.stream_seconds),
        sessions: settings.mcp.sessions,
    }
}

fn bytes(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

fn host_rules(settings: &Settings) -> HostRules {
    let mut hosts = settings.auth.allowed_hosts.clone();
    hosts.push(settings.listen.host().to_owned());
    HostRules { hosts, origins: settings.auth.allowed_origins.clone() }
}

/// The catalogue of everything built in, over a scratch folder: what METHODS.md, the capability files and the
/// tests over all methods are made from.
///
/// # Errors
/// When the scratch folder cannot be used.
pub fn catalog(scratch: impl Into<PathBuf>) -> anyhow::Result<Catalog> {
    let scratch = scratch.into();
    let root = cluster_config::fs::Root {
        at: "/".into(),
        path: scratch.clone(),
        mode: cluster_config::fs::Mode::ReadWrite,
        tiers: Vec::new(),
    };
    let fs = fs::Fs::open(&cluster_config::fs::Fs { roots: vec![root], ..Default::default() })?;
    let log = LogLevel::fixed("off");
    let admin =
        Admin::new(admin::Sources { config: Box::new(Vec::new), counters: Box::new(Counters::default), log });
    let config = gateway::Config {
        load: Box::new(|| {
            Ok(Rules { tiers: cluster_config::Tiers::default(), licence: gateway::Licence::none(None) })
        }),
        watched: Vec::new(),
        uids: Vec::new(),
        loopback_open: false,
        in_flight_max: 1,
    };
    let store = Store::open(&scratch)?;
    let nowhere = || Err(embedding::EmbedError::Closed);
    let embedder = Embedder::new(nowhere, Duration::from_secs(1));
    let (gateway, seen) = (Gateway::new(config, store.clone())?, store.clone());
    let gate = gateway.gate().clone();
    let llm = Llm::open(llm::Config {
        file: None,
        environment: Environment::default(),
        store,
        tier: Box::new(move |name| gate.tier(name)),
        tokens_per_day: 0,
        cost_per_day: 0.0,
        calls: 1,
        local: embedder.clone(),
    })?;
    let settings = Settings { state_dir: scratch, ..Settings::default() };
    let sync = Sync::open(sync_config(&settings, Environment::default(), &seen, &fs)?);
    let beside = Beside::find(&settings)?;
    let search = beside.search(&fs, &seen, &embedder);
    let mail = Mail::open(mail::Config {
        file: None,
        environment: Environment::default(),
        store: None,
        dispatch: None,
        tokens: PathBuf::new(),
        timeout: Duration::from_secs(1),
        end: Duration::from_secs(1),
        attachment_inline_kb: 0,
        raw_search: Vec::new(),
    });
    let agent = workflows::shown(&settings, seen, &gateway)?;
    for service in services(&fs, &search, &mail, &sync, &admin, &Prompts::open(None), &llm, &agent) {
        gateway.add(service.name, service.description, service.entries, &service.slot)?;
    }
    let catalog = gateway.gate().routes().load().catalog.clone();
    Ok(catalog)
}

/// One line about every built-in service, for capability files.
pub fn descriptions() -> [(&'static str, &'static str); 7] {
    [FS, MAIL, SYNC, ADMIN, PROMPTS, LLM, AGENT]
}
