//! Which state of a dimension with history a foreign key means.

/// The state of the referenced table that a row refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// The newest snapshot: rows that hold the largest value of the snapshot column.
    Newest {
        /// The referenced table's column that tells snapshots apart.
        snapshot: String,
    },
    /// The snapshot of the row's own date: both columns are equal.
    Snapshot {
        /// The row's column.
        column: String,
        /// The referenced table's column that tells snapshots apart.
        snapshot: String,
    },
    /// The version that was valid at the row's date (a slowly changing dimension of type 2): from `valid_from` on and
    /// before `valid_to`, which is NULL for the version that is still valid.
    Validity {
        /// The row's column, a date or timestamp.
        column: String,
        /// The referenced table's column that begins a version.
        valid_from: String,
        /// The referenced table's column that ends it.
        valid_to: String,
    },
}
