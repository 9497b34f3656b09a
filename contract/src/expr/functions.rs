//! The table of functions: what each returns, what it does with NULL, and how each engine spells it.
//!
//! A new function is a row here, its meaning in [`super::eval`], and nothing else. A spelling is a template: `{0}` is
//! the first argument, `{*}` all of them with commas between, `{0:text}` the bare content of a constant.
//! A function that one engine does not have, or computes otherwise, is refused there with the reason and what to write
//! instead; the analyzer still knows its type.

use std::sync::LazyLock;

use crate::types::DataType;

/// A function of the language.
#[derive(Debug)]
pub struct Function {
    /// Canonical name: what [`super::ExprKind::Call`] and rule text use.
    pub name: &'static str,
    /// Other names for the same function with the same arguments in the same order, in Spark, Trino or common speech.
    pub aliases: &'static [&'static str],
    /// Fewest and most arguments.
    pub arity: (usize, usize),
    /// Its kind.
    pub kind: FunctionKind,
    /// Its result type.
    pub result: ResultType,
    /// What NULL arguments do.
    pub nulls: Nulls,
    /// Arguments that must be constants, because some engine needs them in its template.
    pub constants: &'static [usize],
    /// How Trino and Athena spell it.
    pub trino: Spelling,
    /// How Spark spells it.
    pub spark: Spelling,
    /// How DataFusion spells it.
    pub datafusion: Spelling,
}

/// Over what a function ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// One row.
    Scalar,
    /// The rows of a group.
    Aggregate,
    /// A window only.
    Window,
}

/// How the result type follows from the arguments.
#[derive(Debug)]
pub enum ResultType {
    /// Always this one.
    Is(DataType),
    /// That of an argument.
    Argument(usize),
    /// The common type of all arguments.
    Common,
    /// The common type of the arguments from this one on.
    CommonFrom(usize),
    /// That of the elements of the first argument, an array, or of the values, of a map.
    Element,
    /// An array of the first argument.
    ArrayOfArgument,
    /// An array of texts.
    ArrayOfText,
    /// An array of a map's keys.
    Keys,
    /// An array of a map's values.
    Values,
    /// That of the field of the first argument, a struct, that the second one, a constant text, names.
    Field,
    /// That of the first argument with as many digits after the point as the second one says.
    Rounded,
    /// A whole number.
    Whole,
    /// Spark's type of a sum.
    Sum,
    /// Spark's type of an average.
    Average,
}

/// What NULL arguments do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// One NULL argument makes the result NULL.
    Propagate,
    /// The function has its own way, told where it is evaluated.
    Own,
}

/// How an engine spells a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// By this template.
    Template(&'static str),
    /// Not at all: why, and what to write instead.
    Refused(&'static str),
}

/// Canonical names that other modules build expressions with.
pub const COALESCE: &str = "coalesce";
/// The instant of the run.
pub const CURRENT_TIMESTAMP: &str = "current_timestamp";
/// The day of the run, UTC.
pub const CURRENT_DATE: &str = "current_date";

/// The function of this canonical name or alias, in any case.
pub fn find(name: &str) -> Option<&'static Function> {
    let name = name.to_ascii_lowercase();
    FUNCTIONS.iter().find(|f| f.name == name || f.aliases.contains(&name.as_str()))
}

/// All functions.
pub fn all() -> &'static [Function] {
    &FUNCTIONS
}

/// The names nearest to one that is not in the table, best first, at most three.
pub fn nearest(name: &str) -> Vec<&'static str> {
    let name = name.to_ascii_lowercase();
    crate::schema::nearest(
        &name,
        FUNCTIONS.iter().flat_map(|f| std::iter::once(f.name).chain(f.aliases.iter().copied())),
    )
}

use DataType::{BigInt, Boolean, Date, Double, Int, String as Text, Timestamp, Unknown};
use FunctionKind::{Aggregate, Scalar, Window};
use Nulls::{Own, Propagate};
use ResultType::{Argument, Average, Common, CommonFrom, Element, Is, Sum};
use Spelling::{Refused, Template as T};

