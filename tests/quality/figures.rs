//! How good a ranking is: nDCG@10 and recall@10, with one right answer to each query.

use std::fmt::Write as _;

use crate::pairs::{Favours, Pair};

/// Results that count.
pub(crate) const TOP: usize = 10;

/// Where the right answer stood for each pair, from 0; none: not among the first ten.
pub(crate) type Places = Vec<Option<usize>>;

/// Both measures, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figures {
    pub(crate) ndcg: f64,
    pub(crate) recall: f64,
}

/// The measures of a ranking over some pairs. With one right answer the ideal gain is 1, so nDCG is the mean of
/// 1 / log2(place + 1), places from 1, as Järvelin and Kekäläinen (2002) discount them.
pub(crate) fn figures(places: impl Iterator<Item = Option<usize>>) -> Figures {
    let (mut all, mut gain, mut found) = (0.0, 0.0, 0.0);
    for place in places {
        all += 1.0;
        if let Some(place) = place.filter(|place| *place < TOP) {
            gain += 1.0 / (place as f64 + 2.0).log2();
            found += 1.0;
        }
    }
    Figures { ndcg: gain / all, recall: found / all }
}

/// A way to search, and what it found.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) places: Places,
}

impl Way {
    pub(crate) fn figures(&self) -> Figures {
        figures(self.places.iter().copied())
    }
}

/// Whether a pair, by its place and itself, belongs to a group.
type Belongs = fn(usize, &Pair) -> bool;

/// The groups of pairs that have a column.
const GROUPS: [(&str, Belongs); 6] = [
    ("all", |_, _| true),
    ("words", |_, pair| pair.favours == Favours::Words),
    ("meaning", |_, pair| pair.favours == Favours::Meaning),
    ("mixed", |_, pair| pair.favours == Favours::Mixed),
    ("even", |nth, _| nth % 2 == 0),
    ("odd", |nth, _| nth % 2 == 1),
];

/// A row for each way: nDCG@10 and recall@10 for each group of pairs.
pub(crate) fn table(title: &str, ways: &[Way], pairs: &[Pair]) -> String {
    let mut table = format!("{title:<20}");
    for (name, belongs) in GROUPS {
        let count = pairs.iter().enumerate().filter(|(nth, pair)| belongs(*nth, pair)).count();
        let _ = write!(table, " {:>15}", format!("{name} ({count})"));
    }
    table.push('\n');
    for way in ways {
        let _ = write!(table, "{:<20}", way.name);
        for (_, belongs) in GROUPS {
            let places = way.places.iter().zip(pairs).enumerate();
            let Figures { ndcg, recall } =
                figures(places.filter(|(nth, (_, pair))| belongs(*nth, pair)).map(|(_, (place, _))| *place));
            let _ = write!(table, " {:>15}", format!("{ndcg:.3} / {recall:.3}"));
        }
        table.push('\n');
    }
    table
}

#[test]
fn figures_are_as_the_definitions_say() {
    let found = figures([Some(0), Some(2), None, Some(10)].into_iter());
    assert!((found.ndcg - (1.0 + 0.5) / 4.0).abs() < 1e-12, "{found:?}");
    assert!((found.recall - 0.5).abs() < 1e-12, "{found:?}");
}
