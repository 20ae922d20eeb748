//! The whole process under test: harness, scenarios, faults, catalogue, tidy.
