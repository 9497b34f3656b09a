//! Statistics of a table, from one scan.

use std::time::Instant;

use contract::document::{ColumnProfile, Profile, TopValue, VERSION};
use contract::schema::{Column, TableName};
use contract::types::DataType;
use contract::value::Value;
use serde_json::{Number, Value as Json};

use crate::lake::{Cost, DataFile, Lake, QueryResult, Table};
use crate::{Error, Result};

/// How often a scan may find out something new of its table.
const MAX_DISCOVERIES: usize = 100;

/// What is profiled and how much of it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileOptions {
    /// Only rows of this range; all where absent.
    pub range: Option<DateRange>,
    /// Columns of at most so many different values keep them all, with their counts.
    pub top_values: usize,
}

impl Default for ProfileOptions {
    fn default() -> Self {
        Self { range: None, top_values: 50 }
    }
}

/// Rows whose column lies between two values, both included; for learning on some days and trying on others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateRange {
    /// A date, number or text column, usually a partition key.
    pub column: String,
    /// The first value, spelled as in a partition folder; open where absent.
    pub from: Option<String>,
    /// The last value; open where absent.
    pub to: Option<String>,
}

/// A profile with what it cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Profiled {
    /// The statistics.
    pub profile: Profile,
    /// The scan's time and bytes.
    pub cost: Cost,
}

/// Profiles a table by one query that reads each of its columns once.
///
/// Per column: share of NULLs, distinct values (exact up to a thousand, else approximate), smallest and largest value,
/// mean and 95th percentile of numbers with NaN aside, share of NaNs, and for text the share of blanks and the lengths.
/// Columns that look personal keep no value of their own. Files that cannot be read are named and counted nowhere.
///
/// # Errors
/// An unknown table, or a range over a column that the table does not have.
pub async fn profile(lake: &dyn Lake, name: &TableName, options: &ProfileOptions) -> Result<Profiled> {
    let started = Instant::now();
    let (scanned, result) = scan(lake, name, options).await?;
    // The scan may find files that its listing could not know to be damaged.
    let table = lake.catalog().table(name).await?;
    let selected: Vec<&DataFile> = match &options.range {
        Some(range) => table.files.iter().filter(|file| in_range(&table, file, range)).collect(),
        None => table.files.iter().collect(),
    };
    let row = result.rows.first().map_or(&[][..], Vec::as_slice);
    let rows = row.first().map_or(0, count);
    let mut cells = row.iter().skip(1);
    let mut columns = indexmap::IndexMap::new();
    for column in &scanned.schema.columns {
        let measures = measures(column);
        let values: Vec<(Measure, &Value)> = measures.into_iter().zip(cells.by_ref()).collect();
        columns.insert(column.name.clone(), read_column(column, rows, &values, options.top_values));
    }
    let now = lake.now();
    let profile = Profile {
        version: VERSION,
        table_name: name.table.clone(),
        database: name.database.clone(),
        date: newest_date(&table, &selected).unwrap_or_else(|| now.format("%Y-%m-%d").to_string()),
        profiled_at: now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        row_count: rows,
        file_count: selected.len() as u64,
        total_bytes: selected.iter().map(|file| file.bytes).sum(),
        unreadable_files: table.unreadable.iter().map(|(path, reason)| format!("{path}: {reason}")).collect(),
        column_stats: columns,
    };
    let cost = Cost { seconds: started.elapsed().as_secs_f64(), ..result.cost };
    Ok(Profiled { profile, cost })
}