/// One row of the table with one spelling everywhere.
fn same(
    name: &'static str,
    aliases: &'static [&'static str],
    arity: (usize, usize),
    result: ResultType,
    template: &'static str,
) -> Function {
    row(name, aliases, arity, result, [T(template), T(template), T(template)])
}

/// One row of the table; spellings are Trino's, Spark's, DataFusion's.
fn row(
    name: &'static str,
    aliases: &'static [&'static str],
    arity: (usize, usize),
    result: ResultType,
    [trino, spark, datafusion]: [Spelling; 3],
) -> Function {
    Function { name, aliases, arity, kind: Scalar, result, nulls: Propagate, constants: &[], trino, spark, datafusion }
}

/// A function that the analyzer types and rules may not use.
fn typed(
    name: &'static str,
    aliases: &'static [&'static str],
    arity: (usize, usize),
    kind: FunctionKind,
    result: ResultType,
    why: &'static str,
) -> Function {
    let function = row(name, aliases, arity, result, [Refused(why), Refused(why), Refused(why)]);
    Function { kind, nulls: Own, ..function }
}

fn own(function: Function) -> Function {
    Function { nulls: Own, ..function }
}

fn aggregate(function: Function) -> Function {
    Function { kind: Aggregate, nulls: Own, ..function }
}

fn constants(at: &'static [usize], function: Function) -> Function {
    Function { constants: at, ..function }
}

const SPARK_ONLY: &str = "only Spark has it; write the rule with functions that Athena has too";
const NOT_IN_ROWS: &str = "it needs more than the one row that a rule sees; write a query as custom_sql";
const ENGINES_DIFFER: &str = "Spark, Athena and the embedded engine give different results";
const UNREPEATABLE: &str = "its result changes from run to run, so no rule can hold on it";

