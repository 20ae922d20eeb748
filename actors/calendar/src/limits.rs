//! How much of a file is read, and how much work a question about it may make.

/// Bounds on files, which are other people's. The defaults are far above what calendars of people hold.
#[derive(Debug, Clone)]
pub struct Limits {
    /// A file of more bytes is not read. Ten years of a busy person's meetings are 8 MB.
    pub bytes: usize,
    /// Events, to-dos, journal entries and free-busy times that are read of a file.
    pub components: usize,
    /// Problems that are told. Whoever reads fifty knows what kind of file it is.
    pub problems: usize,
    /// Occurrences that are answered.
    pub occurrences: usize,
    /// Steps of expanding rules, for all components together: days (in rules finer than a day, intervals) that are
    /// looked at. A birthday since 1970 takes 20,000; ten million steps take about a tenth of a second.
    pub steps: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 16 << 20, components: 20_000, problems: 50, occurrences: 5_000, steps: 20_000_000 }
    }
}