/// The table as the scan read it, and the answer. A scan that fails may have found a damaged file or a value that its
/// column's type does not hold; the table without that file, or with that column as text, is then scanned again.
async fn scan(lake: &dyn Lake, name: &TableName, options: &ProfileOptions) -> Result<(Table, QueryResult)> {
    let mut table = lake.catalog().table(name).await?;
    let mut discoveries = 0;
    loop {
        let condition = options.range.as_ref().map(|range| condition(&table, range)).transpose()?;
        let error = match lake.engine().query(&query(&table, condition.as_deref())).await {
            Ok(result) => return Ok((table, result)),
            Err(error) => error,
        };
        let found = lake.catalog().table(name).await?;
        discoveries += 1;
        if found == table || discoveries > MAX_DISCOVERIES {
            return Err(error);
        }
        table = found;
    }
}

/// One aggregate of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Measure {
    Present,
    Nan,
    Distinct,
    Min,
    Max,
    Mean,
    P95,
    Blank,
    Shortest,
    Longest,
    Frequent,
}

fn measures(column: &Column) -> Vec<Measure> {
    use Measure::{Blank, Distinct, Frequent, Longest, Max, Mean, Min, Nan, P95, Present, Shortest};
    match &column.data_type {
        DataType::Float | DataType::Double => vec![Present, Nan, Distinct, Min, Max, Mean, P95, Frequent],
        ty if is_number(ty) => vec![Present, Distinct, Min, Max, Mean, P95, Frequent],
        DataType::Date | DataType::Timestamp => vec![Present, Distinct, Min, Max, Frequent],
        ty if is_text(ty) => vec![Present, Distinct, Blank, Shortest, Longest, Frequent],
        DataType::Boolean => vec![Present, Distinct, Frequent],
        _ => vec![Present],
    }
}

/// The SQL of a measure. The embedded engine has no approximate distinct of doubles, so their text is counted.
fn aggregate(column: &Column, measure: Measure) -> String {
    let name = quoted(&column.name);
    let floating = matches!(column.data_type, DataType::Float | DataType::Double);
    let finite = if floating { format!("CASE WHEN isnan({name}) THEN NULL ELSE {name} END") } else { name.clone() };
    match measure {
        Measure::Present => format!("count({name})"),
        Measure::Nan => format!("sum(CASE WHEN isnan({name}) THEN 1 ELSE 0 END)"),
        Measure::Distinct if floating || column.data_type == DataType::Boolean => {
            format!("approx_distinct(CAST({name} AS VARCHAR))")
        }
        Measure::Distinct if matches!(column.data_type, DataType::Decimal { .. }) => {
            format!("approx_distinct(CAST({name} AS VARCHAR))")
        }
        Measure::Distinct => format!("approx_distinct({name})"),
        Measure::Min => format!("min({finite})"),
        Measure::Max => format!("max({finite})"),
        Measure::Mean => format!("avg(CAST({finite} AS DOUBLE))"),
        Measure::P95 => format!("approx_percentile_cont(CAST({finite} AS DOUBLE), 0.95)"),
        Measure::Blank => format!("sum(CASE WHEN btrim({name}) = '' THEN 1 ELSE 0 END)"),
        Measure::Shortest => format!("min(character_length({name}))"),
        Measure::Longest => format!("max(character_length({name}))"),
        Measure::Frequent => format!("frequent_values({name})"),
    }
}

fn query(table: &Table, condition: Option<&str>) -> String {
    let mut aggregates = vec!["count(*)".to_owned()];
    for column in &table.schema.columns {
        aggregates.extend(measures(column).into_iter().map(|measure| aggregate(column, measure)));
    }
    let named = aggregates.iter().enumerate().map(|(i, sql)| format!("{sql} AS m{i}")).collect::<Vec<_>>();
    let filter = condition.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
    let (database, name) = (quoted(&table.name.database), quoted(&table.name.table));
    format!("SELECT {} FROM {database}.{name}{filter}", named.join(", "))
}

