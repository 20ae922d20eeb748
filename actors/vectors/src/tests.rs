//! The index as callers see it.
