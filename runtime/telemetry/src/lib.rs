//! Logs and their levels.
