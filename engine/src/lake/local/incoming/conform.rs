//! A batch of an incoming file as columns of the table, and the cells that do not have their column's type.
//!
//! A text becomes a number, a date and so on by the contract's own cast, so that a rule about types and the values that
//! are loaded cannot disagree. Between typed columns nothing that would lose information is taken for a conversion,
//! except the digits of a `float` and of a time below a microsecond.

use std::sync::Arc;

use contract::expr::Expr;
use contract::expr::print::{Dialect, to_sql};
use contract::types::DataType;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array,
};
use datafusion::arrow::compute::kernels::cmp::distinct;
use datafusion::arrow::compute::{CastOptions, and, cast, cast_with_options, is_not_null, is_null};
use datafusion::arrow::datatypes::{DataType as Arrow, Field, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;
use datafusion::common::DFSchema;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionContext;

use super::source::{Origin, Source, SourceBatch, constant};
use crate::{Error, Result};

/// Turns batches of a file into batches of the table.
#[derive(Debug)]
pub(super) struct Conform {
    /// The table's columns.
    pub(super) schema: SchemaRef,
    columns: Vec<Conversion>,
}

/// How a column of the table comes about.
#[derive(Debug)]
struct Conversion {
    field: Arc<Field>,
    from: From,
}

#[derive(Debug)]
enum From {
    Null,
    /// A text, by the contract's cast; `position` among the columns that are read.
    Text {
        position: usize,
        cast: Option<Arc<dyn PhysicalExpr>>,
    },
    /// A text that is the same in all rows.
    Constant {
        value: Option<String>,
        cast: Option<Arc<dyn PhysicalExpr>>,
    },
    /// A typed column.
    Typed {
        position: usize,
    },
}

/// A batch of the table's columns.
pub(super) struct Typed {
    pub(super) batch: RecordBatch,
    /// For each column the rows whose value does not have its type and stands as NULL; `None` where there are none.
    pub(super) misfits: Vec<Option<BooleanArray>>,
}

impl Conform {
    /// Conversions of the wanted columns of the table; `read` are the columns of the file that batches hold.
    ///
    /// # Errors
    /// A column of a type that a text file cannot hold.
    pub(super) fn new(
        context: &SessionContext,
        source: &Source,
        columns: &[(Arc<Field>, DataType)],
        wanted: &[usize],
        read: &[usize],
    ) -> Result<Self> {
        let conversion = |index: &usize| {
            let (field, data_type) = columns.get(*index)?;
            let origin = source.origins.get(*index)?;
            Some(Self::conversion(context, source, field, data_type, origin, read))
        };
        let columns = wanted.iter().filter_map(conversion).collect::<Result<Vec<_>>>()?;
        let fields: Vec<_> = columns.iter().map(|conversion| conversion.field.clone()).collect();
        Ok(Self { schema: Arc::new(Schema::new(fields)), columns })
    }

    fn conversion(
        context: &SessionContext,
        source: &Source,
        field: &Arc<Field>,
        data_type: &DataType,
        origin: &Origin,
        read: &[usize],
    ) -> Result<Conversion> {
        let from = match origin {
            Origin::Absent => From::Null,
            Origin::Folder(value) => {
                From::Constant { value: value.clone(), cast: text_cast(context, source, field, data_type)? }
            }
            Origin::Column(index) => {
                let position = read.iter().position(|read| read == index).unwrap_or_default();
                let stored = source.schema.field(*index).data_type();
                match is_text(stored) && !data_type.is_text() {
                    true => From::Text { position, cast: text_cast(context, source, field, data_type)? },
                    false => From::Typed { position },
                }
            }
        };
        Ok(Conversion { field: field.clone(), from })
    }

    /// The table's columns of a batch.
    pub(super) fn apply(&self, batch: &SourceBatch) -> std::result::Result<Typed, ArrowError> {
        let mut columns = Vec::with_capacity(self.columns.len());
        let mut misfits = Vec::with_capacity(self.columns.len());
        let missing = || ArrowError::SchemaError("a column was not read".to_owned());
        for conversion in &self.columns {
            let target = conversion.field.data_type();
            let (column, misfit) = match &conversion.from {
                From::Null => (new_null_array(target, batch.rows), None),
                From::Constant { value, cast } => {
                    from_text(&constant(value.as_deref(), batch.rows), target, cast.as_ref())?
                }
                From::Text { position, cast } => {
                    from_text(batch.columns.get(*position).ok_or_else(missing)?, target, cast.as_ref())?
                }
                From::Typed { position } => convert(batch.columns.get(*position).ok_or_else(missing)?, target)?,
            };
            columns.push(column);
            misfits.push(misfit.filter(|misfit| misfit.true_count() > 0));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.rows));
        Ok(Typed { batch: RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?, misfits })
    }
}

