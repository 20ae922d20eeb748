//! Formats of text: where their parts begin, and what stands above them.

use super::*;
use crate::Offsets;

#[test]
fn plain_text_is_paragraphs() {
    check(
        "a.txt",
        b"Title\n=====\nFirst\nparagraph.\n\n\nA second one that is long enough not to be joined with what follows it, \
            because it goes on and on for well over a hundred and sixty bytes, as paragraphs do when nobody stops them."
            .as_slice(),
        "heading [Title] Title⏎=====
        prose [Title] First⏎paragraph.⏎⏎⏎A…n nobody stops them.",
    );
}

#[test]
fn markdown_has_a_trail() {
    check(
        "a.md",
        b"---\ntitle: x\n---\n\n# Guide to *it*\n\nIntro.\n\n## Install\n\n- one\n  two\n- three\n\n```sh\n# no heading\n\
            make\n```\n\n## Use\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nAfter.\n\nSetext\n------\n\n> quoted\n",
        "lines [] ---⏎title: x⏎---
        heading [Guide to it] # Guide to *it*
        prose [Guide to it] Intro.
        heading [Guide to it > Install] ## Install
        record [Guide to it > Install] - one⏎  two⏎- three
        lines [Guide to it > Install] ```sh⏎# no heading⏎make⏎```
        heading [Guide to it > Use] ## Use
        record [Guide to it > Use] | a | b |⏎|---|---|
        record [Guide to it > Use > a , b] | 1 | 2 |
        prose [Guide to it > Use] After.
        heading [Guide to it > Setext] Setext⏎------
        prose [Guide to it > Setext] > quoted",
    );
    assert_eq!(extract("a.md", b"# One\n\ntext").expect("text").title.as_deref(), Some("One"));
}

#[test]
fn html_is_what_a_reader_sees() {
    check(
        "a.html",
        "<!doctype html><html><head><title>T &amp; U</title><style>p{}</style><script>if (a</b) \"<p>no</p>\"</script>
        </head><body><nav>Home</nav><h1>Caf&eacute; <b>au</b> lait</h1><p>One&nbsp;two
        three<br>four<p>Next<ul><li>first<li>second</ul><h2>Prices</h2>
        <table><tr><th>Name<th>Price</tr><tr><td><p>Milk</p><td>2 &euro;</tr></table>
        <pre>  a\n    b</pre><noscript>no</noscript><svg><text>no</text></svg>end"
            .as_bytes(),
        "prose [] Home
        heading [Café au lait] Café au lait
        prose [Café au lait] One two three⏎four
        prose [Café au lait] Next
        record [Café au lait] first⏎second
        heading [Café au lait > Prices] Prices
        record [Café au lait > Prices > Name | Price] Name | Price⏎Milk | 2 €
        lines [Café au lait > Prices] a⏎    b
        prose [Café au lait > Prices] end",
    );
    assert_eq!(
        extract("a.html", b"<title>T &amp; U</title>x").expect("text").title.as_deref(),
        Some("T & U")
    );
    assert_eq!(refused("a.html", b"<html><script>all()</script><div id=app></div>"), "no text in it");
    let greek = [b"<meta charset=iso-8859-7><p>".as_slice(), &[0xe1, 0xe2, 0xe3]].concat();
    assert_eq!(extract("a.html", &greek).expect("text").text, "αβγ");
}

#[test]
fn code_is_definitions() {
    check(
        "a.rs",
        b"//! A file.\n\nuse std::io;\n\n/// Opens.\n#[inline]\npub fn open(\n    path: &str,\n) -> u8 {\n    1\n}\n\n\
            impl Store {\n    /// Reads.\n    fn read(&self) {\n        x();\n    }\n\n    fn write(&self) {}\n}\n\nconst A: u8 = 1;\n",
        "lines [] //! A file.⏎⏎use std::io;
        lines [fn open] /// Opens.⏎#[inline]…r,⏎) -> u8 {⏎    1⏎}
        lines [impl Store] impl Store {
        lines [impl Store > fn read] /// Reads.⏎    fn re…{⏎        x();⏎    }
        lines [impl Store > fn write] fn write(&self) {}⏎}
        lines [] const A: u8 = 1;",
    );
    check(
        "a.py",
        b"import os\n\n@cached\nclass Store(Base):\n    \"\"\"Doc.\"\"\"\n\n    async def load(self):\n        return 1\n\nif x:\n    y()\n",
        "lines [] import os
        lines [class Store] @cached⏎class Store(Base):⏎    \"\"\"Doc.\"\"\"
        lines [class Store > def load] async def load(self):⏎        return 1
        lines [] if x:⏎    y()",
    );
    check(
        "a.c",
        b"#include <x.h>\n\n/* Adds. */\nstatic int add(int a, int b)\n{\n#ifdef X\n\treturn a;\n#endif\n\treturn a + b;\n}\n",
        "lines [] #include <x.h>
        lines [int add] /* Adds. */⏎static i…dif⏎\treturn a + b;⏎}",
    );
}

