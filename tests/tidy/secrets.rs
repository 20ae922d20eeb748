//! Nothing in the repository is anybody's secret, and nothing knows the machine that it was written on.

use crate::{files, none, repository};

/// How secrets begin, and how many letters and digits follow at least. In halves, as this file is in the repository.
const SECRETS: &[(&str, usize)] = &[
    (concat!("PRIVATE", " KEY-----"), 30),
    (concat!("AK", "IA"), 16),
    (concat!("gh", "p_"), 20),
    (concat!("github", "_pat_"), 20),
    (concat!("xox", "b-"), 10),
    (concat!("sk", "-"), 20),
    (concat!("sk", "-proj-"), 20),
    (concat!("ey", "Jh"), 30),
];

/// Folders of one machine. Ada is everybody's example.
const MACHINE: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];
const EXAMPLE: &str = "ada";

/// Whatever `look` finds in any text file, with its place.
fn found(look: impl Fn(&str) -> Vec<(usize, String)>) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in files() {
        let Ok(text) = std::fs::read_to_string(repository().join(&name)) else { continue };
        for (at, what) in look(&text) {
            wrong.push(format!("{name}:{}: {what}", text[..=at].lines().count()));
        }
    }
    wrong
}

#[test]
fn no_file_holds_a_secret() {
    none(&found(|text| {
        let mut secrets = Vec::new();
        for (sign, length) in SECRETS {
            for (at, _) in text.match_indices(sign) {
                let begins = text[..at].chars().next_back().is_none_or(|c| !c.is_ascii_alphanumeric());
                // A key's letters begin on the next line, or behind what stands for its end.
                let rest = text[at + sign.len()..].trim_start().trim_start_matches("\\n");
                let letters = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
                if begins && letters >= *length {
                    secrets.push((at, format!("looks like a secret: {sign}…")));
                }
            }
        }
        secrets
    }));
}

#[test]
fn no_file_knows_a_machine() {
    none(&found(|text| {
        let mut paths = Vec::new();
        for sign in MACHINE {
            for (at, _) in text.match_indices(sign) {
                let before = text[..at].chars().next_back();
                let absolute = before.is_none_or(|c| !c.is_ascii_alphanumeric() && !"._-*}~".contains(c));
                let rest = &text[at + sign.len()..];
                let named = rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.');
                if absolute && named && !rest.starts_with(EXAMPLE) {
                    let path: String =
                        text[at..].chars().take_while(|c| !c.is_whitespace()).take(40).collect();
                    paths.push((at, format!("a path of one machine: {path}")));
                }
            }
        }
        paths
    }));
}
