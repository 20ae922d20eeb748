//! A font's own table from codes to letters (`/ToUnicode`, PDF 1.7, 9.10.3).
//!
//! Read here and not by lopdf, whose grammar refuses tables over a missing line end, and which then takes another
//! encoding's letters for the font's.

use std::collections::BTreeMap;

/// A font has so many letters at most.
const ENTRIES_MAX: usize = 70_000;

/// The letters of one entry: a ligature of a few.
const UNITS_MAX: usize = 16;

/// What codes mean.
#[derive(Default)]
pub(super) struct Letters {
    /// By length in bytes and first code: the last code, and the letters of the first.
    ranges: BTreeMap<(usize, u32), (u32, Vec<u16>)>,
    /// Which codes there are: length in bytes, from, to.
    spaces: Vec<(usize, u32, u32)>,
}

/// A word of the table.
enum Word<'a> {
    /// The bytes of `<0041>`.
    Code(Vec<u8>),
    Open,
    Close,
    Other(&'a [u8]),
}

impl Letters {
    /// Reads a table. What is not understood is left out.
    pub(super) fn read(table: &[u8]) -> Self {
        let mut letters = Self::default();
        let mut words = Words(table);
        while let Some(word) = words.next() {
            match word {
                Word::Other(b"begincodespacerange") => {
                    while let (Some(Word::Code(from)), Some(Word::Code(to))) = (words.next(), words.next()) {
                        letters.spaces.push((from.len(), number(&from), number(&to)));
                        letters.spaces.truncate(100);
                    }
                }
                Word::Other(b"beginbfchar") => {
                    while let Some(Word::Code(code)) = words.next() {
                        let Some(Word::Code(to)) = words.next() else { break };
                        letters.add(code.len(), number(&code), number(&code), units(&to));
                    }
                }
                Word::Other(b"beginbfrange") => letters.ranges(&mut words),
                _ => {}
            }
        }
        letters
    }

    fn ranges(&mut self, words: &mut Words<'_>) {
        while let Some(Word::Code(from)) = words.next() {
            let Some(Word::Code(to)) = words.next() else { break };
            let (length, from, to) = (from.len(), number(&from), number(&to));
            match words.next() {
                Some(Word::Code(first)) => self.add(length, from, to, units(&first)),
                Some(Word::Open) => {
                    let mut code = from;
                    while let Some(Word::Code(letters)) = words.next() {
                        self.add(length, code, code, units(&letters));
                        code = code.saturating_add(1);
                    }
                }
                _ => break,
            }
        }
    }

    fn add(&mut self, length: usize, from: u32, to: u32, units: Vec<u16>) {
        if self.ranges.len() < ENTRIES_MAX {
            self.ranges.insert((length, from), (to, units));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many bytes the code has that `codes` begin with; `usual` where the table does not say.
    pub(super) fn length(&self, codes: &[u8], usual: usize) -> usize {
        let in_space = |length: &usize| {
            let code = number(&codes[..*length]);
            self.spaces.iter().any(|(of, from, to)| of == length && (*from..=*to).contains(&code))
        };
        (1..=codes.len().min(4)).find(in_space).unwrap_or(usual).clamp(1, codes.len().max(1))
    }

    /// The letters of a code, if the table has it.
    pub(super) fn of(&self, code: &[u8]) -> Option<String> {
        let value = number(code);
        let found = self.ranges.range((code.len(), 0)..=(code.len(), value)).next_back();
        let ((_, from), (_, units)) = found.filter(|(_, (to, _))| value <= *to)?;
        let mut units = units.clone();
        if let Some(last) = units.last_mut() {
            *last = last.wrapping_add(u16::try_from(value - from).ok()?);
        }
        let letters = char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
        Some(letters.collect())
    }
}

fn number(code: &[u8]) -> u32 {
    code.iter().take(4).fold(0, |code, byte| code << 8 | u32::from(*byte))
}

fn units(letters: &[u8]) -> Vec<u16> {
    match letters {
        [one] => vec![u16::from(*one)],
        many => {
            let pairs = many.chunks_exact(2).take(UNITS_MAX);
            pairs.map(|pair| u16::from(pair[0]) << 8 | u16::from(pair[1])).collect()
        }
    }
}

/// The words of a table that have not been read yet.
struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<Word<'a>> {
        self.0 = self.0.trim_ascii_start();
        let (first, after) = self.0.split_first()?;
        match first {
            b'<' if after.first() != Some(&b'<') => {
                let end = after.iter().position(|byte| *byte == b'>')?;
                self.0 = &after[end + 1..];
                let digits: Vec<_> =
                    after[..end].iter().filter_map(|byte| char::from(*byte).to_digit(16)).collect();
                let byte =
                    |pair: &[u32]| pair.iter().fold(0, |byte, digit| byte << 4 | digit.to_le_bytes()[0]);
                Some(Word::Code(digits.chunks(2).map(byte).collect()))
            }
            b'[' | b']' => {
                self.0 = after;
                Some(if *first == b'[' { Word::Open } else { Word::Close })
            }
            _ => {
                let ends = |byte: &u8| byte.is_ascii_whitespace() || b"<[]>/".contains(byte);
                let end = after.iter().position(ends).unwrap_or(after.len());
                let (word, rest) = self.0.split_at(end + 1);
                self.0 = rest;
                Some(Word::Other(word))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_however_they_are_written() {
        let letters = Letters::read(
            b"begincmap 1 begincodespacerange <00><7F> <8000> <ffff> endcodespacerange\n2 beginbfchar\n<01> <0041>\n\
              <8002><D83DDE00>endbfchar 2 beginbfrange <10> <12> <0061><20><21>[<0066 0066><00e9>]endbfrange",
        );
        let read = |code: &[u8]| letters.of(code).unwrap_or_default();
        assert_eq!(
            [read(&[1]), read(&[0x80, 2]), read(&[0x12]), read(&[0x20]), read(&[0x21])],
            ["A", "😀", "c", "ff", "é"]
        );
        assert_eq!((letters.of(&[2]), letters.of(&[0x13]), letters.of(&[0, 1])), (None, None, None));
        assert_eq!(
            (letters.length(&[1, 2], 2), letters.length(&[0x80, 2], 1), letters.length(&[0x80], 1)),
            (1, 2, 1)
        );
    }
}
