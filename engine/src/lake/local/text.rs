//! CSV and JSON-lines files as rows of raw text, gzip or not.
//!
//! This reader keeps what a typed one loses: the line that a row starts on, the text as it stands in the file, and rows
//! that are no rows (ragged, not UTF-8, not JSON), each with its reason. Table scans and the pre-load share it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde_json::Value as Json;

use crate::lake::Format;
use crate::{Error, Result};

/// The separators that a header line is searched for, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];
/// The longest line that is taken for a JSON object, in bytes: a file without line ends must not fill the memory.
const MAX_LINE: u64 = 64 << 20;
/// Most keys that [`Keys::others`] lists.
const MAX_OTHERS: usize = 100;

/// A batch of rows, column by column.
#[derive(Debug, Default)]
pub(crate) struct RawBatch {
    /// For each asked column the raw text of each row; `None` where the file has none, or an empty field.
    pub(crate) columns: Vec<Vec<Option<String>>>,
    /// The line, counted from 1, on which each row starts.
    pub(crate) lines: Vec<u64>,
    /// Rows of this batch that are no rows of the file's columns, with the reason; their cells are what could be read.
    pub(crate) broken: Vec<Broken>,
}

/// A row that is not one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Its index in the batch.
    pub(crate) row: usize,
    /// What is wrong, for people.
    pub(crate) reason: String,
    /// The record as it stands in the file, as far as it is text.
    pub(crate) raw: String,
}

/// Reads one file.
pub(crate) struct RawReader {
    records: Records,
    picks: Vec<Pick>,
    finished: bool,
}

/// How the asked column is found in a record.
enum Pick {
    Field(usize),
    Key(String),
    Absent,
}

enum Records {
    Csv { reader: Box<csv::Reader<Box<dyn Read + Send>>>, width: usize, first: Option<csv::ByteRecord> },
    Json { lines: JsonLines, keys: Keys },
}

/// The lines of a file, each bounded.
struct JsonLines {
    reader: BufReader<Box<dyn Read + Send>>,
    line: u64,
    buffer: Vec<u8>,
}

/// Which keys occurred in the objects of a file.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// For each asked column, whether an object had its key.
    pub(crate) found: Vec<bool>,
    /// Keys that were not asked for, the first so many.
    pub(crate) others: BTreeSet<String>,
}

/// The columns of a text file: a CSV file's header, or the keys of its first `sample` JSON objects in order.
pub(crate) fn columns(path: &Path, format: Format, sample: usize) -> Result<Vec<String>> {
    match format {
        Format::Json => {
            let mut lines = BufReader::new(open(path)?);
            let (mut names, mut buffer) = (indexmap::IndexSet::new(), Vec::new());
            for _ in 0..sample {
                buffer.clear();
                if lines.read_until(b'\n', &mut buffer).map_err(|error| unreadable(path, &error))? == 0 {
                    break;
                }
                if let Ok(Json::Object(object)) = serde_json::from_slice(&buffer) {
                    names.extend(object.into_iter().map(|(key, _)| key));
                }
            }
            Ok(names.into_iter().collect())
        }
        Format::Csv | Format::Parquet => {
            let mut reader = csv_reader(path)?;
            let header = reader.byte_headers().map_err(|error| unreadable(path, &error))?;
            let text = |field: &[u8]| String::from_utf8(field.to_vec()).map(|name| name.trim().to_owned());
            header.iter().map(text).collect::<std::result::Result<_, _>>().map_err(|_| {
                Error::input(
                    path.display(),
                    "its header is not UTF-8",
                    "convert the file, for example with `iconv -f ISO-8859-1 -t UTF-8`",
                )
            })
        }
    }
}

impl RawReader {
    /// Opens a file and looks for these columns, named as in the file; one that it does not have is NULL throughout.
    pub(crate) fn open(path: &Path, format: Format, columns: &[String]) -> Result<Self> {
        let (records, picks) = match format {
            Format::Json => {
                let lines = JsonLines { reader: BufReader::new(open(path)?), line: 0, buffer: Vec::new() };
                let keys = Keys { found: vec![false; columns.len()], others: BTreeSet::new() };
                (Records::Json { lines, keys }, columns.iter().cloned().map(Pick::Key).collect())
            }
            Format::Csv | Format::Parquet => {
                let mut reader = csv_reader(path)?;
                let header = reader.byte_headers().map_err(|error| unreadable(path, &error))?;
                let find = |name: &String| header.iter().position(|field| field.trim_ascii() == name.as_bytes());
                let picks = columns.iter().map(|name| find(name).map_or(Pick::Absent, Pick::Field)).collect();
                let width = header.len();
                (Records::Csv { reader: Box::new(reader), width, first: None }, picks)
            }
        };
        Ok(Self { records, picks, finished: false })
    }

