//! What a subject is about, without what programs put around it (RFC 5256 2.1): `Re: [list] Budget (fwd)` is `Budget`.

/// What stands before the colon of answers: the standard's, and what programs in other languages write instead.
const ANSWER: &[&str] =
    &["re", "aw", "antw", "sv", "vs", "odp", "ynt", "ref", "rif", "res", "回复", "答复", "回覆", "回信"];

/// What stands before the colon of forwarded messages.
const FORWARD: &[&str] = &["fw", "fwd", "wg", "tr", "rv", "enc", "doorst", "vb", "i", "转发", "轉寄"];

/// Steps that are taken off one subject; who has more is not honest.
const STEPS_MAX: usize = 100;

/// The base subject: without marks of answers and forwards, names of lists in brackets, and blanks.
pub fn subject_base(subject: &str) -> String {
    taken_apart(subject).0
}

/// Whether there was a mark of an answer or a forward.
pub(crate) fn is_answer(subject: &str) -> bool {
    taken_apart(subject).1
}

/// The subject of an answer: `Re: ` once, whatever was there before. Names of lists stay.
pub fn reply_subject(subject: &str) -> String {
    let mut rest = subject.trim();
    for _ in 0..STEPS_MAX {
        match mark(rest, ANSWER) {
            Some(after) => rest = after,
            None => break,
        }
    }
    if rest.is_empty() { "Re:".to_owned() } else { format!("Re: {rest}") }
}

fn taken_apart(subject: &str) -> (String, bool) {
    let text = subject.split_whitespace().collect::<Vec<_>>().join(" ");
    let (mut rest, mut answer) = (text.as_str(), false);
    for _ in 0..STEPS_MAX {
        let before = rest;
        while let Some(shorter) = without_trailer(rest) {
            (rest, answer) = (shorter.trim_end(), true);
        }
        if let Some(after) = mark(rest, ANSWER).or_else(|| mark(rest, FORWARD)) {
            (rest, answer) = (after, true);
        } else if let Some(after) = blob(rest).filter(|after| !after.is_empty()) {
            rest = after;
        } else if let Some(inner) = forwarded_whole(rest) {
            (rest, answer) = (inner.trim(), true);
        }
        if rest == before {
            break;
        }
    }
    (rest.to_owned(), answer)
}

/// What is behind a mark: `Re:`, `RE :`, `Re[2]:`, `Re[list]:`.
fn mark<'a>(text: &'a str, marks: &[&str]) -> Option<&'a str> {
    let text = text.trim_start();
    let fits = |mark: &&str| text.get(..mark.len()).is_some_and(|head| head.to_lowercase() == **mark);
    let mark = marks.iter().filter(|mark| fits(mark)).max_by_key(|mark| mark.len())?;
    let rest = text[mark.len()..].trim_start();
    let rest = blob(rest).unwrap_or(rest);
    // Some write the count in round brackets or bare: `Re(2):`, `Re^2:`.
    let counted = rest.trim_start_matches(|c: char| c.is_ascii_digit() || "()^".contains(c)).trim_start();
    Some(counted.strip_prefix(':').or_else(|| counted.strip_prefix('：'))?.trim_start())
}

/// What is behind text in square brackets.
fn blob(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?;
    let end = inner.find(['[', ']'])?;
    Some(inner[end..].strip_prefix(']')?.trim_start())
}

fn without_trailer(text: &str) -> Option<&str> {
    let at = text.len().checked_sub("(fwd)".len())?;
    let end = text.get(at..)?;
    end.eq_ignore_ascii_case("(fwd)").then(|| &text[..at])
}

/// What is inside `[fwd: …]`.
fn forwarded_whole(text: &str) -> Option<&str> {
    let head = text.get(.."[fwd:".len())?;
    head.eq_ignore_ascii_case("[fwd:").then_some(())?;
    text["[fwd:".len()..].strip_suffix(']')
}
