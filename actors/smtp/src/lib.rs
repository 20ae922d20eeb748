//! A message handed to an account's SMTP server (RFC 6409), with what became of each recipient.
//!
//! ```text
//! let mut session = Session::open(&account, token, limits).await?;   // greeting, TLS, login
//! let verdicts = session.offer(&envelope).await?;                    // MAIL, and RCPT for each: nothing is sent yet
//! let delivery = session.deliver(&message).await;                    // taken, refused, or nobody knows
//! session.quit().await;
//! ```
//!
//! The steps are the caller's to take, so that it can write down what it is about to do: from [`Session::deliver`] on a
//! message may be on its way whatever happens to us. Every step has a deadline. No error has a credential in it.
//!
//! It composes nothing, tries nothing twice and keeps nothing: that is for whoever has the outbox.

mod envelope;
mod reply;
mod session;

pub use envelope::Envelope;
pub use reply::Reply;
pub use session::{Delivery, Limits, Session, Verdict, server};