    /// Opens a CSV file without a header whose fields are `order`.
    pub(crate) fn open_headless(path: &Path, order: &[String], columns: &[String]) -> Result<Self> {
        let mut reader = csv_reader(path)?;
        let first = reader.byte_headers().map_err(|error| unreadable(path, &error))?.clone();
        let find = |name: &String| order.iter().position(|field| field == name).map_or(Pick::Absent, Pick::Field);
        let picks = columns.iter().map(find).collect();
        let records = Records::Csv { reader: Box::new(reader), width: order.len(), first: Some(first) };
        Ok(Self { records, picks, finished: false })
    }

    /// The next rows, at most `limit`; `None` at the end. An error means that the file cannot be read any further.
    pub(crate) fn next_batch(&mut self, limit: usize) -> std::result::Result<Option<RawBatch>, String> {
        let mut batch = RawBatch { columns: vec![Vec::with_capacity(limit); self.picks.len()], ..RawBatch::default() };
        while !self.finished && batch.lines.len() < limit {
            self.finished = !match &mut self.records {
                Records::Csv { reader, width, first } => csv_row(reader, *width, first, &self.picks, &mut batch)?,
                Records::Json { lines, keys } => json_row(lines, keys, &self.picks, &mut batch)?,
            };
        }
        Ok((!batch.lines.is_empty()).then_some(batch))
    }

    /// The keys that the objects read so far had; `None` for a format whose columns the header tells.
    pub(crate) fn keys(&self) -> Option<&Keys> {
        match &self.records {
            Records::Json { keys, .. } => Some(keys),
            Records::Csv { .. } => None,
        }
    }
}

/// A file's bytes, decompressed where it starts as gzip does.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    let file = File::open(path).map_err(|error| Error::io(path, &error))?;
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    let gzip = reader.fill_buf().map_err(|error| Error::io(path, &error))?.starts_with(&[0x1f, 0x8b]);
    Ok(if gzip { Box::new(MultiGzDecoder::new(reader)) } else { Box::new(reader) })
}

fn csv_reader(path: &Path) -> Result<csv::Reader<Box<dyn Read + Send>>> {
    let mut head = Vec::new();
    let first_line = BufReader::new(open(path)?).take(64 * 1024).read_until(b'\n', &mut head);
    first_line.map_err(|error| unreadable(path, &error))?;
    let count = |delimiter: &u8| head.iter().filter(|byte| *byte == delimiter).count();
    // `max_by_key` takes the last of equals, so the likeliest separator goes last.
    let delimiter = DELIMITERS.iter().rev().max_by_key(|delimiter| count(delimiter)).copied().unwrap_or(b',');
    Ok(csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(open(path)?))
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::input(path.display(), format!("cannot be read: {error}"), "restore the file or move it out of the lake")
}

fn csv_row(
    reader: &mut csv::Reader<Box<dyn Read + Send>>,
    width: usize,
    first: &mut Option<csv::ByteRecord>,
    picks: &[Pick],
    batch: &mut RawBatch,
) -> std::result::Result<bool, String> {
    let mut record = csv::ByteRecord::new();
    match first.take() {
        Some(first) => record = first,
        None => {
            if !reader.read_byte_record(&mut record).map_err(|error| error.to_string())? {
                return Ok(false);
            }
        }
    }
    let row = batch.lines.len();
    batch.lines.push(record.position().map_or(1, csv::Position::line));
    let mut reason =
        (record.len() != width).then(|| format!("has {} fields where the header has {width}", record.len()));
    for (pick, column) in picks.iter().zip(&mut batch.columns) {
        let field = match pick {
            Pick::Field(index) => record.get(*index).filter(|field| !field.is_empty()),
            _ => None,
        };
        column.push(field.map(|field| match std::str::from_utf8(field) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                reason.get_or_insert_with(|| "is not UTF-8".to_owned());
                String::from_utf8_lossy(field).into_owned()
            }
        }));
    }
    if let Some(reason) = reason {
        let fields: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
        batch.broken.push(Broken { row, reason, raw: fields.join(",") });
    }
    Ok(true)
}

