//! Features of an editor: functions from an analysis and a byte offset to plain types.

mod actions;
mod completion;
mod cursor;
#[cfg(test)]
pub(crate) mod fixture;
mod folding;
mod hover;
mod inlay;
mod lens;
mod navigation;
mod outline;
mod rename;
mod signature;
mod tokens;
mod words;

pub use actions::{Action, actions};
pub use completion::{Completion, Item, ItemKind, complete};
pub use folding::{Fold, FoldKind, folds};
pub use hover::{Hover, hover};
pub use inlay::{Inlay, inlays};
pub use lens::contract_lens;
pub use navigation::{Place, definition, references, table_at, table_name};
pub use outline::{Entry, Target, links, outline};
pub use rename::{Renaming, renamable, rename};
pub use signature::{Signature, signature};
pub use tokens::{TokenKind, sql_tokens};
