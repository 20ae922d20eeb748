//! Text of strangers for one line: without control characters, and without those that turn the direction of writing,
//! with which `gpj.exe` is shown as `exe.jpg`.

/// Whether a character changes the direction of what follows (UAX #9, explicit directional formatting).
pub(crate) fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One line: runs of white space and control characters become a blank, at most `max` bytes.
pub(crate) fn line(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    let mut blank = false;
    for c in text.chars().filter(|c| !turns_direction(*c)) {
        if c.is_whitespace() || c.is_control() {
            blank = true;
            continue;
        }
        if std::mem::take(&mut blank) && !out.is_empty() {
            out.push(' ');
        }
        if out.len() + c.len_utf8() > max {
            break;
        }
        out.push(c);
    }
    out
}

/// Many lines: ends of lines are `\n`, and control characters other than tabs are left out.
pub(crate) fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                let _ = chars.next_if_eq(&'\n');
                out.push('\n');
            }
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