fn read_column(column: &Column, rows: u64, values: &[(Measure, &Value)], top_values: usize) -> ColumnProfile {
    let value = |measure| values.iter().find(|(m, _)| *m == measure).map(|(_, value)| *value);
    let number = |measure| value(measure).map(count);
    let share = |part: u64| if rows == 0 { 0.0 } else { round(part as f64 * 100.0 / rows as f64) };
    let present = number(Measure::Present).unwrap_or(0);
    let personal = looks_personal(&column.name);
    let frequent = value(Measure::Frequent).and_then(|list| top(list, &column.data_type));
    // The sketch of a column of few values may miss by one; their list does not.
    let exact = frequent.as_ref().map(|list| list.len() as u64);
    let shown = |measure| value(measure).filter(|_| !personal).and_then(to_json);
    ColumnProfile {
        data_type: column.data_type.to_string(),
        null_pct: share(rows.saturating_sub(present)),
        nan_pct: number(Measure::Nan).map(share),
        min: shown(Measure::Min),
        max: shown(Measure::Max),
        mean: value(Measure::Mean).and_then(double).map(|mean| significant(mean, 12)),
        p95: value(Measure::P95).and_then(double).map(|p95| significant(p95, 6)),
        distinct_count: exact.or(number(Measure::Distinct)),
        distinct_exact: exact.is_some(),
        blank_pct: number(Measure::Blank).map(share),
        length: number(Measure::Shortest).zip(number(Measure::Longest)).filter(|_| present > 0),
        top_values: frequent.filter(|list| list.len() <= top_values && !personal).unwrap_or_default(),
    }
}

fn top(list: &Value, data_type: &DataType) -> Option<Vec<TopValue>> {
    let Value::Array(entries) = list else { return None };
    let entry = |entry: &Value| match entry {
        Value::Struct(fields) => match fields.as_slice() {
            [(_, Value::String(text)), (_, counted)] => {
                Some(TopValue { value: from_text(text, data_type), count: count(counted) })
            }
            _ => None,
        },
        _ => None,
    };
    entries.iter().map(entry).collect()
}

fn from_text(text: &str, data_type: &DataType) -> Json {
    let number = match data_type {
        DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt => {
            text.parse::<i64>().ok().map(Json::from)
        }
        DataType::Float | DataType::Double | DataType::Decimal { .. } => text.parse::<f64>().ok().and_then(finite),
        DataType::Boolean => text.parse::<bool>().ok().map(Json::from),
        _ => None,
    };
    number.unwrap_or_else(|| Json::from(text))
}

fn to_json(value: &Value) -> Option<Json> {
    match value {
        Value::Int(v) => Some(Json::from(*v)),
        Value::Date(_) | Value::Timestamp(_) => time_text(value).map(Json::from),
        other => double(other).and_then(finite),
    }
}

fn time_text(value: &Value) -> Option<String> {
    match value {
        Value::Date(days) => {
            let date = chrono::NaiveDate::from_epoch_days(*days)?;
            Some(date.format("%Y-%m-%d").to_string())
        }
        Value::Timestamp(micros) => {
            let instant = chrono::DateTime::from_timestamp_micros(*micros)?;
            Some(instant.naive_utc().format("%Y-%m-%d %H:%M:%S%.f").to_string())
        }
        _ => None,
    }
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Int(v) => Some(*v as f64),
        Value::Double(v) => Some(*v),
        Value::Decimal(unscaled, scale) => Some(*unscaled as f64 / 10f64.powi(i32::from(*scale))),
        _ => None,
    }
}

fn finite(number: f64) -> Option<Json> {
    Number::from_f64(number).map(Json::Number)
}

fn count(value: &Value) -> u64 {
    match value {
        Value::Int(v) => u64::try_from(*v).unwrap_or(0),
        _ => 0,
    }
}

/// Shares are kept to six digits, so that two equal tables have equal profiles whatever the order of the sums.
fn round(share: f64) -> f64 {
    (share * 1e6).round() / 1e6
}

/// A number to so many digits: the last ones of a mean depend on the order of the sum, and a sketch has few right ones.
fn significant(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}

