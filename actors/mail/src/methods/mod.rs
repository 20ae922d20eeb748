//! The methods, a file each.

mod copy;
mod create_folder;
mod delete;
mod draft;
mod get_attachment;
mod get_message;
mod get_raw;
mod get_thread;
mod list_accounts;
mod list_events;
mod list_folders;
mod list_messages;
mod list_outbox;
mod r#move;
mod parse_icalendar;
mod search;
mod send;
mod set_flags;
mod watch;

use protocol::{Effect, Entry, entry};

use crate::service::Mail;

/// Only looks, at a server.
const LOOKS: Effect = Effect { open_world: true, ..Effect::READ };

/// Every method of the service, with its handle.
pub fn methods(mail: &Mail) -> Vec<Entry> {
    vec![
        entry::<list_accounts::ListAccounts>(mail),
        entry::<list_folders::ListFolders>(mail),
        entry::<list_messages::ListMessages>(mail),
        entry::<search::Search>(mail),
        entry::<get_message::GetMessage>(mail),
        entry::<get_thread::GetThread>(mail),
        entry::<get_attachment::GetAttachment>(mail),
        entry::<get_raw::GetRaw>(mail),
        entry::<set_flags::SetFlags>(mail),
        entry::<r#move::Move>(mail),
        entry::<copy::Copy>(mail),
        entry::<delete::Delete>(mail),
        entry::<create_folder::CreateFolder>(mail),
        entry::<draft::Draft>(mail),
        entry::<send::Send>(mail),
        entry::<list_outbox::ListOutbox>(mail),
        entry::<watch::Watch>(mail),
        entry::<parse_icalendar::ParseIcalendar>(mail),
        entry::<list_events::ListEvents>(mail),
    ]
}
