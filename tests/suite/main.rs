//! All tests that need no network and no other program, as one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod blocks;
mod calendar;
mod cli;
mod columns;
mod company;
mod compile;
mod diagnostics;
mod diagram;
mod documents;
mod exact;
mod explore;
mod expression;
mod fields;
mod files;
mod flows;
mod fmt;
mod fuzz;
mod guide;
mod handover;
#[allow(dead_code, reason = "shared with the tests in a browser, which use all of it")]
mod house;
mod laws;
mod link;
mod mail;
mod mends;
mod mistakes;
mod mutations;
mod outside;
mod overdue;
mod patterns;
mod processes;
mod records;
mod report;
mod rooms;
mod schema;
mod shown;
mod simulate;
mod store;
mod support;
mod syntax;
mod tables;
mod tutorial;
mod walked;
mod web;
mod year;
