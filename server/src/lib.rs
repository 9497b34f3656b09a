//! The language server: what the analyzer knows, over the Language Server Protocol.
//!
//! A message passes through `wire` (frames), `order` (notifications applied in the order of the wire, a snapshot for
//! each request), the router of `tower-lsp-server`, and a handler. What is neither in the open text nor in a script
//! is asked of a [`Backend`]. LSP types stay in this crate, and positions are converted in `positions` alone.

mod acceptance;
mod backend;
mod background;
mod document;
mod edits;
mod files;
mod generation;
mod handlers;
mod knowledge;
mod notebook;
mod order;
mod overview;
mod positions;
mod service;
mod session;
mod wire;
mod workspace;

pub use backend::{Backend, BackendError, ContractChange, Finding, Generated, Health, NoBackend, Status, Watcher};
pub use service::{Ended, serve};
