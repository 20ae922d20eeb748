//! What workflows reach besides methods: listed hosts over HTTP (decision 22), listed images on a Docker engine
//! (decision 21).

use std::time::{Duration, Instant};

use agent::{Container, Ended, HttpAnswer, HttpRequest, Outside};
use cluster_config::Settings;
use containers::{Engine, Images, Line, Run, Started};
use outbound::{Body, Client, Content, Expect, Kind, Request, Sent};
use protocol::dispatch::BoxFuture;
use protocol::{Cancel, Code, Error};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Lines of a container that wait to be put together.
const LINES: usize = 1024;

const MIB: u64 = 1 << 20;

/// The way out of runs.
pub(crate) struct Beyond {
    http: Client,
    engine: Engine,
    /// Whether any image may run: otherwise no engine is asked for anything.
    images: bool,
}

impl Beyond {
    /// Reads the lists of the settings.
    ///
    /// # Errors
    /// Which entries of which list are none.
    pub(crate) fn new(settings: &Settings) -> anyhow::Result<Self> {
        let wrong = |key: &str, bad: &dyn std::fmt::Display| anyhow::anyhow!("agent.{key}: {bad}");
        let own = &settings.agent;
        let hosts = outbound::Policy::parse(&own.http_allow).map_err(|bad| wrong("http_allow", &bad))?;
        let images = Images::parse(&own.docker_images).map_err(|bad| wrong("docker_images", &bad))?;
        let any = !images.is_empty();
        let policy = containers::Policy {
            images,
            networks: own.docker_networks.clone(),
            root: own.docker_root,
            pull: own.docker_pull,
            ..containers::Policy::default()
        };
        let options =
            outbound::Options { body_bytes_max: bytes(own.output_kb), ..outbound::Options::default() };
        // Several daemons may use one engine; a state folder is one daemon's.
        let instance = settings.state_dir.display().to_string();
        let engine = Engine::new(&own.docker_socket, instance, policy);
        Ok(Self { http: Client::new(hosts, options), engine, images: any })
    }
}

impl Outside for Beyond {
    fn http(
        &self,
        request: HttpRequest,
        deadline: Instant,
        _: Cancel,
    ) -> BoxFuture<'_, Result<HttpAnswer, Error>> {
        let request = Request {
            method: request.method,
            url: request.url,
            headers: request.headers,
            query: request.query,
            body: request.body.map_or(Body::None, Body::Bytes),
            expect_status: request.expected.into_iter().map(Expect::one).collect(),
            idempotency_key: request.key,
            follow: true,
        };
        Box::pin(async move {
            match self.http.send_within(&request, left(deadline)).await {
                Ok(response) => Ok(answer(response)),
                Err(error) => match error.response {
                    Some(response) if error.kind == Kind::Status => Ok(answer(*response)),
                    _ => Err(no_answer(&error)),
                },
            }
        })
    }

    fn docker(
        &self,
        container: Container,
        deadline: Instant,
        cancel: Cancel,
    ) -> BoxFuture<'_, Result<Ended, Error>> {
        let key = container.key;
        let run = Run {
            inputs: container.inputs,
            env: container.env.into_iter().collect(),
            memory_bytes: container.memory.map(|mib| mib.saturating_mul(MIB)),
            cpus: container.cpus,
            pids: container.pids.map(|pids| u32::try_from(pids).unwrap_or(u32::MAX)),
            network: container.network,
            timeout: Some(left(deadline)).filter(|left| *left < self.engine.policy().limits.timeout.max),
            ..Run::new(container.image, container.command.unwrap_or_default())
        };
        Box::pin(async move {
            let running = self.engine.start(&key, &run).await.map_err(|error| no_end(&error))?;
            let (sender, mut lines) = mpsc::channel::<Line>(LINES);
            let stop = CancellationToken::new();
            let gather = async {
                let mut output = String::new();
                while let Some(line) = lines.recv().await {
                    output.push_str(&line.text);
                    output.push('\n');
                }
                output
            };
            let waited = async { tokio::join!(running.wait(sender, &stop), gather) };
            tokio::pin!(waited);
            let (outcome, output) = loop {
                tokio::select! {
                    both = &mut waited => break both,
                    _ = cancel.cancelled(), if !stop.is_cancelled() => stop.cancel(),
                }
            };
            let outcome = outcome.map_err(|error| no_end(&error))?;
            Ok(Ended {
                exit_code: outcome.exit_code,
                end: outcome.end.name(),
                output,
                container_id: running.name().to_owned(),
            })
        })
    }

    fn release(&self, key: String) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Err(error) = self.engine.remove(&key).await {
                tracing::warn!(key, %error, "a container stays on the engine");
            }
        })
    }

    fn held(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(async move {
            if !self.images {
                return Vec::new();
            }
            match self.engine.leftovers().await {
                Ok(all) => all.into_iter().map(|one| one.key).collect(),
                Err(error) => {
                    tracing::info!(%error, "nobody knows which containers are left from before");
                    Vec::new()
                }
            }
        })
    }
}

fn bytes(kib: u64) -> usize {
    usize::try_from(kib * 1024).unwrap_or(usize::MAX)
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

fn answer(response: outbound::Response) -> HttpAnswer {
    let (body, encoding) = match response.body {
        Content::Json(value) => (value.to_string(), "json"),
        Content::Text(text) => (text, "text"),
        Content::Base64(text) => (text, "base64"),
    };
    let headers = response.headers.into_iter().map(|(name, values)| (name, values.join(", "))).collect();
    HttpAnswer { status: response.status, headers, body, encoding, truncated: response.truncated }
}

/// What may have arrived and was not answered is nobody's to repeat but the step's.
fn no_answer(error: &outbound::Error) -> Error {
    let code = match error.kind {
        Kind::NotAllowed | Kind::PrivateAddress => Code::PermissionDenied,
        Kind::Invalid => Code::InvalidParams,
        Kind::Timeout => Code::DeadlineExceeded,
        _ => Code::AgentFailed,
    };
    let data = json!({ "kind": error.kind.name(), "sent": error.sent.name() });
    in_doubt(code, &error.message, data, error.sent == Sent::Maybe)
}

fn no_end(error: &containers::Error) -> Error {
    let code = match error.kind {
        containers::Kind::NotAllowed => Code::PermissionDenied,
        containers::Kind::Invalid => Code::InvalidParams,
        containers::Kind::NoEngine | containers::Kind::NoImage => Code::AgentMissing,
        containers::Kind::Refused | containers::Kind::Lost => Code::AgentFailed,
    };
    let data = json!({ "kind": error.kind.name() });
    in_doubt(code, &error.message, data, error.started != Started::No)
}

fn in_doubt(code: Code, message: &str, mut data: Value, doubt: bool) -> Error {
    if doubt {
        data["retry_safe"] = false.into();
    }
    Error::new(code, message).with_data(data)
}
