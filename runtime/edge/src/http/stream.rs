//! Reads an exchange: its answer as one JSON document if nothing comes before it, else everything as events.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use protocol::Cause;
use tokio::time::Sleep;

use super::exchange::{Answer, Exchange, Next};

/// How often a stream that has nothing to say shows that it is alive, and finds out whether anybody is there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// When a client whose stream ended should ask again, in milliseconds.
const RETRY: Duration = Duration::from_secs(1);

/// How a stream ends, and what its end means.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    /// The end of the response is the end of the call.
    Modern,
    /// The call goes on without a reader, who may come back. `hold`: how long a stream stays open, for clients that
    /// know how to come back to it.
    Legacy {
        /// Unlimited when `None`.
        hold: Option<Duration>,
    },
}

/// Reads one exchange.
pub(crate) struct Reader {
    exchange: Arc<Exchange>,
    number: u64,
    next: u64,
    manner: Manner,
    timer: Pin<Box<Sleep>>,
    /// When this stream ends even unanswered.
    until: Option<Instant>,
    /// When the stream last said anything.
    said: Instant,
    primed: bool,
    over: bool,
}

impl Reader {
    /// A reader of what comes from event `next` on.
    pub(crate) fn new(exchange: Arc<Exchange>, next: u64, manner: Manner) -> Self {
        let number = exchange.new_reader();
        let until = match manner {
            Manner::Legacy { hold: Some(hold) } => Some(Instant::now() + hold),
            _ => None,
        };
        let wake = exchange.deadline().unwrap_or_else(Instant::now);
        let timer = Box::pin(tokio::time::sleep_until(wake.into()));
        Self {
            exchange,
            number,
            next,
            manner,
            timer,
            until,
            said: Instant::now(),
            primed: false,
            over: false,
        }
    }

    /// The response: one document, or a stream of events.
    pub(crate) async fn response(mut self) -> Response {
        let first = poll_fn(|context| self.poll_first(context)).await;
        match first {
            Some(Answer { status, text, rest, .. }) => {
                self.over = true;
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                let kind = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
                if rest.is_empty() {
                    return (status, [kind], text).into_response();
                }
                let length = (CONTENT_LENGTH, (text.len() + rest.len()).into());
                let parts = stream::iter([text, rest].map(Ok::<_, Infallible>));
                (status, [kind, length], Body::from_stream(parts)).into_response()
            }
            None => self.stream(),
        }
    }

    /// A stream of events whatever comes.
    pub(crate) fn stream(self) -> Response {
        let headers = [
            (CONTENT_TYPE, "text/event-stream"),
            (CACHE_CONTROL, "no-cache"),
            // Proxies that gather responses would hold events back.
            (HeaderName::from_static("x-accel-buffering"), "no"),
        ];
        (headers, Body::from_stream(self)).into_response()
    }

    fn poll_first(&mut self, context: &mut Context<'_>) -> Poll<Option<Answer>> {
        loop {
            if let Poll::Ready(first) = self.exchange.poll_first(self.number, context) {
                return Poll::Ready(first);
            }
            if self.is_out_of_time(context) {
                return Poll::Ready(None);
            }
            if self.timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Looks at the clock: whether this stream's time is over; a call whose own time is over is answered.
    fn is_out_of_time(&mut self, context: &mut Context<'_>) -> bool {
        let now = Instant::now();
        let deadline = self.exchange.deadline();
        if deadline.is_some_and(|deadline| deadline <= now) {
            self.exchange.expire();
            context.waker().wake_by_ref();
        }
        let alive = Some(self.said + KEEP_ALIVE);
        let wake = [deadline, self.until, alive].into_iter().flatten().filter(|at| *at > now).min();
        if let Some(wake) = wake
            && self.timer.deadline().into_std() != wake
        {
            self.timer.as_mut().reset(wake.into());
        }
        self.until.is_some_and(|until| until <= now)
    }

    fn event(&mut self, number: u64, text: &[u8]) -> Bytes {
        self.said = Instant::now();
        let mut event = match self.manner {
            Manner::Modern => Vec::new(),
            Manner::Legacy { .. } => format!("id: {}\n", event_id(self.exchange.number, number)).into_bytes(),
        };
        event.reserve(text.len() + 16);
        // A third-party result may have been written on several lines.
        for mut line in text.split(|byte| *byte == b'\n') {
            while let [before @ .., b'\r'] = line {
                line = before;
            }
            event.extend_from_slice(b"data: ");
            event.extend_from_slice(line);
            event.push(b'\n');
        }
        event.push(b'\n');
        event.into()
    }
}

/// An event's id: stream and place in it.
fn event_id(stream: u64, number: u64) -> String {
    format!("{stream}-{number}")
}

/// Reads an id that [`event_id`] wrote.
pub(crate) fn read_event_id(id: &str) -> Option<(u64, u64)> {
    let (stream, number) = id.split_once('-')?;
    Some((stream.parse().ok()?, number.parse().ok()?))
}

impl Stream for Reader {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        // Says where to go on before there is anything: a client that is cut off at once can come back too.
        if let Manner::Legacy { hold: Some(_) } = self.manner
            && !self.primed
            && !self.exchange.is_withdrawn()
        {
            self.primed = true;
            let id = event_id(self.exchange.number, self.next - 1);
            let retry = RETRY.as_millis();
            return Poll::Ready(Some(Ok(format!("id: {id}\nretry: {retry}\ndata: \n\n").into())));
        }
        loop {
            match self.exchange.poll_event(self.number, self.next, context) {
                Poll::Ready(Next::Event(number, text)) => {
                    self.next = number + 1;
                    let event = self.event(number, &text);
                    return Poll::Ready(Some(Ok(event)));
                }
                Poll::Ready(Next::Over) => {
                    self.over = true;
                    return Poll::Ready(None);
                }
                Poll::Pending => {}
            }
            if self.is_out_of_time(context) {
                self.over = true;
                return Poll::Ready(None);
            }
            if self.said.elapsed() >= KEEP_ALIVE {
                self.said = Instant::now();
                return Poll::Ready(Some(Ok(Bytes::from_static(b":\n\n"))));
            }
            if self.timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.exchange.leave(self.number);
        if let Manner::Modern = self.manner {
            self.exchange.abandon(Cause::Disconnected);
        }
    }
}
