//! Identity, policy, quota and routing.
