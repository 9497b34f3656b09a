//! `frequent_values(column)`: the values of a column and how often each occurs, exact, in the same scan as everything
//! else; NULL once the column has more than [`CAP`] different ones.
//!
//! The answer is a list of structs `{value: text, count: bigint}`, most frequent first and then by value. NULLs are not
//! counted. Memory per column is bounded by [`CAP`] values, and nothing is kept of a column that has more.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, Int64Builder, ListArray, StringBuilder, StructArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use indexmap::IndexMap;

/// The name of the aggregate.
pub(crate) const NAME: &str = "frequent_values";

/// Most different values of a column that are counted.
pub(crate) const CAP: usize = 1_000;
/// Most bytes of text that the counted values of a column may have together.
const MAX_BYTES: usize = 1 << 20;

/// The aggregate, to be registered.
pub(crate) fn frequent_values() -> AggregateUDF {
    AggregateUDF::new_from_impl(Frequent { signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Frequent {
    signature: Signature,
}

impl AggregateUDFImpl for Frequent {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(list_type())
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Counts::default()))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |part: &str, ty| Arc::new(Field::new(format!("{}[{part}]", args.name), ty, true));
        Ok(vec![field("counts", list_type()), field("overflow", DataType::Boolean)])
    }
}

/// Counts per value; `None` once there are too many.
#[derive(Debug)]
struct Counts {
    counts: Option<IndexMap<String, i64>>,
    bytes: usize,
}

impl Default for Counts {
    fn default() -> Self {
        Self { counts: Some(IndexMap::new()), bytes: 0 }
    }
}

impl Counts {
    fn add(&mut self, value: &str, count: i64) {
        let Some(counts) = &mut self.counts else { return };
        if let Some(known) = counts.get_mut(value) {
            *known += count;
            return;
        }
        self.bytes += value.len();
        if counts.len() == CAP || self.bytes > MAX_BYTES {
            self.counts = None;
            return;
        }
        counts.insert(value.to_owned(), count);
    }

    fn list(&self) -> ScalarValue {
        let Some(counts) = &self.counts else {
            return ScalarValue::List(Arc::new(ListArray::new_null(element(), 1)));
        };
        let mut sorted: Vec<_> = counts.iter().collect();
        sorted.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        let (mut values, mut numbers) = (StringBuilder::new(), Int64Builder::new());
        for (value, count) in sorted {
            values.append_value(value);
            numbers.append_value(*count);
        }
        let columns: Vec<ArrayRef> = vec![Arc::new(values.finish()), Arc::new(numbers.finish())];
        let offsets = OffsetBuffer::from_lengths([counts.len()]);
        let entries = StructArray::new(fields(), columns, None);
        ScalarValue::List(Arc::new(ListArray::new(element(), offsets, Arc::new(entries), None)))
    }
}

impl Accumulator for Counts {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (Some(values), true) = (values.first(), self.counts.is_some()) else { return Ok(()) };
        let texts = cast(values, &DataType::Utf8View)?;
        // Runs of one value, as in sorted or partitioned data, are looked up once.
        let mut run: Option<(&str, i64)> = None;
        for text in texts.as_string_view().iter().flatten() {
            match &mut run {
                Some((value, count)) if *value == text => *count += 1,
                _ => {
                    if let Some((value, count)) = run.replace((text, 1)) {
                        self.add(value, count);
                    }
                }
            }
            if self.counts.is_none() {
                return Ok(());
            }
        }
        if let Some((value, count)) = run {
            self.add(value, count);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.list())
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.bytes + self.counts.as_ref().map_or(0, |counts| counts.capacity() * 48)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.list(), ScalarValue::Boolean(Some(self.counts.is_none()))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [lists, overflows] = states else { return Ok(()) };
        if overflows.as_boolean().iter().any(|overflow| overflow == Some(true)) {
            self.counts = None;
            return Ok(());
        }
        for entries in lists.as_list::<i32>().iter().flatten() {
            let [values, counts] = entries.as_struct().columns() else { continue };
            let counts: &Int64Array = counts.as_primitive::<Int64Type>();
            for (value, count) in values.as_string::<i32>().iter().zip(counts) {
                if let (Some(value), Some(count)) = (value, count) {
                    self.add(value, count);
                }
            }
        }
        Ok(())
    }
}

fn fields() -> Fields {
    Fields::from(vec![Field::new("value", DataType::Utf8, true), Field::new("count", DataType::Int64, true)])
}

fn element() -> FieldRef {
    Arc::new(Field::new("item", DataType::Struct(fields()), true))
}

fn list_type() -> DataType {
    DataType::List(element())
}
