//! The statistics that an `aggregate` rule may bound.

/// A statistic of a column's values, NULL and NaN passed over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AggregateFunction {
    /// Smallest value of numbers, dates or timestamps.
    Min,
    /// Largest value.
    Max,
    /// Arithmetic mean, computed on doubles.
    Mean,
    /// Sum, computed on doubles: it does not overflow, and its first 12 digits count.
    Sum,
    /// Standard deviation of a sample; a single value has none.
    Stddev,
    /// The value in the middle, approximate; infinities are passed over.
    Median,
    /// The value below which this share of the values lies, approximate; infinities are passed over.
    Quantile(f64),
}

/// Every statistic's name in a document; `quantile` carries its share in a key of its own.
pub const FUNCTIONS: &[(&str, AggregateFunction)] = &[
    ("min", AggregateFunction::Min),
    ("max", AggregateFunction::Max),
    ("avg", AggregateFunction::Mean),
    ("average", AggregateFunction::Mean),
    ("mean", AggregateFunction::Mean),
    ("sum", AggregateFunction::Sum),
    ("stddev_samp", AggregateFunction::Stddev),
    ("stdev", AggregateFunction::Stddev),
    ("stddev", AggregateFunction::Stddev),
    ("median", AggregateFunction::Median),
    ("percentile", AggregateFunction::Quantile(0.5)),
    ("quantile", AggregateFunction::Quantile(0.5)),
];

impl AggregateFunction {
    /// The name that a document has for it.
    pub fn name(self) -> &'static str {
        match self {
            AggregateFunction::Min => "min",
            AggregateFunction::Max => "max",
            AggregateFunction::Mean => "mean",
            AggregateFunction::Sum => "sum",
            AggregateFunction::Stddev => "stddev",
            AggregateFunction::Median => "median",
            AggregateFunction::Quantile(_) => "quantile",
        }
    }
}
