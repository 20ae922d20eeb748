//! The ways to a model that are measured: its server itself, the daemon, and the proxy that people run today.

use std::fs;
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures_util::future::try_join_all;
use harness::Upstream;

use crate::daemon::Folder;
use crate::installed;
use crate::mcp::http::{Connection, request};
use crate::server::Server;

/// The package of Python, with all that its proxy needs.
const LITELLM: &str = "litellm[proxy]==1.108.7";

/// The key that it does not start without, and wants to see.
const LITELLM_KEY: &str = "sk-of-the-bench-and-nobody-else";

/// Chats under way at one time.
const AT_ONCE: usize = 8;

/// One way to the model.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    /// What stands between; nothing where the model's server is asked itself.
    pub(crate) server: Option<Server>,
    address: String,
    token: String,
}

/// What one chat takes.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// Processor time of what stands between, in microseconds.
    pub(crate) cpu: f64,
    /// Until the answer's end, in microseconds: the median.
    pub(crate) p50: f64,
}

/// A scripted upstream on a thread of its own, so that it does not take turns with the load.
pub(crate) fn upstream() -> anyhow::Result<Upstream> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            // The bench is over before somebody waits for this.
            let _ = tell.send(Upstream::start().await);
            std::future::pending::<()>().await;
        });
        std::io::Result::Ok(())
    });
    told.recv().context("the upstream does not start")
}

/// The model's server itself.
pub(crate) fn direct(upstream: &Upstream) -> Contender {
    Contender {
        name: "the upstream itself",
        server: None,
        address: upstream.address(),
        token: "none".to_owned(),
    }
}

/// The daemon.
pub(crate) fn ours(folder: &Folder, upstream: &Upstream) -> anyhow::Result<Contender> {
    let model = format!(
        "models:\n  small: {{provider: openai_compatible, model: m, base_url: \"{}\", concurrency: 2000}}\n",
        upstream.v1()
    );
    fs::write(folder.path().join("models.yaml"), model)?;
    let server = folder.serve()?;
    let (address, token) = (server.address.clone(), folder.token().to_owned());
    Ok(Contender { name: "llmbasedos", server: Some(server), address, token })
}

/// The proxy of `litellm`, as its documents start it: one worker, and no database.
pub(crate) fn litellm(folder: &Folder, upstream: &Upstream) -> anyhow::Result<Contender> {
    let bin = installed::python(LITELLM)?;
    let file = folder.path().join("litellm.yaml");
    let settings = format!(
        "model_list:\n  - model_name: small\n    litellm_params: {{model: openai/m, api_base: \"{}\", api_key: none}}\n\
         litellm_settings: {{telemetry: false, num_retries: 0}}\n",
        upstream.v1()
    );
    fs::write(&file, settings)?;
    let mut command = Command::new(bin.join("litellm"));
    command.args(["--host", "127.0.0.1", "--num_workers", "1", "--config"]).arg(file);
    // It asks the internet for prices otherwise.
    command.envs([("LITELLM_LOCAL_MODEL_COST_MAP", "True"), ("LITELLM_LOG", "ERROR")]);
    command.env("LITELLM_MASTER_KEY", LITELLM_KEY);
    let server = Server::listening(&mut command, |command, port| {
        command.args(["--port", port]);
    })?;
    let address = server.address.clone();
    Ok(Contender {
        name: "PyPI `litellm[proxy]`",
        server: Some(server),
        address,
        token: LITELLM_KEY.to_owned(),
    })
}

impl Contender {
    /// A chat, ready for the wire.
    pub(crate) fn chat(&self, stream: bool) -> Vec<u8> {
        let body = format!(
            "{{\"model\":\"small\",\"stream\":{stream},\"messages\":[{{\"role\":\"user\",\
             \"content\":\"Say hello to everybody in the room.\"}}]}}"
        );
        let token = format!("Bearer {}", self.token);
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        request("POST", "/v1/chat/completions", &self.address, &headers, &body)
    }

    /// As many connections.
    pub(crate) async fn open(&self, connections: usize) -> anyhow::Result<Vec<Connection>> {
        try_join_all((0..connections).map(async |_| Connection::open(&self.address).await)).await
    }

    /// What a chat takes, asked for so long.
    pub(crate) async fn cost(&self, stream: bool, seconds: f64) -> anyhow::Result<Cost> {
        let ask = &self.chat(stream);
        let mut lines = self.open(AT_ONCE).await?;
        // What is read and connected once is not what a chat takes.
        try_join_all(lines.iter_mut().map(async |line| asked(line, ask).await)).await?;
        let (begun, before) = (Instant::now(), self.cpu_ns()?);
        let until = begun + Duration::from_secs_f64(seconds);
        let times = lines.iter_mut().map(async |line| {
            let mut times = Vec::new();
            while Instant::now() < until {
                times.push(asked(line, ask).await?);
            }
            anyhow::Ok(times)
        });
        let mut times = try_join_all(times).await?.concat();
        let cpu = (self.cpu_ns()? - before) as f64 / 1000.0 / times.len() as f64;
        times.sort();
        Ok(Cost { cpu, p50: times[times.len() / 2].as_secs_f64() * 1e6 })
    }

    fn cpu_ns(&self) -> anyhow::Result<u64> {
        self.server.as_ref().map_or(Ok(0), Server::tree_cpu_ns)
    }
}

async fn asked(line: &mut Connection, ask: &[u8]) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let status = line.ask(ask).await?.status;
    ensure!(status == 200, "answered by {status} {}", String::from_utf8_lossy(&line.body));
    Ok(begun.elapsed())
}