#[test]
fn json_is_members_under_their_keys() {
    let long = "x".repeat(420);
    let json = format!(
        r#"{{"name": "n", "users": [{{"id": 1, "about": "{long}"}}, {{"id": 2}}, {{"id": 3}}], "last": [1, 2]}}"#
    );
    check(
        "a.json",
        json.as_bytes(),
        "record [] {\"name\": \"n\", \"users\": [
        record [users] {\"id\": 1, \"about\": \"…xxxxxxxxxxxxxxxxx\"},
        record [users] {\"id\": 2}, {\"id\": 3}],
        record [] \"last\": [1, 2]}",
    );
    check("a.jsonl", b"{\"a\": 1}\n{\"a\": 2}\n", "record [] {\"a\": 1}⏎{\"a\": 2}");
    check("broken.json", b"{\"a\": [1, 2, {\"b\": ", "record [] {\"a\": [1, 2, {\"b\":");
}

#[test]
fn settings_are_under_their_keys() {
    check(
        "a.yaml",
        b"# top\nname: x\njobs:\n  # builds\n  build:\n    run: |\n      a: b\n      c\n    on: push\n  test:\n    run: t\nlist:\n- name: one\n  at: 1\n- name: two\n",
        "record [] # top⏎name: x⏎jobs:
        record [jobs] # builds⏎  build:
        record [jobs > build] run: |⏎      a: b⏎      c⏎    on: push
        record [jobs] test:
        record [jobs > test] run: t
        record [] list:
        record [list] - name: one
        record [list > name: one] at: 1
        record [list] - name: two",
    );
    check(
        "a.toml",
        b"# x\na = 1\n\n# about b\n[b.c]\nlist = [\n  1,\n]\n[[d]]\ne = 2\n",
        "record [] # x⏎a = 1
        heading [b.c] # about b⏎[b.c]
        record [b.c] list = [⏎  1,⏎]
        heading [d] [[d]]
        record [d] e = 2",
    );
}

#[test]
fn tables_repeat_their_head() {
    let rows: Vec<_> =
        (0..9).map(|n| format!("Ada {n};181{n};\"lived;\nin London, wrote programs\"\n")).collect();
    let csv = format!("name;\"born\";note\n{}", rows.concat());
    check(
        "a.csv",
        csv.as_bytes(),
        "record [] name;\"born\";note
        record [name, born, note] Ada 0;1810;\"lived;⏎i…don, wrote programs\"
        record [name, born, note] Ada 4;1814;\"lived;⏎i…don, wrote programs\"
        record [name, born, note] Ada 8;1818;\"lived;⏎in London, wrote programs\"",
    );
    check("b.csv", b"1,2\n3,4\n", "record [] 1,2⏎3,4");
}

#[test]
fn offsets_say_what_they_count() {
    let file = b"\xef\xbb\xbf# A\r\n\r\nText.\r\rMore\n";
    let extracted = extract("a.md", file).expect("text");
    assert_eq!(extracted.offsets, Offsets::File);
    let chunks = chunks(&extracted, 50);
    assert_eq!(chunks.len(), 1);
    assert_eq!((chunks[0].bytes.clone(), chunks[0].lines.clone()), (3..file.len() - 1, 1..4));
    assert_eq!(chunks[0].text.as_bytes(), &file[chunks[0].bytes.clone()]);
    let wide = b"\xff\xfeh\0i\0";
    assert_eq!(extract("a.txt", wide).expect("text").offsets, Offsets::Decoded("UTF-16LE"));
}

#[test]
fn what_has_no_text_says_what_it_is() {
    assert_eq!(refused("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "a picture (PNG)");
    assert_eq!(refused("a.txt", b" \n\t\n"), "no text in it");
    assert_eq!(refused("a.txt", b""), "no text in it");
    let program = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 100]].concat();
    assert_eq!(refused("a", &program), "a program (EXECUTABLE)");
    assert_eq!(refused("a.zip", &make::zip(&[("a.txt", b"a")])), "an archive (ZIP)");
    assert_eq!(refused("a.xyz", &[0, 1, 2, 3, 4]), "no text in it that could be read");
}

#[test]
fn files_are_looked_at_before_they_are_read() {
    let (all, limits) = (Extractors::default(), Limits::default());
    assert_eq!(all.look("a.md", b"# x", 3, &limits), Ok("text/markdown"));
    let longer = all.look("a.log", b"x", 4 << 30, &limits).expect_err("it is too long");
    assert_eq!(longer.to_string(), "longer than 16 MB");
    let source = Source { content_type: "text/markdown", bytes: b"# x" };
    assert_eq!(all.extract(&source, &limits).expect("text").title.as_deref(), Some("x"));
}
