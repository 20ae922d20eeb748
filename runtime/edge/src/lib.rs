//! Transports: how bytes come in and answers go out.
