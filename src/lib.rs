//! Countersign (会签): a company's rules as YAML, compiled to state graphs and run durably.
//!
//! The rooms, in the order in which data flows through them. A room imports only rooms
//! above it; `tests/suite/rooms.rs` holds the exact table.
//!
//! ```text
//! model · diagnostics            plain data: what a process is; what is wrong with a text
//! syntax                         YAML text → spanned documents
//! expression                     FEEL: text → typed formula → value
//! compile                        documents → definitions, or diagnostics
//! diagram                        a definition as a picture
//! engine                         command + state + facts → events → state (pure)
//! simulate                       the same core with a made-up world
//! store                          keeps events and the rows that follow from them; decides nothing
//! effects                        performs one thing against the world (mail, links, templates)
//! runtime                        the loops: writer, timers, outbox
//! bench                          the runtime beside what the disk can do at all
//! web · cli                      surfaces; they reach everything through `runtime`
//! ```

pub mod bench;
pub mod cli;
pub mod compile;
pub mod diagnostics;
pub mod diagram;
pub mod effects;
pub mod engine;
pub mod expression;
pub mod failpoint;
pub mod measure;
pub mod model;
pub mod report;
pub mod runtime;
pub mod simulate;
pub mod store;
pub mod syntax;
pub mod web;
