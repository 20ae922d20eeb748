//! The methods of the service, one file each.

mod chat;
mod count_tokens;
mod embed;
mod fields;
mod models;
mod usage;

use protocol::{Entry, entry};

use crate::service::Llm;

/// Every method, bound to `llm`.
pub fn methods(llm: &Llm) -> Vec<Entry> {
    vec![
        entry::<chat::Chat>(llm),
        entry::<count_tokens::CountTokens>(llm),
        entry::<embed::Embed>(llm),
        entry::<models::Models>(llm),
        entry::<usage::Usage>(llm),
    ]
}
