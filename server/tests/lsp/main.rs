//! The language server as an editor sees it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what goes wrong here is a failed test")]

mod client;
mod editing;
mod features;
mod files;
mod generation;
mod lifecycle;
mod notebook;
mod order;
mod soak;
