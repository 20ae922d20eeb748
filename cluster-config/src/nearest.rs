//! "Did you mean": the known word nearest to a mistyped one.

/// The word of `known` that is so near to `word` that it is probably meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Long words come from mix-ups, not from slips, and would cost time.
    let word = word.get(..64).unwrap_or(word).to_lowercase();
    if word.len() > 64 {
        return None;
    }
    // One slip in three letters, at most three.
    let tolerance = (word.chars().count() / 3).clamp(1, 3);
    let slips = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        // A beginning is what people remember of a long name.
        if word.len() >= 4 && candidate.starts_with(&word) { tolerance } else { distance(&word, &candidate) }
    };
    known
        .into_iter()
        .map(|candidate| (slips(candidate), candidate))
        .filter(|(slips, _)| *slips <= tolerance)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be inserted, removed, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(x != y);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_and_strangers() {
        let known = ["limits", "licence", "log", "listen"];
        for (word, meant) in [
            ("limts", Some("limits")),
            ("license", Some("licence")),
            ("LOG", Some("log")),
            ("lgo", Some("log")),
            ("lisetn", Some("listen")),
            ("list", Some("listen")),
            ("mail", None),
            ("", None),
            ("ééé", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }
}
