//! Mail: messages out of bytes, and bytes out of drafts and replies.
//!
//! [`Message`] reads what was really sent: nested parts, every charset, broken headers; it never fails, it says what was
//! wrong ([`Problem`]). Who has only pieces of a message, as over IMAP, uses the same functions on them: [`Headers`],
//! [`Part`], [`is_attachment`], [`body_parts`], [`text_of`], [`Decoder`]. [`compose()`] builds what is sent and
//! [`reply()`] what it says. [`thread()`] sorts messages into conversations. Pure: no I/O, no clock, nothing is kept.
//!
//! Everything here that comes out of a message was written by a stranger. Results that show it to a model must say so.

mod limits;
mod problem;

mod charset;
mod clean;
mod decoder;
mod params;
mod words;

mod field;
mod headers;

mod address;
mod date;
mod envelope;

mod attachment;
mod part;
mod split;

mod body;
mod flowed;
mod html;
mod message;
mod page;

mod name;
mod subject;
mod thread;

mod compose;
mod quote;
mod reply;

pub use address::{Address, AddressError, Mailbox};
pub use attachment::{has_attachments, is_attachment};
pub use body::{Preference, Text, body_parts, html_of, plain_of, text_of};
pub use compose::{Attachment, Bcc, Compose, ComposeError, MessageId, compose};
pub use date::Date;
pub use decoder::{Decoder, decode_part};
pub use envelope::Envelope;
pub use headers::Headers;
pub use html::html_as_text;
pub use message::{Bodies, Calendar, Message, Nested};
pub use name::{Names, safe_name};
pub use page::{Page, page};
pub use part::{Described, Disposition, Encoding, Part};
pub use problem::Problem;
pub use quote::quote;
pub use reply::{Answer, Reach, reply};
pub use subject::{reply_subject, subject_base};
pub use thread::{Link, Thread, Threaded, thread};
