//! Logs: to standard error, for people on a terminal and as JSON lines otherwise, with a level that can be
//! changed while the process runs. Payloads never appear at info level or above; secrets never at all.

use std::io::IsTerminal;
use std::sync::Arc;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// One readable line.
    Human,
    /// One JSON object a line.
    Json,
}

/// A filter that does not parse.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{filter}' is not a log filter ({reason}): write a level such as info, or directives such as info,fs=debug"
)]
pub struct BadFilter {
    filter: String,
    reason: String,
}

/// Reads and changes the level in force.
#[derive(Clone)]
pub struct LogLevel {
    replace: Arc<dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync>,
    shown: Arc<dyn Fn() -> String + Send + Sync>,
}

impl LogLevel {
    /// A level that belongs to no log: for tools that only need the type.
    pub fn fixed(level: &'static str) -> Self {
        Self { replace: Arc::new(|_| Ok(())), shown: Arc::new(move || level.to_owned()) }
    }

    /// The directives in force.
    pub fn get(&self) -> String {
        (self.shown)()
    }

    /// Puts other directives in force.
    ///
    /// # Errors
    /// When `filter` does not parse; the old one stays.
    pub fn set(&self, filter: &str) -> Result<(), BadFilter> {
        (self.replace)(parse(filter)?)
            .map_err(|error| BadFilter { filter: filter.to_owned(), reason: error.to_string() })
    }
}

fn parse(filter: &str) -> Result<EnvFilter, BadFilter> {
    EnvFilter::try_new(filter)
        .map_err(|error| BadFilter { filter: filter.to_owned(), reason: error.to_string() })
}

/// Starts logging. Call once, before anything logs.
///
/// # Errors
/// When `filter` does not parse.
pub fn start(filter: &str, format: Format) -> Result<LogLevel, BadFilter> {
    let terminal = std::io::stderr().is_terminal();
    let json = match format {
        Format::Auto => !terminal,
        Format::Human => false,
        Format::Json => true,
    };
    let (filter, handle) = reload::Layer::new(parse(filter)?);
    let lines = tracing_subscriber::fmt::layer::<Registry>().with_writer(std::io::stderr);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if json {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    } else {
        lines.with_ansi(terminal).with_target(false).compact().boxed()
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    let shown = handle.clone();
    Ok(LogLevel {
        replace: Arc::new(move |filter| handle.reload(filter)),
        shown: Arc::new(move || shown.with_current(ToString::to_string).unwrap_or_default()),
    })
}