/// The contract's cast of a text column called `text`; `None` where text stays text.
fn text_cast(
    context: &SessionContext,
    source: &Source,
    field: &Field,
    data_type: &DataType,
) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    if data_type.is_text() || data_type.is_open() {
        return Ok(None);
    }
    let refused = |error: String| {
        let problem = format!("column {} is {data_type}, which a text file cannot hold: {error}", field.name());
        Error::input(source.path.display(), problem, "deliver the file as Parquet")
    };
    let cast = Expr::cast(Expr::column("text", DataType::String), data_type.clone());
    let sql = to_sql(&cast, Dialect::DataFusion).map_err(|error| refused(error.to_string()))?;
    let schema = Schema::new(vec![Field::new("text", Arrow::Utf8View, true)]);
    physical(context, &sql, &schema).map(Some).map_err(|error| refused(error.to_string()))
}

/// SQL over columns as something that can be evaluated on batches.
pub(super) fn physical(
    context: &SessionContext,
    sql: &str,
    schema: &Schema,
) -> datafusion::error::Result<Arc<dyn PhysicalExpr>> {
    let schema = DFSchema::try_from(schema.clone())?;
    let logical = context.parse_sql_expr(sql, &schema)?;
    // Some functions, such as coalesce, exist only until an expression is simplified.
    let simplifier = ExprSimplifier::new(
        SimplifyContext::builder()
            .with_schema(Arc::new(schema.clone()))
            .with_config_options(context.state().config_options().clone())
            .build(),
    );
    let logical = simplifier.simplify(simplifier.coerce(logical, &schema)?)?;
    context.create_physical_expr(logical, &schema)
}

fn from_text(
    text: &ArrayRef,
    target: &Arrow,
    conversion: Option<&Arc<dyn PhysicalExpr>>,
) -> std::result::Result<(ArrayRef, Option<BooleanArray>), ArrowError> {
    let text = cast(text, &Arrow::Utf8View)?;
    let Some(conversion) = conversion else { return convert(&text, target) };
    let schema = Arc::new(Schema::new(vec![Field::new("text", Arrow::Utf8View, true)]));
    let batch = RecordBatch::try_new(schema, vec![text.clone()])?;
    let value = conversion.evaluate(&batch).and_then(|value| value.into_array(text.len()));
    let value = value.map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
    let value = safe_cast(&value, target)?;
    if value.null_count() == text.null_count() {
        return Ok((value, None));
    }
    // A blank stands for NULL, as the contract says.
    let blank = |text: Option<&str>| text.is_some_and(|text| !text.trim_matches(' ').is_empty());
    let present: BooleanArray = text.as_string_view().iter().map(|text| Some(blank(text))).collect();
    let misfit = and(&present, &is_null(&value)?)?;
    Ok((value, Some(misfit)))
}

/// A typed column as another type; what would be lost is a misfit and stands as NULL.
fn convert(column: &ArrayRef, target: &Arrow) -> std::result::Result<(ArrayRef, Option<BooleanArray>), ArrowError> {
    let stored = column.data_type();
    if stored == target {
        return Ok((column.clone(), None));
    }
    let column = match stored {
        // A time with a zone is an instant, and the table's times are those of UTC.
        Arrow::Timestamp(_, Some(_)) => &cast(column, &Arrow::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?,
        _ => column,
    };
    let value = safe_cast(column, target)?;
    let vanished = and(&is_not_null(column)?, &is_null(&value)?)?;
    if !may_lose(stored, target) {
        return Ok((value, Some(vanished)));
    }
    let back = safe_cast(&value, column.data_type())?;
    let misfit = and(&is_not_null(column)?, &distinct(&back, column)?)?;
    if misfit.true_count() == 0 {
        return Ok((value, None));
    }
    Ok((datafusion::arrow::compute::nullif(&value, &misfit)?, Some(misfit)))
}

fn safe_cast(column: &ArrayRef, target: &Arrow) -> std::result::Result<ArrayRef, ArrowError> {
    cast_with_options(column, target, &CastOptions { safe: true, ..CastOptions::default() })
}

/// Whether a conversion between types can change a value that it does not make NULL.
fn may_lose(stored: &Arrow, target: &Arrow) -> bool {
    let decimal = |ty: &Arrow| matches!(ty, Arrow::Decimal32(..) | Arrow::Decimal64(..) | Arrow::Decimal128(..));
    match (stored, target) {
        (Arrow::Float16 | Arrow::Float32 | Arrow::Float64, other) => other.is_integer() || decimal(other),
        (from, other) if decimal(from) => other.is_integer() || decimal(other),
        (Arrow::Int64 | Arrow::UInt64, Arrow::Float32 | Arrow::Float64) => true,
        (Arrow::Timestamp(..), Arrow::Date32) => true,
        _ => false,
    }
}

fn is_text(arrow: &Arrow) -> bool {
    match arrow {
        Arrow::Utf8 | Arrow::LargeUtf8 | Arrow::Utf8View => true,
        Arrow::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}