static FUNCTIONS: LazyLock<Vec<Function>> = LazyLock::new(|| {
    vec![
        // Conditions.
        own(same("coalesce", &["nvl", "ifnull"], (1, 255), Common, "coalesce({=})")),
        // Spelled as a comparison: engines' own nullif differ on NaN and on the negative zero.
        own(same("nullif", &[], (2, 2), Argument(0), "{:nullif}")),
        // NULL arguments are passed over; NULL only where all are.
        own(same("greatest", &[], (2, 4), Common, "{:greatest}")),
        own(same("least", &[], (2, 4), Common, "{:least}")),
        // Text. Case mapping is Unicode's full one; Trino maps single characters, so its two common exceptions are replaced.
        row(
            "lower",
            &["lcase"],
            (1, 1),
            Is(Text),
            [T("lower(replace({0}, U&'\\0130', U&'i\\0307'))"), T("lower({0})"), T("lower({0})")],
        ),
        row(
            "upper",
            &["ucase"],
            (1, 1),
            Is(Text),
            [T("upper(replace({0}, U&'\\00DF', 'SS'))"), T("upper({0})"), T("upper({0})")],
        ),
        row(
            "length",
            &["char_length", "character_length", "len"],
            (1, 1),
            Is(Int),
            [T("length({0})"), T("char_length({0})"), T("character_length({0})")],
        ),
        // Blanks only: a tab is no blank, as in Spark.
        row("trim", &["btrim"], (1, 1), Is(Text), [T("trim(BOTH ' ' FROM {0})"), T("trim({0})"), T("btrim({0}, ' ')")]),
        row("ltrim", &[], (1, 1), Is(Text), [T("trim(LEADING ' ' FROM {0})"), T("ltrim({0})"), T("ltrim({0}, ' ')")]),
        row("rtrim", &[], (1, 1), Is(Text), [T("trim(TRAILING ' ' FROM {0})"), T("rtrim({0})"), T("rtrim({0}, ' ')")]),
        // All characters of a set, as `trim(LEADING '0' FROM code)` says.
        constants(
            &[1],
            row(
                "trim_characters",
                &[],
                (2, 2),
                Is(Text),
                [T("trim(BOTH {1} FROM {0})"), T("trim(BOTH {1} FROM {0})"), T("btrim({0}, {1})")],
            ),
        ),
        constants(
            &[1],
            row(
                "ltrim_characters",
                &[],
                (2, 2),
                Is(Text),
                [T("trim(LEADING {1} FROM {0})"), T("trim(LEADING {1} FROM {0})"), T("ltrim({0}, {1})")],
            ),
        ),
        constants(
            &[1],
            row(
                "rtrim_characters",
                &[],
                (2, 2),
                Is(Text),
                [T("trim(TRAILING {1} FROM {0})"), T("trim(TRAILING {1} FROM {0})"), T("rtrim({0}, {1})")],
            ),
        ),
        // Characters count from 1, or from the end where negative; 0 counts as 1.
        constants(
            &[1],
            row("substring", &["substr"], (2, 3), Is(Text), [T("substr({*})"), T("substring({*})"), T("substr({*})")]),
        ),
        constants(&[1], same("replace", &[], (3, 3), Is(Text), "replace({*})")),
        row("reverse", &[], (1, 1), Is(Text), [T("reverse({0})"), T("reverse({0})"), T("reverse({0})")]),
        // NULL where one part is.
        row("concat", &[], (1, 255), Is(Text), [T("concat({*})"), T("concat({*})"), T("({|})")]),
        // The first place of the second text in the first one, from 1; 0 where it is not there.
        row("instr", &["strpos"], (2, 2), Is(Int), [T("strpos({*})"), T("instr({*})"), T("strpos({*})")]),
        row(
            "starts_with",
            &["startswith"],
            (2, 2),
            Is(Boolean),
            [T("starts_with({*})"), T("startswith({*})"), T("starts_with({*})")],
        ),
        row(
            "ends_with",
            &["endswith"],
            (2, 2),
            Is(Boolean),
            [
                T("(substr({0}, length({0}) - length({1}) + 1) = {1} AND length({0}) >= length({1}))"),
                T("endswith({*})"),
                T("ends_with({*})"),
            ],
        ),
        row(
            "contains_text",
            &[],
            (2, 2),
            Is(Boolean),
            [T("(strpos({*}) > 0)"), T("contains({*})"), T("contains({*})")],
        ),
        row("lpad", &[], (3, 3), Is(Text), [T("lpad({*})"), T("lpad({*})"), T("lpad({*})")]),
        row("rpad", &[], (3, 3), Is(Text), [T("rpad({*})"), T("rpad({*})"), T("rpad({*})")]),
        // The n-th part, from 1; NULL where there are fewer.
        constants(
            &[1, 2],
            row(
                "split_part",
                &[],
                (3, 3),
                Is(Text),
                [T("split_part({*})"), T("try_element_at(split({0}, {1:regex}, -1), {2})"), T("{:split}")],
            ),
        ),
        // All matches replaced by a constant text.
        constants(
            &[1, 2],
            row(
                "regexp_replace",
                &[],
                (3, 3),
                Is(Text),
                [
                    T("regexp_replace({0}, {1:pattern}, {2})"),
                    T("regexp_replace({0}, {1:pattern}, {2})"),
                    T("regexp_replace({0}, {1:pattern}, {2}, 'g')"),
                ],
            ),
        ),
        // The group (0 is the whole match) of the first match; NULL where nothing matches.
        constants(
            &[1, 2],
            own(row(
                "regexp_extract",
                &[],
                (3, 3),
                Is(Text),
                [
                    T("regexp_extract({0}, {1:pattern}, {2})"),
                    T("CASE WHEN rlike({0}, {1:pattern}) THEN regexp_extract({0}, {1:pattern}, {2}) END"),
                    T("array_element(regexp_match({0}, {1:group}), {2:group})"),
                ],
            )),
        ),
        // Every character of the second text becomes the one at its place in the third, or nothing where that is shorter.
        constants(&[1, 2], same("translate", &[], (3, 3), Is(Text), "translate({*})")),
        // NULL parts are passed over.
        constants(&[0], own(same("concat_ws", &[], (2, 255), Is(Text), "concat_ws({*})"))),
        row(
            "levenshtein",
            &["levenshtein_distance"],
            (2, 2),
            Is(Int),
            [T("levenshtein_distance({*})"), T("levenshtein({*})"), T("levenshtein({*})")],
        ),
        row(
            "octet_length",
            &[],
            (1, 1),
            Is(Int),
            [T("length(to_utf8({0}))"), T("octet_length({0})"), T("octet_length({0})")],
        ),
        row("md5", &[], (1, 1), Is(Text), [T("lower(to_hex(md5(to_utf8({0}))))"), T("md5({0})"), T("md5({0})")]),
        row(
            "sha256",
            &[],
            (1, 1),
            Is(Text),
            [T("lower(to_hex(sha256(to_utf8({0}))))"), T("sha2({0}, 256)"), T("encode(sha256({0}), 'hex')")],
        ),
        // Numbers.
        row("abs", &[], (1, 1), Argument(0), [T("TRY(abs({0}))"), T("{0:abs}"), T("{0:abs}")]),
        row("ceil", &["ceiling"], (1, 1), ResultType::Whole, [T("{0:ceil}"), T("{0:ceil}"), T("{0:ceil}")]),
        row("floor", &[], (1, 1), ResultType::Whole, [T("{0:floor}"), T("{0:floor}"), T("{0:floor}")]),
        // Half away from zero.
        constants(
            &[1],
            row("round", &[], (1, 2), ResultType::Rounded, [T("round({*})"), T("round({*})"), T("{:round}")]),
        ),
        same("sqrt", &[], (1, 1), Is(Double), "(CASE WHEN {0} < 0 THEN NULL ELSE sqrt(cast({0} AS double)) END)"),
        row(
            "power",
            &["pow"],
            (2, 2),
            Is(Double),
            [
                T("power(cast({0} AS double), cast({1} AS double))"),
                T("power(cast({0} AS double), cast({1} AS double))"),
                T("nanvl(power(cast({0} AS double), cast({1} AS double)), cast('NaN' AS double))"),
            ],
        ),
        typed("exp", &[], (1, 1), Scalar, Is(Double), "engines differ in the last digit; compare the exponent itself"),
        // NULL where the argument is not above zero.
        same("ln", &["log"], (1, 1), Is(Double), "(CASE WHEN {0} <= 0 THEN NULL ELSE ln(cast({0} AS double)) END)"),
        row("sign", &["signum"], (1, 1), Argument(0), [T("sign({0})"), T("sign({0})"), T("signum({0})")]),
        row("bitwise_and", &[], (2, 2), Common, [T("bitwise_and({*})"), T("({0} & {1})"), T("({0} & {1})")]),
        row(
            "is_finite",
            &[],
            (1, 1),
            Is(Boolean),
            [
                T("is_finite({0})"),
                T("(NOT isnan({0}) AND abs({0}) < double('Infinity'))"),
                T("(NOT isnan({0}) AND abs({0}) < cast('Infinity' AS double))"),
            ],
        ),
        // Dates. Parts of a timestamp are parts of its day, which the front end makes explicit.
        own(row(
            CURRENT_TIMESTAMP,
            &["now", "getdate", "localtimestamp"],
            (0, 0),
            Is(Timestamp),
            [
                T("cast(current_timestamp AT TIME ZONE 'UTC' AS timestamp(6))"),
                T("current_timestamp()"),
                T("arrow_cast(now(), 'Timestamp(Microsecond, None)')"),
            ],
        )),
        own(row(
            CURRENT_DATE,
            &["curdate", "today"],
            (0, 0),
            Is(Date),
            [
                T("cast(current_timestamp AT TIME ZONE 'UTC' AS date)"),
                T("date_from_unix_date(cast(unix_micros(current_timestamp()) div 86400000000 AS int))"),
                T("current_date()"),
            ],
        )),
        row("year", &[], (1, 1), Is(Int), [T("year({0})"), T("year({0})"), T("date_part('year', {0})")]),
        row("quarter", &[], (1, 1), Is(Int), [T("quarter({0})"), T("quarter({0})"), T("date_part('quarter', {0})")]),
        row("month", &[], (1, 1), Is(Int), [T("month({0})"), T("month({0})"), T("date_part('month', {0})")]),
        row(
            "day",
            &["dayofmonth", "day_of_month"],
            (1, 1),
            Is(Int),
            [T("day({0})"), T("day({0})"), T("date_part('day', {0})")],
        ),
        // Monday is 1, Sunday is 7, as in ISO 8601 and Trino; Spark's `dayofweek` is elaborated into this one.
        row(
            "day_of_week",
            &["dow"],
            (1, 1),
            Is(Int),
            [T("day_of_week({0})"), T("(weekday({0}) + 1)"), T("((date_part('dow', {0}) + 6) % 7 + 1)")],
        ),
        row(
            "day_of_year",
            &["dayofyear", "doy"],
            (1, 1),
            Is(Int),
            [T("day_of_year({0})"), T("dayofyear({0})"), T("date_part('doy', {0})")],
        ),
        // Of ISO 8601: the week of the year's first Thursday is 1.
        row(
            "week_of_year",
            &["weekofyear", "week"],
            (1, 1),
            Is(Int),
            [T("week_of_year({0})"), T("weekofyear({0})"), T("date_part('week', {0})")],
        ),
        row(
            "hour",
            &[],
            (1, 1),
            Is(Int),
            [
                T("hour({0})"),
                T("cast(pmod(unix_micros({0}), 86400000000) div 3600000000 AS int)"),
                T("date_part('hour', {0})"),
            ],
        ),
        row(
            "minute",
            &[],
            (1, 1),
            Is(Int),
            [
                T("minute({0})"),
                T("cast(pmod(unix_micros({0}), 3600000000) div 60000000 AS int)"),
                T("date_part('minute', {0})"),
            ],
        ),
        row(
            "second",
            &[],
            (1, 1),
            Is(Int),
            [
                T("second({0})"),
                T("cast(pmod(unix_micros({0}), 60000000) div 1000000 AS int)"),
                T("cast(floor(date_part('second', {0})) AS int)"),
            ],
        ),
        row(
            "trunc_year",
            &[],
            (1, 1),
            Is(Date),
            [
                T("date_trunc('year', {0})"),
                T("trunc({0}, 'YEAR')"),
                T("make_date(cast(date_part('year', {0}) AS int), 1, 1)"),
            ],
        ),
        row(
            "trunc_quarter",
            &[],
            (1, 1),
            Is(Date),
            [
                T("date_trunc('quarter', {0})"),
                T("trunc({0}, 'QUARTER')"),
                T(
                    "make_date(cast(date_part('year', {0}) AS int), (cast(date_part('quarter', {0}) AS int) - 1) * 3 + 1, 1)",
                ),
            ],
        ),
        row(
            "trunc_month",
            &[],
            (1, 1),
            Is(Date),
            [
                T("date_trunc('month', {0})"),
                T("trunc({0}, 'MM')"),
                T("make_date(cast(date_part('year', {0}) AS int), cast(date_part('month', {0}) AS int), 1)"),
            ],
        ),
        row(
            "trunc_week",
            &[],
            (1, 1),
            Is(Date),
            [
                T("date_trunc('week', {0})"),
                T("trunc({0}, 'WEEK')"),
                T("cast(cast({0} AS int) - (cast(date_part('dow', {0}) AS int) + 6) % 7 AS date)"),
            ],
        ),
        row(
            "trunc_hour",
            &[],
            (1, 1),
            Is(Timestamp),
            [
                T("date_trunc('hour', {0})"),
                T("timestamp_micros(unix_micros({0}) - pmod(unix_micros({0}), 3600000000))"),
                T("date_trunc('hour', {0})"),
            ],
        ),
        row(
            "trunc_minute",
            &[],
            (1, 1),
            Is(Timestamp),
            [
                T("date_trunc('minute', {0})"),
                T("timestamp_micros(unix_micros({0}) - pmod(unix_micros({0}), 60000000))"),
                T("date_trunc('minute', {0})"),
            ],
        ),
        row(
            "last_day",
            &["last_day_of_month", "eomonth"],
            (1, 1),
            Is(Date),
            [
                T("last_day_of_month({0})"),
                T("last_day({0})"),
                T(
                    "cast(cast(make_date(cast(date_part('year', {0}) AS int) + cast(date_part('month', {0}) AS int) / 12, cast(date_part('month', {0}) AS int) % 12 + 1, 1) AS int) - 1 AS date)",
                ),
            ],
        ),
        row(
            "add_days",
            &[],
            (2, 2),
            Is(Date),
            [
                T("date_add('day', {1}, {0})"),
                T("date_add({0}, cast({1} AS int))"),
                T("cast(cast({0} AS int) + cast({1} AS int) AS date)"),
            ],
        ),
        constants(
            &[1],
            row(
                "add_months",
                &[],
                (2, 2),
                Is(Date),
                [
                    T("date_add('month', {1}, {0})"),
                    T("add_months({0}, {1})"),
                    T("cast({0} + INTERVAL '{1:text} months' AS date)"),
                ],
            ),
        ),
        constants(
            &[1],
            row(
                "add_seconds",
                &[],
                (2, 2),
                Is(Timestamp),
                [
                    T("date_add('second', {1}, {0})"),
                    T("timestamp_micros(unix_micros({0}) + {1} * 1000000L)"),
                    T("({0} + INTERVAL '{1:text} seconds')"),
                ],
            ),
        ),
        // Seconds since 1970-01-01T00:00:00 UTC as a timestamp; NULL outside the years 1 to 9999.
        row(
            "from_seconds",
            &[],
            (1, 1),
            Is(Timestamp),
            [
                T("(CASE WHEN {0} BETWEEN -62135596800 AND 253402300799 \
                     THEN cast(from_unixtime({0}) AT TIME ZONE 'UTC' AS timestamp(6)) END)"),
                T("(CASE WHEN {0} BETWEEN -62135596800 AND 253402300799 THEN timestamp_micros({0} * 1000000L) END)"),
                T("(CASE WHEN {0} BETWEEN -62135596800 AND 253402300799 \
                     THEN arrow_cast(cast({0} AS bigint) * 1000000, 'Timestamp(Microsecond, None)') END)"),
            ],
        ),
        // Days from the second date to the first.
        row(
            "days_between",
            &[],
            (2, 2),
            Is(Int),
            [T("date_diff('day', {1}, {0})"), T("datediff({0}, {1})"), T("(cast({0} AS int) - cast({1} AS int))")],
        ),
        // Whole seconds from the second timestamp to the first, cut towards zero.
        row(
            "seconds_between",
            &[],
            (2, 2),
            Is(BigInt),
            [
                T("(date_diff('millisecond', {1}, {0}) / 1000)"),
                T("((unix_micros({0}) - unix_micros({1})) div 1000000)"),
                T(
                    "((cast(arrow_cast({0}, 'Timestamp(Microsecond, None)') AS bigint) - cast(arrow_cast({1}, 'Timestamp(Microsecond, None)') AS bigint)) / 1000000)",
                ),
            ],
        ),
        // Texts by a format: NULL where the text is no such date. Formats are constants, checked by the front end.
        own(row(
            "format_date",
            &[],
            (2, 2),
            Is(Text),
            [T("date_format({0}, {1:mysql})"), T("date_format({0}, {1:java})"), T("to_char({0}, {1:strftime})")],
        )),
        constants(
            &[1],
            own(row(
                "parse_date",
                &[],
                (2, 2),
                Is(Date),
                [
                    T("CASE WHEN regexp_like({0}, {1:shape}) THEN TRY(cast(date_parse({0}, {1:mysql}) AS date)) END"),
                    T("CASE WHEN rlike({0}, {1:shape}) THEN try_cast({0:iso_date} AS date) END"),
                    T("CASE WHEN regexp_like({0}, {1:shape}) THEN try_cast({0:iso_date} AS date) END"),
                ],
            )),
        ),
        // Collections.
        row(
            "size",
            &["cardinality", "array_size", "array_length"],
            (1, 1),
            Is(Int),
            [T("cardinality({0})"), T("(CASE WHEN {0} IS NOT NULL THEN size({0}) END)"), T("cardinality({0})")],
        ),
        row(
            "array_contains",
            &["list_contains"],
            (2, 2),
            Is(Boolean),
            [
                T("contains({*})"),
                T("array_contains({*})"),
                T("(CASE WHEN {0} IS NULL OR {1} IS NULL THEN NULL WHEN array_has({*}) THEN true \
                     WHEN array_position({0}, NULL) IS NULL THEN false END)"),
            ],
        ),
        // Each element once, NULL too, in the order of their first places.
        same("array_distinct", &[], (1, 1), Argument(0), "array_distinct({0})"),
        // Whether an element is NULL.
        row(
            "array_has_null",
            &[],
            (1, 1),
            Is(Boolean),
            [
                T("any_match({0}, e -> e IS NULL)"),
                T("exists({0}, e -> e IS NULL)"),
                T("(CASE WHEN {0} IS NOT NULL THEN array_position({0}, NULL) IS NOT NULL END)"),
            ],
        ),
        // The n-th element, from 1; NULL where there are fewer.
        own(row(
            "element_at",
            &[],
            (2, 2),
            Element,
            [T("element_at({*})"), T("try_element_at({*})"), T("array_element({*})")],
        )),
        own(row(
            "map_get",
            &[],
            (2, 2),
            Element,
            [T("element_at({*})"), T("try_element_at({*})"), T("array_element(map_extract({*}), 1)")],
        )),
        constants(
            &[1],
            own(row(
                "field",
                &[],
                (2, 2),
                ResultType::Field,
                [T("{0}.{1:name}"), T("{0}.{1:name}"), T("get_field({*})")],
            )),
        ),
        row("map_keys", &[], (1, 1), ResultType::Keys, [T("map_keys({0})"), T("map_keys({0})"), T("map_keys({0})")]),
        row(
            "map_values",
            &[],
            (1, 1),
            ResultType::Values,
            [T("map_values({0})"), T("map_values({0})"), T("map_values({0})")],
        ),
        // Aggregates. None counts NULLs but `count` without arguments.
        aggregate(row("count", &[], (0, 255), Is(BigInt), [T("count({*})"), T("count({*})"), T("count({*})")])),
        aggregate(same("sum", &[], (1, 1), Sum, "sum({0})")),
        aggregate(row(
            "avg",
            &["mean"],
            (1, 1),
            Average,
            [T("avg(cast({0} AS double))"), T("avg(cast({0} AS double))"), T("avg(cast({0} AS double))")],
        )),
        aggregate(same("min", &[], (1, 1), Argument(0), "min({0})")),
        aggregate(same("max", &[], (1, 1), Argument(0), "max({0})")),
        aggregate(row(
            "stddev",
            &["stddev_samp", "std"],
            (1, 1),
            Is(Double),
            [T("stddev_samp({0})"), T("stddev_samp({0})"), T("stddev_samp({0})")],
        )),
        aggregate(row(
            "variance",
            &["var_samp"],
            (1, 1),
            Is(Double),
            [T("var_samp({0})"), T("var_samp({0})"), T("var_samp({0})")],
        )),
        aggregate(same("stddev_pop", &[], (1, 1), Is(Double), "stddev_pop({0})")),
        aggregate(same("var_pop", &[], (1, 1), Is(Double), "var_pop({0})")),
        aggregate(same("corr", &[], (2, 2), Is(Double), "corr({*})")),
        aggregate(same("covar_samp", &[], (2, 2), Is(Double), "covar_samp({*})")),
        aggregate(same("covar_pop", &[], (2, 2), Is(Double), "covar_pop({*})")),
        aggregate(row(
            "quantile",
            &["approx_percentile", "percentile_approx", "approx_percentile_cont"],
            (2, 2),
            Argument(0),
            [T("approx_percentile({*})"), T("percentile_approx({*}, 10000)"), T("approx_percentile_cont({*})")],
        )),
        aggregate(row(
            "approx_distinct",
            &["approx_count_distinct"],
            (1, 1),
            Is(BigInt),
            [T("approx_distinct({0})"), T("approx_count_distinct({0})"), T("approx_distinct({0})")],
        )),
        aggregate(row(
            "count_if",
            &["countif"],
            (1, 1),
            Is(BigInt),
            [T("count_if({0})"), T("count_if({0})"), T("count(CASE WHEN {0} THEN 1 END)")],
        )),
        // Known to the analyzer by their types only.
        typed(
            "crc32",
            &[],
            (1, 1),
            Scalar,
            Is(BigInt),
            "the embedded engine has no crc32; sha256 is the hash that rules have",
        ),
        typed(
            "log10",
            &["log2", "cbrt"],
            (1, 1),
            Scalar,
            Is(Double),
            "engines differ in the last digit; use ln or power",
        ),
        typed("array_max", &["array_min"], (1, 1), Scalar, Element, "with a NULL among the elements engines differ"),
        typed(
            "regexp_count",
            &[],
            (2, 2),
            Scalar,
            Is(Int),
            "the embedded engine counts otherwise; write a pattern with {n,}",
        ),
        typed("initcap", &[], (1, 1), Scalar, Is(Text), ENGINES_DIFFER),
        typed(
            "split",
            &[],
            (2, 3),
            Scalar,
            ResultType::ArrayOfText,
            "Spark splits by a regular expression and Athena by a text; write split_part",
        ),
        typed("regexp_extract_all", &[], (2, 3), Scalar, ResultType::ArrayOfText, SPARK_ONLY),
        typed("format_string", &["printf"], (1, 255), Scalar, Is(Text), SPARK_ONLY),
        typed(
            "json_extract_scalar",
            &["get_json_object"],
            (2, 2),
            Scalar,
            Is(Text),
            "the embedded engine has no JSON paths; parse the text in the job",
        ),
        typed("from_json", &[], (2, 3), Scalar, Is(Unknown), SPARK_ONLY),
        typed("to_json", &[], (1, 2), Scalar, Is(Text), SPARK_ONLY),
        typed("input_file_name", &[], (0, 0), Scalar, Is(Text), SPARK_ONLY),
        typed("monotonically_increasing_id", &[], (0, 0), Scalar, Is(BigInt), UNREPEATABLE),
        typed("uuid", &[], (0, 0), Scalar, Is(Text), UNREPEATABLE),
        typed("rand", &["random", "randn"], (0, 1), Scalar, Is(Double), UNREPEATABLE),
        typed("hash", &["xxhash64"], (1, 255), Scalar, Is(BigInt), SPARK_ONLY),
        typed("array", &[], (0, 255), Scalar, ResultType::ArrayOfArgument, SPARK_ONLY),
        typed("array_sort", &["sort_array"], (1, 2), Scalar, Argument(0), "engines differ in where NULL is sorted"),
        typed("array_compact", &[], (1, 1), Scalar, Argument(0), SPARK_ONLY),
        typed("explode", &["explode_outer"], (1, 1), Scalar, Element, NOT_IN_ROWS),
        typed("if_else", &[], (3, 3), Scalar, CommonFrom(1), "write CASE WHEN"),
        typed(
            "collect_list",
            &["collect_set", "array_agg"],
            (1, 1),
            Aggregate,
            ResultType::ArrayOfArgument,
            NOT_IN_ROWS,
        ),
        typed(
            "first",
            &["first_value", "any_value", "last", "last_value"],
            (1, 2),
            Aggregate,
            Argument(0),
            UNREPEATABLE,
        ),
        typed("max_by", &["min_by"], (2, 2), Aggregate, Argument(0), NOT_IN_ROWS),
        typed("skewness", &["kurtosis"], (1, 1), Aggregate, Is(Double), "the embedded engine has none"),
        typed("row_number", &[], (0, 0), Window, Is(Int), NOT_IN_ROWS),
        typed("rank", &["dense_rank"], (0, 0), Window, Is(Int), NOT_IN_ROWS),
        typed("ntile", &[], (1, 1), Window, Is(Int), NOT_IN_ROWS),
        typed("percent_rank", &["cume_dist"], (0, 0), Window, Is(Double), NOT_IN_ROWS),
        typed("lag", &["lead"], (1, 3), Window, Argument(0), NOT_IN_ROWS),
    ]
});
