//! The one SQLite file: migrations, a single writer with group commit, readers.
