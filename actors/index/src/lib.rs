//! The index of a person's files: what is in them, by words and by meaning, kept current.

mod db;
