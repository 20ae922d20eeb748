//! Bytes into content lines.

use crate::lines::{Line, Lines};

#[track_caller]
fn check(bytes: &[u8], expected: &[(u32, &str)]) {
    let lines: Vec<Line> = Lines::new(bytes).collect();
    let lines: Vec<_> = lines.iter().map(|line| (line.number, line.text.as_str())).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_line_ends_in_every_way_that_is_known() {
    check(b"A\r\nB\nC\rD", &[(1, "A"), (2, "B"), (3, "C"), (4, "D")]);
    check(b"A\r\r\nB\r\r\n", &[(1, "A"), (2, "B")]);
    check(b"A\r\r\rB\r\r C", &[(1, "A"), (4, "BC")]);
    check(b"", &[]);
    check(b"\r\n\n\r", &[]);
}

#[test]
fn a_folded_line_is_one_line_with_its_first_number() {
    check(b"A\r\n B\r\n\tC\r\nD", &[(1, "ABC"), (4, "D")]);
    check(b"A\n  B", &[(1, "A B")]);
    check(b"A \n B", &[(1, "A B")]);
    check(b"A\n\n\n B\nC", &[(1, "AB"), (5, "C")]);
    check(b"\n\n A", &[(3, " A")]);
    check(b"A\n \nB", &[(1, "A"), (3, "B")]);
}

#[test]
fn letters_are_decoded_after_unfolding() {
    check(b"\xEF\xBB\xBFcaf\xC3\r\n \xA9", &[(1, "caf\u{e9}")]);
    check(b"\xFF\xFEA\0\n\0B\0", &[(1, "A"), (2, "B")]);
    check(b"caf\xE9\nB", &[(1, "caf\u{e9}"), (2, "B")]);
    assert!(Lines::new(b"caf\xE9").all(|line| line.guessed));
}

#[test]
fn a_file_of_ends_alone_is_read_at_once() {
    check(&vec![b'\r'; 4 << 20], &[]);
}
