//! Paragraphs out of format=flowed (RFC 3676): a line that ends with a blank goes on in the next.

/// A signature's separator ends with a blank and is a line of its own all the same (RFC 3676 4.3).
const SIGNATURE: &str = "-- ";

/// Joins the lines of paragraphs. Quotes keep one `>` for each level and a blank. `delsp`: the blank at the end of a
/// line was only put there to say that it goes on.
pub(crate) fn unwrapped(text: &str, delsp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // The level of quotes of the paragraph that goes on.
    let mut open: Option<usize> = None;
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        let depth = line.bytes().take_while(|byte| *byte == b'>').count();
        let content = &line[depth..];
        // A blank before a line that begins with `>`, a blank or `From ` was put there by the sender (4.4).
        let content = content.strip_prefix(' ').unwrap_or(content);
        let continues = open == Some(depth) && content != SIGNATURE;
        if !continues {
            if open.is_some() {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n('>', depth));
            if depth > 0 && !content.is_empty() {
                out.push(' ');
            }
        }
        let flows = content.ends_with(' ') && content != SIGNATURE;
        out.push_str(if flows && delsp { &content[..content.len() - 1] } else { content });
        open = flows.then_some(depth);
        if !flows {
            out.push('\n');
        }
    }
    out
}
