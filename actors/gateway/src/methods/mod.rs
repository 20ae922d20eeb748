//! The gateway's own methods: who am I, what may I call, stop that. None of them is billed.

mod cancel;
mod hello;
mod licence_check;
mod list_capabilities;

use protocol::{Entry, entry};

use crate::gate::Gate;

/// All of them, in reading order.
pub(crate) fn all(gate: &Gate) -> Vec<Entry> {
    vec![
        entry::<hello::Hello>(gate),
        entry::<list_capabilities::ListCapabilities>(gate),
        entry::<licence_check::LicenceCheck>(gate),
        entry::<cancel::CancelCall>(gate),
    ]
}