impl JsonLines {
    /// Moves to the next line that is not blank; false at the end.
    fn advance(&mut self) -> std::result::Result<bool, String> {
        loop {
            self.buffer.clear();
            let mut bounded = (&mut self.reader).take(MAX_LINE);
            if bounded.read_until(b'\n', &mut self.buffer).map_err(|error| error.to_string())? == 0 {
                return Ok(false);
            }
            self.line += 1;
            if self.buffer.len() as u64 == MAX_LINE && self.buffer.last() != Some(&b'\n') {
                return Err(format!("line {} has more than {} MiB", self.line, MAX_LINE >> 20));
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }
}

/// Reads an object. Keys match exactly, or else without regard to case.
fn json_row(
    lines: &mut JsonLines,
    keys: &mut Keys,
    picks: &[Pick],
    batch: &mut RawBatch,
) -> std::result::Result<bool, String> {
    if !lines.advance()? {
        return Ok(false);
    }
    let row = batch.lines.len();
    batch.lines.push(lines.line);
    // Some programs begin a file with a byte order mark.
    let text = lines.buffer.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&lines.buffer);
    let mut object = match serde_json::from_slice(text) {
        Ok(Json::Object(object)) => object,
        other => {
            let reason = match other {
                _ if text.trim_ascii_start().starts_with(b"[") || text.trim_ascii() == b"{" => {
                    "is part of a larger JSON document, and tables hold one object a line, which `jq -c '.[]'` makes \
                     of an array and `jq -c .` of objects"
                        .to_owned()
                }
                Ok(_) => "is not a JSON object".to_owned(),
                Err(error) => format!("is not JSON: {error}"),
            };
            let raw = String::from_utf8_lossy(lines.buffer.trim_ascii()).into_owned();
            batch.broken.push(Broken { row, reason, raw });
            serde_json::Map::new()
        }
    };
    for ((pick, column), found) in picks.iter().zip(&mut batch.columns).zip(&mut keys.found) {
        let cell = match pick {
            Pick::Key(key) => object.shift_remove(key).or_else(|| remove_folded(&mut object, key)),
            _ => None,
        };
        *found |= cell.is_some();
        column.push(match cell {
            None | Some(Json::Null) => None,
            Some(Json::String(text)) => Some(text),
            Some(other) => Some(other.to_string()),
        });
    }
    let room = MAX_OTHERS.saturating_sub(keys.others.len());
    keys.others.extend(object.into_iter().take(room).map(|(key, _)| key));
    Ok(true)
}

fn remove_folded(object: &mut serde_json::Map<String, Json>, key: &str) -> Option<Json> {
    let own = object.keys().find(|own| own.eq_ignore_ascii_case(key))?.clone();
    object.shift_remove(&own)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(name: &str, content: &[u8], format: Format) -> (Vec<String>, RawBatch) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let names = columns(&path, format, 100).unwrap();
        let batch = RawReader::open(&path, format, &names).unwrap().next_batch(100).unwrap().unwrap();
        (names, batch)
    }

    #[test]
    fn csv_keeps_lines_quotes_and_ragged_rows() {
        let (names, batch) = read("a.csv", b"\xEF\xBB\xBFid;note\n1;\"a\nb\"\n2\n3;x;y\n", Format::Csv);
        assert_eq!(names, ["id", "note"]);
        assert_eq!(batch.lines, [2, 4, 5]);
        assert_eq!(batch.columns[1], [Some("a\nb".into()), None, Some("x".into())]);
        let reasons: Vec<_> = batch.broken.iter().map(|b| (b.row, b.reason.as_str())).collect();
        assert_eq!(reasons, [(1, "has 1 fields where the header has 2"), (2, "has 3 fields where the header has 2")]);
    }

    #[test]
    fn gzip_json_lines_keep_numbers_and_nested_values_as_text() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"{\"a\":1.5,\"b\":{\"c\":[1]}}\n\nnope\n{\"a\":null,\"d\":true}\n").unwrap();
        let (names, batch) = read("a.json.gz", &gzip.finish().unwrap(), Format::Json);
        assert_eq!(names, ["a", "b", "d"]);
        assert_eq!(batch.lines, [1, 3, 4]);
        assert_eq!(batch.columns[0], [Some("1.5".into()), None, None]);
        assert_eq!(batch.columns[1][0], Some("{\"c\":[1]}".into()));
        assert_eq!(batch.broken[0].row, 1);
        assert_eq!(batch.broken[0].raw, "nope");
    }
}
