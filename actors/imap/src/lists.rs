//! Lists of numbers: of what was searched for (RFC 3501, RFC 4731, RFC 5256), and threads of them (RFC 5256). The grammar
//! knows only some of them, and they are as long as a folder is.

use bytes::Bytes;

use crate::error::Error;

/// How many numbers are taken out of one answer: a folder's whole life.
const NUMBERS_MAX: usize = 4_000_000;

/// Whether this is one of the lines that are read here.
pub(crate) fn is_numbers(line: &[u8]) -> bool {
    let heads: [&[u8]; 4] = [b"* SEARCH", b"* SORT", b"* ESEARCH", b"* THREAD"];
    heads.iter().any(|head| line.get(..head.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(head)))
}

/// Every number that was found, in the order of the lines.
///
/// # Errors
/// There are more than any folder has.
pub(crate) fn found(lines: &[Bytes]) -> Result<Vec<u32>, Error> {
    let mut all = Vec::new();
    for line in lines {
        match esearch(line) {
            Some(numbers) => all.extend(numbers),
            None => all.extend(plain(line)),
        }
        if all.len() > NUMBERS_MAX {
            return Err(Error::lost("UID SEARCH", "it found more than any folder has"));
        }
    }
    Ok(all)
}

/// The numbers of a `* SEARCH` or `* SORT` line; none where it is another. What follows them, as CONDSTORE's
/// `(MODSEQ 5)`, is no number.
fn plain(line: &[u8]) -> impl Iterator<Item = u32> {
    let text = std::str::from_utf8(line).unwrap_or_default();
    let mut words = text.split_ascii_whitespace();
    let ours = words.next() == Some("*")
        && words
            .next()
            .is_some_and(|word| ["SEARCH", "SORT"].iter().any(|head| word.eq_ignore_ascii_case(head)));
    words.take_while(move |_| ours).map_while(|word| word.parse().ok())
}

/// The numbers behind `ALL` of an `* ESEARCH` line, in their order; `None` where it is another line.
fn esearch(line: &[u8]) -> Option<Vec<u32>> {
    let line = std::str::from_utf8(line).ok()?.trim_end();
    let head = line.get(..9).filter(|head| head.eq_ignore_ascii_case("* ESEARCH"))?;
    let mut rest = line[head.len()..].trim_start();
    if let Some(correlator) = rest.strip_prefix('(') {
        rest = correlator.split_once(')')?.1;
    }
    let mut words = rest.split_ascii_whitespace();
    let all = words.find(|word| word.eq_ignore_ascii_case("ALL")).and_then(|_| words.next());
    // Where nothing was found there is none.
    all.map_or_else(|| Some(Vec::new()), numbers)
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
        for (line, numbers) in [
            ("* ESEARCH (TAG \"A1\") UID COUNT 3 ALL 1:2,9\r\n", vec![1, 2, 9]),
            ("* ESEARCH (TAG \"A1\") UID\r\n", vec![]),
            ("* esearch uid all 9,4:2\r\n", vec![9, 4, 3, 2]),
            ("* ESEARCH (TAG \"A1\") UID MIN 3 ALL 3 MODSEQ 5\r\n", vec![3]),
        ] {
            assert_eq!(esearch(line.as_bytes()), Some(numbers), "{line}");
        }
        for line in ["* SEARCH 1\r\n", "* ESEARCH ALL x\r\n", "* ESEARCH UID ALL 1:4294967295\r\n"] {
            assert_eq!(esearch(line.as_bytes()), None, "{line}");
        }
        let large = Bytes::from_static(b"* ESEARCH UID ALL 1:3999999\r\n");
        assert!(found(std::slice::from_ref(&large)).is_ok() && found(&[large.clone(), large]).is_err());
    }

    #[test]
    fn numbers_of_old_servers() {
        let found = |lines: &[&'static str]| {
            let lines: Vec<_> = lines.iter().map(|line| Bytes::from_static(line.as_bytes())).collect();
            super::found(&lines).unwrap()
        };
        assert_eq!(found(&["* SEARCH 3 1 \r\n", "* search\r\n", "* SORT 9 (MODSEQ 5)\r\n"]), [3, 1, 9]);
        assert_eq!(found(&["* LIST 1\r\n", "x SEARCH 1\r\n", "* ESEARCH UID ALL 2:3\r\n"]), [2, 3]);
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
            let _ = (esearch(line.as_bytes()), threads(line.as_bytes()));
        }
    }
}
