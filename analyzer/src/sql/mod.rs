//! SQL text inside a script: parsed with its holes, and given the same plan that DataFrame calls would give.

mod dialect;
mod expressions;
mod query;
mod source;
mod statements;

use crate::interpret::Interpreter;
use crate::range::TextRange;
use crate::value::{ColumnForm, ColumnValue, Text, Value};
pub(crate) use source::Source;
pub use source::SqlText;

/// Nesting deeper than this is refused by the parser.
const MAX_DEPTH: usize = 60;

/// `spark.sql(text)`: the frame of a query, or the effect of a statement.
pub(crate) fn run(interpreter: &mut Interpreter, text: &Value, range: TextRange) -> Value {
    let mut results = Vec::new();
    for arm in text.alternatives().to_vec() {
        let Value::Text(text) = &arm else {
            return interpreter.tainted("a query that is not known from the script", &[&arm]);
        };
        let source = noted(interpreter, text, range);
        results.push(statements::run(interpreter, &source));
    }
    interpreter.join_all(results, range)
}

/// A text as the parser gets it, which is remembered for those who show it.
fn noted(interpreter: &mut Interpreter, text: &Text, range: TextRange) -> Source {
    let source = Source::new(text, range);
    interpreter.mention_sql(&source);
    source
}

/// The frame of a query that a database answers; `None` where it is not understood.
pub(crate) fn remote(interpreter: &mut Interpreter, text: &Text, range: TextRange) -> Option<crate::plan::NodeId> {
    let source = noted(interpreter, text, range);
    statements::select(interpreter, &source)
}

/// The column of one item of a select list, such as `expr` and `selectExpr` take.
pub(crate) fn item(interpreter: &mut Interpreter, text: &Text, range: TextRange) -> Option<ColumnValue> {
    let source = noted(interpreter, text, range);
    let parsed = dialect::parser(&source.sql)?.parse_select_item().ok()?;
    let ctes = query::Ctes::default();
    let mut lowering = expressions::Lowering { source: &source, interpreter, ctes: &ctes, depth: 0 };
    let mut named_at = TextRange::default();
    let (expr, name, form) = match &parsed {
        sqlparser::ast::SelectItem::UnnamedExpr(expr) => (lowering.expr(expr, 0), None, form_of(expr)),
        sqlparser::ast::SelectItem::ExprWithAlias { expr, alias } => {
            named_at = source.range_of(alias.span);
            (lowering.expr(expr, 0), Some(lowering.name(alias)), form_of(expr))
        }
        sqlparser::ast::SelectItem::Wildcard(_) => {
            (crate::expression::column(None, "*", lowering.interpreter.here(range)), None, ColumnForm::Star)
        }
        _ => return None,
    };
    let named_at = lowering.interpreter.here(named_at);
    Some(ColumnValue { expr, name, named_at, form, descending: false })
}

/// Whether an item multiplies rows.
fn form_of(expr: &sqlparser::ast::Expr) -> ColumnForm {
    match expr {
        sqlparser::ast::Expr::Function(function) => match function.name.to_string().to_lowercase().as_str() {
            "explode" | "explode_outer" => ColumnForm::Explode,
            "posexplode" | "posexplode_outer" | "inline" | "inline_outer" | "stack" | "json_tuple" => {
                ColumnForm::Unknown
            }
            _ => ColumnForm::Plain,
        },
        _ => ColumnForm::Plain,
    }
}
