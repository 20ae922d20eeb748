//! Supervision trees on ractor, by OTP's rules.
