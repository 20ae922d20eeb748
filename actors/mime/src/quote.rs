//! What an answer quotes of the message that it answers.

use crate::{Envelope, Mailbox};

/// Lines that are quoted: nobody reads more, and the message itself is there.
const LINES_MAX: usize = 300;

/// The text of a message with `>` before every line and who wrote it above. Its signature is left out, and what is
/// after three hundred lines.
pub fn quote(envelope: &Envelope, text: &str) -> String {
    let mut out = attribution(envelope);
    let body = text.split("\n-- \n").next().unwrap_or_default().trim_end();
    for line in body.lines().take(LINES_MAX) {
        out.push('>');
        // A quote in a quote is `>>`, not `> >` (RFC 3676 4.5).
        if !line.is_empty() && !line.starts_with('>') {
            out.push(' ');
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if body.lines().nth(LINES_MAX).is_some() {
        out.push_str("> […]\n");
    }
    out
}

/// `On 2026-11-01 10:00 +09:00, Taro wrote:`
fn attribution(envelope: &Envelope) -> String {
    let who =
        envelope.from.first().map(|author: &Mailbox| author.name.as_ref().unwrap_or(&author.email).clone());
    let who = who.unwrap_or_else(|| "somebody".to_owned());
    match envelope.date {
        Some(date) => {
            let date = date.to_string();
            // Seconds say nothing here.
            let (day, time, offset) = (&date[..10], &date[11..16], &date[19..]);
            format!("On {day} {time} {offset}, {who} wrote:\n")
        }
        None => format!("{who} wrote:\n"),
    }
}
