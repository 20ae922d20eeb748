//! Connections to mail servers.
