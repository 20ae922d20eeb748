//! `llmbasedos stdio`: speaks on standard input and output, one message a line, for hosts that start their servers.
//!
//! With a daemon running on the same run directory it passes messages on to that, under the token in `LLMBDO_TOKEN`
//! or as the user that it runs as. With none it runs the tree in itself, without any door, so that several may run
//! at once. It ends with its input, or with its parent.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use cluster_config::{Environment, Flags, Loaded};
use futures_util::{Sink, SinkExt, Stream, StreamExt as _, TryStreamExt as _};
use protocol::{Credentials, Way};
use rustix::process::{Signal, getuid, set_parent_process_death_signal};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::codec::{Framed, FramedRead, LinesCodec, LinesCodecError};

use crate::app::{App, Role};

/// How long answers that are under way are waited for once the input has ended.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// The environment variable with the token.
const TOKEN: &str = "LLMBDO_TOKEN";

pub(crate) fn run(flags: &Flags, environment: &Environment) -> anyhow::Result<ExitCode> {
    // A host that is killed closes no pipes that its other children hold.
    set_parent_process_death_signal(Some(Signal::TERM)).context("cannot ask to end with the parent")?;
    let loaded = Arc::new(cluster_config::load(flags, environment)?);
    let token = environment.get(TOKEN).map(ToOwned::to_owned);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let code = runtime.block_on(async {
        let limit = frame_bytes(&loaded);
        if let Some(daemon) =
            attach(&loaded.settings.run_dir.join("http.sock"), token.as_deref(), limit).await?
        {
            return relay(daemon, limit).await.map(|()| ExitCode::SUCCESS);
        }
        embed(loaded, flags.clone(), environment.clone(), token).await
    });
    // A thread may still sit in a read of standard input, which nothing can interrupt.
    runtime.shutdown_background();
    code
}

fn frame_bytes(loaded: &Loaded) -> usize {
    usize::try_from(loaded.settings.limits.frame_bytes).unwrap_or(usize::MAX)
}

/// Messages to the daemon and from it.
struct Messages {
    sink: Pin<Box<dyn Sink<String, Error = io::Error> + Send>>,
    stream: Pin<Box<dyn Stream<Item = io::Result<String>> + Send>>,
}

/// A connection to the daemon on this run directory; `None` when none is running.
async fn attach(socket: &Path, token: Option<&str>, limit: usize) -> anyhow::Result<Option<Messages>> {
    let stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error).with_context(|| format!("cannot connect to {}", socket.display())),
    };
    let mut request = tungstenite::http::Request::builder()
        .uri("ws://localhost/ws")
        .header("Host", "localhost")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", tungstenite::handshake::client::generate_key());
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let config = tungstenite::protocol::WebSocketConfig::default()
        .max_message_size(Some(limit.saturating_mul(4)))
        .max_frame_size(Some(limit.saturating_mul(4)));
    let connected =
        tokio_tungstenite::client_async_with_config(request.body(())?, stream, Some(config)).await;
    let (connection, _) = connected.map_err(|error| refused(socket, error))?;
    let messages = connection
        .map_err(io::Error::other)
        .try_filter_map(|message| async move {
            Ok(match message {
                Message::Text(text) => Some(text.to_string()),
                _ => None,
            })
        })
        .sink_map_err(io::Error::other)
        .with(|line: String| std::future::ready(Ok::<_, io::Error>(Message::text(line))));
    let (sink, stream) = messages.split();
    Ok(Some(Messages { sink: Box::pin(sink), stream: Box::pin(stream) }))
}

/// What a daemon said that did not let us in.
fn refused(socket: &Path, error: tungstenite::Error) -> anyhow::Error {
    if let tungstenite::Error::Http(response) = &error {
        let said = response.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        return anyhow::anyhow!(
            "the daemon at {} refused: {} {}",
            socket.display(),
            response.status(),
            said.trim()
        );
    }
    anyhow::Error::new(error).context(format!("cannot speak to the daemon at {}", socket.display()))
}

/// Runs the tree in this process, without doors.
async fn embed(
    loaded: Arc<Loaded>,
    flags: Flags,
    environment: Environment,
    token: Option<String>,
) -> anyhow::Result<ExitCode> {
    let log = telemetry::start(&loaded.settings.log.level, telemetry::Format::Auto)?;
    supervisor::install_panic_hook();
    let (limit, grace) = (frame_bytes(&loaded), Duration::from_secs(loaded.settings.shutdown_seconds));
    let app = App::make(&loaded, flags, environment, log, Role::Embedded, Vec::new())?;
    let tree = supervisor::start(app.root).await?;
    app.admin.watch(tree.clone());
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let who = match token {
        Some(token) => Credentials::Token(token, Way::Stdio),
        None => Credentials::Uid(getuid().as_raw()),
    };
    app.edges.serve_stream(theirs, who).await.map_err(|error| anyhow::anyhow!("{error}"))?;
    let lines = Framed::new(ours, LinesCodec::new_with_max_length(limit.saturating_mul(4)));
    let (sink, stream) = lines.split::<String>();
    let daemon = Messages {
        sink: Box::pin(sink.sink_map_err(io::Error::other)),
        stream: Box::pin(stream.map_err(io::Error::other)),
    };
    let ended = relay(daemon, limit).await;
    tree.stop(grace).await;
    ended.map(|()| ExitCode::SUCCESS)
}

/// What of a message says whether somebody waits for an answer.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    id: Option<IgnoredAny>,
    #[serde(default)]
    method: Option<IgnoredAny>,
}

/// Whether it is a request, which is answered, or an answer.
fn kind(message: &str) -> (bool, bool) {
    let envelope: Option<Envelope> = serde_json::from_str(message).ok();
    let (id, method) = envelope.map_or((false, false), |it| (it.id.is_some(), it.method.is_some()));
    (id && method, id && !method)
}

/// Passes lines on to the daemon and its messages back, until one side ends.
async fn relay(mut daemon: Messages, limit: usize) -> anyhow::Result<()> {
    let mut input = FramedRead::new(tokio::io::stdin(), LinesCodec::new_with_max_length(limit));
    let mut output = tokio::io::stdout();
    let mut open = 0_usize;
    loop {
        tokio::select! {
            line = input.next() => match line {
                Some(Ok(line)) if line.trim().is_empty() => {}
                Some(Ok(line)) => {
                    open += usize::from(kind(&line).0);
                    daemon.sink.send(line).await.context("the daemon is gone")?;
                }
                Some(Err(LinesCodecError::MaxLineLengthExceeded)) => {
                    super::note(&format!("a line longer than {limit} bytes (limits.frame_bytes) was left out"));
                }
                Some(Err(LinesCodecError::Io(error))) => return Err(error).context("cannot read standard input"),
                None => break,
            },
            message = daemon.stream.next() => {
                let Some(message) = message else { anyhow::bail!("the daemon is gone") };
                open = open.saturating_sub(write(&mut output, &message?).await?);
            }
        }
    }
    let rest = async {
        while open > 0
            && let Some(Ok(message)) = daemon.stream.next().await
        {
            open = open.saturating_sub(write(&mut output, &message).await?);
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(LAST_ANSWERS, rest).await.unwrap_or(Ok(()))
}

/// Writes one message; returns how many requests it answers.
async fn write(output: &mut tokio::io::Stdout, message: &str) -> io::Result<usize> {
    // One write, so that a message is never seen in part.
    output.write_all(format!("{message}\n").as_bytes()).await?;
    output.flush().await?;
    Ok(usize::from(kind(message).1))
}
