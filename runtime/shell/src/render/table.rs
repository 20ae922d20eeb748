//! Rows under a heading, aligned by what the terminal will show (a CJK letter is two columns wide). Pure.

use unicode_width::UnicodeWidthStr;

use super::escape;
use super::paint::{Ink, Paint};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Align {
    Left,
    Right,
}

pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<(String, Option<Ink>)>>,
}

impl Table {
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; each cell is made fit for its line here, whoever sent it.
    pub(crate) fn row<const N: usize>(&mut self, cells: [(&str, Option<Ink>); N]) {
        self.rows.push(cells.map(|(text, ink)| (escape::line(text), ink)).into());
    }

    /// The lines, heading first, each ended.
    pub(crate) fn show(&self, paint: Paint) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].0.width());
            cells.chain([self.columns[column].0.width()]).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let heading: Vec<_> =
            self.columns.iter().map(|(title, _)| ((*title).to_owned(), Some(Ink::Faint))).collect();
        let mut out = String::new();
        for row in std::iter::once(&heading).chain(&self.rows) {
            for (column, (text, ink)) in row.iter().enumerate() {
                let last = column + 1 == row.len();
                let gap = " ".repeat(widths[column] - text.width());
                let ink = ink.filter(|_| !text.is_empty());
                let painted = ink.map_or_else(|| text.clone(), |ink| paint.ink(ink, text));
                match (self.columns[column].1, last) {
                    (Align::Left, false) => out.extend([&painted, &gap, "  "]),
                    (Align::Left, true) => out.push_str(&painted),
                    (Align::Right, false) => out.extend([&gap, &painted, "  "]),
                    (Align::Right, true) => out.extend([gap, painted]),
                }
            }
            // An empty last column leaves nothing behind.
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_is_in_them() {
        let mut table = Table::new(&[("Size", Align::Right), ("Name", Align::Left), ("Note", Align::Left)]);
        table.row([("1", None), ("日本\x1b[31m", None), ("x", None)]);
        table.row([("12345", None), ("a\nb", Some(Ink::Folder)), ("", None)]);
        let expected = " Size  Name  Note\n    1  日本  x\n12345  a\u{fffd}b\n";
        assert_eq!(table.show(Paint::Plain), expected);
        assert!(table.show(Paint::Coloured).contains("\x1b[1;34ma\u{fffd}b\x1b[0m\n"));
    }
}
