//! Performing one thing against the world, and saying how it went.
//!
//! ```text
//! format    one value → words: the only place that writes amounts, dates and names for people
//! words     outcomes, deciders and doors in the words of a colleague
//! timeline  the log and what lies ahead → what happened, who is asked, what comes
//! view      an instance → what mail, pages and the shell show of it
//! template  named templates under limits; the only door to minijinja
//! mail      one mail of the outbox → its parts, with a gap for the link
//! message   parts and link → the bytes of a mail
//! apikey    keys of programs, by their digests
//! link      tickets: made, read and proved; the key file
//! smtp      the only door to lettre's transports
//! mailbox   delivered mail kept in memory, for `demo` and `serve --dev`
//! http      one call of another system → its answer, or what went wrong
//! transport one mail → SMTP server, folder or mailbox; what the answer means
//! ```
//!
//! Knows no store and decides nothing: what is shown, sent and to whom comes in as arguments, and so does the time.

pub mod apikey;
mod calls;
mod changed;
pub mod format;
pub mod http;
pub mod link;
pub mod mail;
pub mod mailbox;
pub mod message;
mod outside;
mod present;
mod row;
mod signers;
pub mod smtp;
mod tags;
pub mod template;
pub mod timeline;
pub mod transport;
pub mod view;
pub mod words;