fn is_number(ty: &DataType) -> bool {
    use DataType::{BigInt, Decimal, Double, Float, Int, SmallInt, TinyInt};
    matches!(ty, TinyInt | SmallInt | Int | BigInt | Float | Double | Decimal { .. })
}

fn is_text(ty: &DataType) -> bool {
    matches!(ty, DataType::String | DataType::Char(_) | DataType::Varchar(_))
}

/// Whether a column's values may tell who somebody is; such values are never stored.
pub(crate) fn looks_personal(column: &str) -> bool {
    const WORDS: [&str; 16] = [
        "email",
        "phone",
        "mobile",
        "ssn",
        "passport",
        "address",
        "street",
        "surname",
        "firstname",
        "lastname",
        "birth",
        "birthday",
        "dob",
        "iban",
        "fullname",
        "password",
    ];
    const PAIRS: [[&str; 2]; 5] =
        [["first", "name"], ["last", "name"], ["full", "name"], ["customer", "name"], ["birth", "date"]];
    let parts: Vec<&str> = column.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    parts.iter().any(|part| WORDS.contains(part))
        || parts.windows(2).any(|pair| PAIRS.iter().any(|known| known == pair))
}

/// The range as a predicate; its bounds are cast to the column's type.
fn condition(table: &Table, range: &DateRange) -> Result<String> {
    let column = table.schema.column(&range.column).ok_or_else(|| {
        let known: Vec<_> = table.schema.columns.iter().map(|column| column.name.as_str()).collect();
        let next = format!("use one of its columns: {}", known.join(", "));
        Error::input(&table.name, format!("has no column {}", range.column), next)
    })?;
    let ty = match &column.data_type {
        DataType::Date => "DATE".to_owned(),
        DataType::Timestamp => "TIMESTAMP".to_owned(),
        ty if is_number(ty) => "BIGINT".to_owned(),
        _ => "VARCHAR".to_owned(),
    };
    let bound = |op: &str, value: &Option<String>| {
        let value = value.as_ref()?;
        Some(format!("{} {op} CAST('{}' AS {ty})", quoted(&column.name), value.replace('\'', "''")))
    };
    let bounds: Vec<_> = [bound(">=", &range.from), bound("<=", &range.to)].into_iter().flatten().collect();
    Ok(if bounds.is_empty() { "true".to_owned() } else { bounds.join(" AND ") })
}

/// Whether a file may hold rows of the range: by its partition value where the range is over a partition key.
fn in_range(table: &Table, file: &DataFile, range: &DateRange) -> bool {
    let mut keys = table.schema.columns.iter().filter(|column| column.partition_key);
    let Some(index) = keys.position(|column| column.name.eq_ignore_ascii_case(&range.column)) else { return true };
    let Some(Some(value)) = file.partition.get(index) else { return false };
    let at_most = |a: &str, b: &str| match (a.parse::<i64>(), b.parse::<i64>()) {
        (Ok(a), Ok(b)) => a <= b,
        _ => a <= b,
    };
    range.from.as_ref().is_none_or(|from| at_most(from, value)) && range.to.as_ref().is_none_or(|to| at_most(value, to))
}

