//! The demo: makes a small lake with planted troubles, runs every stage on it, and holds what was found against what was
//! planted.

mod folder;
mod judge;
mod report;
mod stages;

pub(crate) use folder::prepare;
pub(crate) use report::{json, stage_line, text};
pub(crate) use stages::{Stage, run};
