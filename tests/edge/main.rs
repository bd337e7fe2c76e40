//! Tests against real things: browsers, mail servers, killed processes. `scripts/edge` installs what they need.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod audit;
mod browser;
mod crash;
mod crash_outside;
mod debian;
#[path = "../suite/house.rs"]
#[allow(dead_code, reason = "shared with the suite, which uses all of it")]
mod house;
mod http;
mod outbox;
mod pages;
mod sink;
#[path = "../suite/support.rs"]
#[allow(dead_code, reason = "shared with the suite, which uses all of it")]
mod support;
