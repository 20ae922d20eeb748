//! Chunks of any text: all of it is in them, in order, and none is longer than it may be.

use proptest::prelude::*;

use super::*;
use crate::Offsets;

/// What must hold whatever the text is.
fn holds(name: &str, file: &[u8], aim: usize) {
    let Ok(extracted) = extract(name, file) else { return };
    let sizes = Sizes { aim, max: aim + aim / 4, overlap: aim / 7 };
    let found = chunks(&extracted, aim);
    let text: &str = &extracted.text;
    let mut covered = vec![false; text.len()];
    for (index, chunk) in found.iter().enumerate() {
        assert_eq!(chunk.text, &text[chunk.bytes.clone()]);
        if extracted.offsets == Offsets::File {
            assert_eq!(chunk.text.as_bytes(), &file[chunk.bytes.clone()]);
        }
        assert!(
            !chunk.text.trim().is_empty() && chunk.text.trim() == chunk.text,
            "blanks in {:?}",
            chunk.text
        );
        let tokens = Words.count(chunk.text);
        assert!(tokens <= sizes.max.max(10), "{tokens} tokens in {:?}", chunk.text);
        let line = |at: usize| u32::try_from(text[..at].matches('\n').count()).expect("few lines") + 1;
        assert_eq!(chunk.lines, line(chunk.bytes.start)..line(chunk.bytes.end) + 1);
        if let Some(before) = index.checked_sub(1).map(|before| &found[before]) {
            assert!(before.bytes.start < chunk.bytes.start && before.bytes.end < chunk.bytes.end);
        }
        covered[chunk.bytes.clone()].fill(true);
    }
    let blank = |c: char| c.is_whitespace() || c == '\u{feff}';
    let missing = text.char_indices().find(|(at, c)| !blank(*c) && !covered[*at]);
    assert_eq!(missing, None, "{name}: not in a chunk: {text:?}");
    for pair in extracted.blocks.windows(2) {
        assert!(pair[0].bytes.end <= pair[1].bytes.start);
    }
}

/// Names of one file for each reader of text.
const NAMES: &[&str] = &[
    "a.txt", "a.md", "a.html", "a.rs", "a.py", "a.json", "a.jsonl", "a.yaml", "a.toml", "a.csv", "a.docx",
    "a.pdf",
];

/// What texts are made of, more often than chance would have it.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-zäß]{1,9} ?",
        1 => "[A-Z][a-z]{1,9}[.!?] ",
        2 => prop::sample::select(vec![
            "\n", "\n\n", "\r\n", "\r", "# ", "## ", "- ", "  ", "\t", "```\n", "| a | b |\n|---|---|\n", "====\n", "key: ",
            "{", "}", "[", "]", "\"", ",", ":", "fn a() {\n", "class B:\n", "/// ", "<p>", "</p>", "<h1>", "<pre>", "<td>",
            "&amp;", "\u{2028}", "\u{a0}", "\u{301}", "日本語。", "👩‍👩‍👧", "> ", "[x]: y\n", "[^1]", "[^1]: note\n", "\u{feff}",
        ]).prop_map(str::to_owned),
        1 => "[a-z]{30,200}",
        1 => "\\PC{1,20}",
    ];
    prop::collection::vec(part, 0..120).prop_map(|parts| parts.concat())
}

proptest! {
    // Enough to find what 4000 found; the whole suite waits for them.
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_text_is_covered(text in text(), aim in 8_usize..80) {
        for name in NAMES {
            holds(name, text.as_bytes(), aim);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600), aim in 8_usize..80) {
        for name in NAMES {
            holds(name, &bytes, aim);
        }
    }

    #[test]
    fn other_encodings_are_covered(text in text(), aim in 8_usize..80) {
        for encoding in [encoding_rs::SHIFT_JIS, encoding_rs::WINDOWS_1252, encoding_rs::GBK] {
            holds("a.txt", &encoding.encode(&text).0, aim);
        }
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        holds("a.md", &[b"\xff\xfe", wide.as_slice()].concat(), aim);
    }
}

/// A counter that is as unkind as a tokenizer can be: a byte a token, and one more for each blank between words.
struct Unkind;

impl Tokens for Unkind {
    fn count(&self, text: &str) -> usize {
        text.len() + text.split_whitespace().count().saturating_sub(1)
    }
}

#[test]
fn a_whole_may_count_more_than_its_parts() {
    let file = "one two three\n".repeat(40);
    let extracted = extract("a.txt", file.as_bytes()).expect("text");
    let sizes = Sizes { aim: 30, max: 32, overlap: 5 };
    let found = crate::chunks(&extracted, sizes, &Unkind, &Limits::default()).expect("nobody stops it");
    assert!(found.iter().all(|chunk| Unkind.count(chunk.text) <= 32));
}

#[test]
fn texts_without_blanks_are_cut() {
    // A tokenizer may count a word of any length as one.
    let file = "x".repeat(100_000);
    let extracted = extract("a.txt", file.as_bytes()).expect("text");
    let found = chunks(&extracted, 200);
    assert!(found.iter().all(|chunk| chunk.text.len() <= 2500), "{}", found.len());
    let chinese = "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。".repeat(100);
    let extracted = extract("a.txt", chinese.as_bytes()).expect("text");
    assert!(chunks(&extracted, 100).iter().all(|chunk| chunk.text.ends_with('。')));
}

#[test]
fn a_section_is_a_chunk() {
    let section = |name: &str, words: usize| format!("## {name}\n\n{}\n\n", "word ".repeat(words).trim_end());
    let file = ["# Top\n\n".to_owned(), section("A", 70), section("B", 80), section("C", 5), section("D", 6)]
        .concat();
    let extracted = extract("a.md", file.as_bytes()).expect("text");
    let found: Vec<_> =
        chunks(&extracted, 100).iter().map(|chunk| (chunk.trail.join("/"), chunk.text.len())).collect();
    // The title goes with its first section, and the small ones are together.
    assert_eq!(found, [("Top/A".to_owned(), 362), ("Top/B".to_owned(), 405), ("Top".to_owned(), 67)]);
}

#[test]
fn a_long_section_is_cut_at_sentences_and_overlaps() {
    let sentences: Vec<_> =
        (0..60).map(|n| format!("This is sentence {n}, which has a few words.")).collect();
    let file = format!("# Long\n\n{}\n", sentences.join(" "));
    let extracted = extract("a.md", file.as_bytes()).expect("text");
    let found = chunks(&extracted, 100);
    assert_eq!(found.len(), 7, "{found:#?}");
    for pair in found.windows(2) {
        assert!(pair[1].text.starts_with("This is") && pair[1].text.ends_with('.'), "{}", pair[1].text);
        assert!(pair[1].bytes.start < pair[0].bytes.end, "they overlap");
        assert_eq!(pair[1].trail[..], ["Long"]);
    }
}
