//! Features of an editor: functions from an analysis and a byte offset to plain types.

mod hover;

pub use hover::{Hover, hover};
