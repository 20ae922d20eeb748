//! The supervision tree, settings and counters, shown to those allowed to see them.