/// The newest value of the first partition key that is a date.
fn newest_date(table: &Table, files: &[&DataFile]) -> Option<String> {
    let mut keys = table.schema.columns.iter().filter(|column| column.partition_key);
    let index = keys.position(|column| column.data_type == DataType::Date)?;
    files.iter().filter_map(|file| file.partition.get(index).cloned().flatten()).max()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::local::{LocalLake, LocalLakeOptions};

    fn lake(files: &[(&str, &str)]) -> (tempfile::TempDir, LocalLake) {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join("lake").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let lake = LocalLake::open(LocalLakeOptions::new(folder.path().join("lake"), folder.path().join("store")));
        (folder, lake.unwrap())
    }

    async fn payments(range: Option<DateRange>) -> Profiled {
        let day1 = "id,amount,status,email\n1,10.5,OK,a@x.de\n2,NaN,OK,b@x.de\n3,-2,\" \",c@x.de\n";
        let day2 = "id,amount,status,email\n4,7,FAILED,d@x.de\n5,,OK,e@x.de\n";
        let (_folder, lake) = lake(&[("db/p/day=2024-01-01/a.csv", day1), ("db/p/day=2024-01-02/b.csv", day2)]);
        let options = ProfileOptions { range, ..ProfileOptions::default() };
        profile(&lake, &TableName::new("db", "p"), &options).await.unwrap()
    }

    #[tokio::test]
    async fn one_scan_tells_shares_bounds_and_frequent_values() {
        let Profiled { profile, cost } = payments(None).await;
        assert_eq!((profile.row_count, profile.file_count, profile.date.as_str()), (5, 2, "2024-01-02"));
        let amount = &profile.column_stats["amount"];
        assert_eq!((amount.null_pct, amount.nan_pct), (20.0, Some(20.0)));
        assert_eq!((amount.min.clone(), amount.max.clone()), (Some(Json::from(-2.0)), Some(Json::from(10.5))));
        assert!((amount.mean.unwrap() - 15.5 / 3.0).abs() < 1e-9);
        let status = &profile.column_stats["status"];
        assert_eq!((status.distinct_count, status.distinct_exact, status.blank_pct), (Some(3), true, Some(20.0)));
        let top = |value: &str, count| TopValue { value: Json::from(value), count };
        assert_eq!(status.top_values, [top("OK", 3), top(" ", 1), top("FAILED", 1)]);
        assert_eq!(status.length, Some((1, 6)));
        assert_eq!(profile.column_stats["day"].min, Some(Json::from("2024-01-01")));
        assert!(cost.bytes_scanned > 0);
    }

    #[tokio::test]
    async fn personal_values_are_counted_and_not_kept() {
        let Profiled { profile, .. } = payments(None).await;
        let email = &profile.column_stats["email"];
        assert_eq!((email.distinct_count, email.top_values.len()), (Some(5), 0));
    }

    #[tokio::test]
    async fn a_range_of_days_reads_only_their_files() {
        let day = |day: &str| Some(day.to_owned());
        let range = DateRange { column: "day".into(), from: None, to: day("2024-01-01") };
        let Profiled { profile, .. } = payments(Some(range)).await;
        assert_eq!((profile.row_count, profile.file_count, profile.date.as_str()), (3, 1, "2024-01-01"));
        let later = DateRange { column: "day".into(), from: day("2024-01-02"), to: None };
        assert_eq!(payments(Some(later)).await.profile.row_count, 2);
    }

    #[tokio::test]
    async fn a_column_of_many_values_has_a_sketch_and_no_list() {
        let rows: String = (0..5_000).map(|i| format!("{i},{}\n", i % 1_000)).collect();
        let (_folder, lake) = lake(&[("t.csv", &format!("many,few\n{rows}"))]);
        let options = ProfileOptions::default();
        let profile = profile(&lake, &TableName::new("default", "t"), &options).await.unwrap().profile;
        let (many, few) = (&profile.column_stats["many"], &profile.column_stats["few"]);
        let distinct = many.distinct_count.unwrap();
        assert!(!many.distinct_exact && (4_800..5_200).contains(&distinct), "{distinct}");
        assert_eq!((few.distinct_count, few.distinct_exact, few.top_values.len()), (Some(1_000), true, 0));
    }

    #[tokio::test]
    async fn an_empty_table_has_a_profile_without_statistics() {
        let (_folder, lake) = lake(&[("t.csv", "a,b\n")]);
        let profile =
            profile(&lake, &TableName::new("default", "t"), &ProfileOptions::default()).await.unwrap().profile;
        assert_eq!(profile.row_count, 0);
        assert_eq!(profile.column_stats["a"].null_pct, 0.0);
    }
}
