//! How much of a message is looked at. Mail is other people's: without a bound one message would fill the memory.

/// A whole message. The largest providers accept 50 MB, which base64 makes 68.
pub(crate) const MESSAGE_BYTES: usize = 72 * 1024 * 1024;

/// The header of a message or of a part. Lists of a thousand recipients with names are 60 KB.
pub(crate) const HEADER_BYTES: usize = 256 * 1024;

/// The fields of one header. Mail that was forwarded through many hosts has 150.
pub(crate) const FIELDS: usize = 1000;

/// One decoded value of a header, in bytes.
pub(crate) const VALUE_BYTES: usize = 64 * 1024;

/// The parts of a message, without those that only hold others.
pub(crate) const PARTS: usize = 1000;

/// How deep parts are in one another. Chains of forwarded messages reach ten.
pub(crate) const DEPTH: usize = 32;

/// The text of one body, decoded. A book is 1 MB.
pub(crate) const BODY_BYTES: usize = 8 * 1024 * 1024;

/// The HTML that is made text. Newsletters are 200 KB; what is longer is a report that nobody reads as mail.
pub(crate) const HTML_BYTES: usize = 1024 * 1024;

/// Addresses of one field.
pub(crate) const ADDRESSES: usize = 2000;

/// Ids of one References field that are looked at: the last, which are the nearest.
pub(crate) const REFERENCES: usize = 50;

/// Problems that are told about one message: whoever has more has the same again and again.
pub(crate) const PROBLEMS: usize = 50;
