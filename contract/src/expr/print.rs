//! Printers: an expression as SQL for one engine.

/// The SQL of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Athena engine version 3, and Trino.
    Trino,
    /// Spark 3 with ANSI mode on or off.
    Spark,
    /// The embedded engine.
    DataFusion,
}
