//! Measuring: the approval run through the runtime, beside what the disk and the database can do at all.

pub mod flow;
