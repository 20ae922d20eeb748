//! What a line promises to those who answer, and to the pump.

use std::time::Duration;

use super::*;

fn line() -> Arc<Line> {
    Line::new(&Limits {
        connections: 1,
        in_flight: 8,
        frame_bytes: 1024,
        batch: 8,
        call: Duration::from_mins(1),
        idle: None,
        send_buffer: 1000,
        result: 10_000,
        handshake: Duration::from_secs(1),
        ping: Duration::from_secs(20),
        drain: Duration::from_secs(1),
        stream: Duration::from_secs(1),
        sessions: 1,
    })
}

/// The next message to send, taken and sent.
fn next(line: &Line) -> Option<String> {
    let mut sending = VecDeque::new();
    line.take(&mut sending);
    let first = sending.pop_front()?;
    line.sent(first.len());
    let mut state = line.state();
    while let Some(text) = sending.pop_back() {
        state.outgoing.push_front(text);
    }
    Some(first)
}

fn open(line: &Line, id: i128, batch: Option<u64>) -> Option<u64> {
    let deadline = Instant::now() + Duration::from_mins(1);
    line.open(Some(Id::Integer(id)), batch, deadline, Cancel::new())
}

#[expect(clippy::unnecessary_wraps, reason = "it is what a call ends with")]
fn ok(text: &str) -> Result<Payload, Error> {
    Ok(Payload::Owned(text.into()))
}

#[test]
fn every_call_is_answered_once() {
    let line = line();
    let ticket = open(&line, 1, None).unwrap();
    assert!(open(&line, 1, None).is_none(), "an id that is open cannot be opened again");
    assert!(line.cancel(&Id::Integer(1)));
    assert!(!line.cancel(&Id::Integer(1)));
    line.answer(ticket, ok("1"));
    assert!(next(&line).unwrap().contains("-32063"));
    assert_eq!(next(&line), None);
}

#[test]
fn a_batch_is_answered_as_one_array_in_the_order_of_the_answers() {
    let line = line();
    let batch = line.open_batch(3);
    let (a, b) = (open(&line, 1, Some(batch)).unwrap(), open(&line, 2, Some(batch)).unwrap());
    line.refuse(&Id::Null, Some(batch), &Error::cancelled());
    line.answer(b, ok("\"b\""));
    assert_eq!(next(&line), None);
    line.answer(a, ok("\"a\""));
    let text = next(&line).unwrap();
    let ids: Vec<_> = serde_json::from_str::<Vec<serde_json::Value>>(&text).unwrap();
    assert_eq!(
        ids.iter().map(|m| m["id"].clone()).collect::<Vec<_>>(),
        [().into(), 2.into(), serde_json::Value::from(1)]
    );
}

#[test]
fn a_notification_is_never_answered_and_time_is_kept() {
    let line = line();
    let soon = Instant::now();
    let ticket = line.open(None, None, soon, Cancel::new()).unwrap();
    line.answer(ticket, ok("1"));
    let cancel = Cancel::new();
    line.open(Some(Id::Integer(1)), None, soon, cancel.clone()).unwrap();
    assert_eq!(line.expire(soon), None);
    assert_eq!(cancel.cause(), Some(Cause::Deadline));
    assert!(next(&line).unwrap().contains("-32062"));
    assert_eq!(next(&line), None);
}

#[test]
fn a_reader_that_never_reads_loses_news_first_and_then_the_connection() {
    let line = line();
    let ticket = open(&line, 1, None).unwrap();
    for _ in 0..100 {
        line.progress(ticket, "\"news\"".into());
    }
    assert!(!line.standing().overflowed);
    line.answer(ticket, ok(&"1".repeat(900)));
    assert!(!line.standing().overflowed, "one answer may be as large as it is");
    let ticket = open(&line, 2, None).unwrap();
    line.answer(ticket, ok("1"));
    assert!(line.standing().overflowed);
    let waiting = line.state().outgoing_bytes;
    let ticket = open(&line, 3, None).unwrap();
    line.answer(ticket, ok(&"1".repeat(900)));
    assert_eq!(line.state().outgoing_bytes, waiting, "nothing more piles up");
}
