//! The two answers that the grammar does not know: lists of numbers that are searched for (RFC 4731, RFC 5267), and
//! threads of them (RFC 5256).

/// How many numbers are taken out of one answer: a folder's whole life.
const NUMBERS_MAX: usize = 4_000_000;

/// What an `* ESEARCH` line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Esearch {
    pub(crate) count: Option<u32>,
    /// The numbers of `ALL` or `PARTIAL`, in the order in which they stand.
    pub(crate) numbers: Vec<u32>,
}

impl Esearch {
    /// Reads a line; `None` where it is another.
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?.trim_end();
        let head = line.get(..9).filter(|head| head.eq_ignore_ascii_case("* ESEARCH"))?;
        let mut rest = line[head.len()..].trim_start();
        if let Some(correlator) = rest.strip_prefix('(') {
            rest = correlator.split_once(')')?.1;
        }
        let mut found = Self::default();
        let mut words = rest.split([' ', '(', ')']).filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            match word.to_ascii_uppercase().as_str() {
                "COUNT" => found.count = Some(words.next()?.parse().ok()?),
                "ALL" => found.numbers = numbers(words.next()?)?,
                "PARTIAL" => {
                    words.next()?;
                    found.numbers = match words.next()? {
                        nil if nil.eq_ignore_ascii_case("NIL") => Vec::new(),
                        set => numbers(set)?,
                    };
                }
                "MIN" | "MAX" | "MODSEQ" => drop(words.next()?),
                _ => {}
            }
        }
        Some(found)
    }
}

/// `1:3,7` as numbers.
fn numbers(set: &str) -> Option<Vec<u32>> {
    let mut found = Vec::new();
    for range in set.split(',') {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        if found.len() + (first.abs_diff(last) as usize) >= NUMBERS_MAX {
            return None;
        }
        if first <= last { found.extend(first..=last) } else { found.extend((last..=first).rev()) }
    }
    Some(found)
}

/// Reads a `* THREAD` line: every thread as the messages in it, in the order in which they stand; `None` where it is
/// another line.
pub(crate) fn threads(line: &[u8]) -> Option<Vec<Vec<u32>>> {
    let line = std::str::from_utf8(line).ok()?.trim_end();
    let head = line.get(..8).filter(|head| head.eq_ignore_ascii_case("* THREAD"))?;
    let mut threads: Vec<Vec<u32>> = Vec::new();
    let (mut depth, mut digits, mut count) = (0_usize, String::new(), 0);
    for c in line[head.len()..].chars().chain([' ']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if !digits.is_empty() {
            count += 1;
            let number = digits.parse().ok().filter(|_| count <= NUMBERS_MAX)?;
            threads.last_mut().filter(|_| depth > 0)?.push(number);
            digits.clear();
        }
        match c {
            '(' => {
                depth += 1;
                if depth == 1 {
                    threads.push(Vec::new());
                }
            }
            ')' => depth = depth.checked_sub(1)?,
            ' ' => {}
            _ => return None,
        }
    }
    (depth == 0).then_some(threads)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn searches() {
        for (line, count, numbers) in [
            ("* ESEARCH (TAG \"A1\") UID COUNT 3 ALL 1:2,9\r\n", Some(3), vec![1, 2, 9]),
            ("* ESEARCH (TAG \"A1\") UID COUNT 0\r\n", Some(0), vec![]),
            ("* ESEARCH UID PARTIAL (1:3 9,4:2) COUNT 8\r\n", Some(8), vec![9, 4, 3, 2]),
            ("* esearch (TAG \"A1\") UID PARTIAL (1:3 NIL)\r\n", None, vec![]),
            ("* ESEARCH (TAG \"A1\") UID MIN 3 ALL 3 MODSEQ 5\r\n", None, vec![3]),
        ] {
            assert_eq!(Esearch::read(line.as_bytes()), Some(Esearch { count, numbers }), "{line}");
        }
        for line in ["* SEARCH 1\r\n", "* ESEARCH ALL x\r\n", "* ESEARCH UID ALL 1:4294967295\r\n"] {
            assert_eq!(Esearch::read(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn threads_of_messages() {
        for (line, expected) in [
            ("* THREAD (2)(3 6 (4 23)(44 7 96))\r\n", vec![vec![2], vec![3, 6, 4, 23, 44, 7, 96]]),
            ("* THREAD ((3)(5))\r\n", vec![vec![3, 5]]),
            ("* THREAD\r\n", vec![]),
        ] {
            assert_eq!(threads(line.as_bytes()), Some(expected), "{line}");
        }
        for line in
            ["* THREAD 1\r\n", "* THREAD (1\r\n", "* THREAD 1)\r\n", "* SEARCH 1\r\n", "* THREAD (x)\r\n"]
        {
            assert_eq!(threads(line.as_bytes()), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_not(line in "(\\* (ESEARCH|THREAD)|)[ A-Z0-9():,\"]{0,60}") {
            let _ = (Esearch::read(line.as_bytes()), threads(line.as_bytes()));
        }
    }
}
