//! Quarantined rows as JSON lines: the columns as they stand in the file, and why each row is here.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use datafusion::arrow::buffer::BooleanBuffer;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::source::{Source, SourceBatch};
use crate::lake::incoming::{QuarantinedRow, SplitRequest, UNREADABLE_ROW, Violations};
use crate::lake::json_of;
use crate::lake::local::types;
use crate::{Error, Result};

/// Writes quarantined rows and counts them; the file is made with the first of them.
pub(super) struct Quarantine<'a> {
    request: &'a SplitRequest,
    source: &'a Source,
    path: PathBuf,
    file: Option<BufWriter<File>>,
    pub(super) rows: u64,
}

impl<'a> Quarantine<'a> {
    pub(super) fn new(request: &'a SplitRequest, source: &'a Source, path: PathBuf) -> Self {
        Self { request, source, path, file: None, rows: 0 }
    }

    /// Writes the bad rows of a batch and counts which rule is the first reason of each.
    pub(super) fn write(
        &mut self,
        raw: &SourceBatch,
        bad: &BooleanBuffer,
        violations: &[Option<BooleanBuffer>],
        counts: &mut IndexMap<String, Violations>,
    ) -> Result<()> {
        let mut broken = raw.broken.iter().peekable();
        for row in bad.set_indices() {
            let broken = broken.next_if(|broken| broken.row == row);
            let mut reasons: Vec<(&str, &str)> = Vec::new();
            if let Some(broken) = broken {
                reasons.push((UNREADABLE_ROW, &broken.reason));
            }
            for (rule, found) in self.request.rules.iter().zip(violations) {
                if rule.quarantines && found.as_ref().is_some_and(|found| found.value(row)) {
                    reasons.push((&rule.id, &rule.reason));
                }
            }
            let rule_name = reasons.first().map_or("", |(rule, _)| *rule);
            if let Some(violations) = counts.get_mut(rule_name) {
                violations.first += 1;
            }
            let quarantined = QuarantinedRow {
                columns: if broken.is_some() { Map::new() } else { self.cells(raw, row) },
                error_reason: reasons.iter().map(|(rule, why)| format!("{rule}: {why}")).collect::<Vec<_>>().join("; "),
                rule_name: rule_name.to_owned(),
                rule_names: reasons.iter().map(|(rule, _)| (*rule).to_owned()).collect(),
                source_file: self.source.path.display().to_string(),
                source_row: raw.first + row as u64 + 1,
                source_line: raw.lines.get(row).copied(),
                raw: broken.map(|broken| broken.raw.clone()),
            };
            self.line(&quarantined)?;
        }
        Ok(())
    }

    /// Flushes what was written; the path of the file, if there is one.
    pub(super) fn finish(mut self) -> Result<Option<PathBuf>> {
        let Some(file) = self.file.take() else { return Ok(None) };
        let file = file.into_inner().map_err(|error| unwritable(&self.path, error.error()))?;
        file.sync_all().map_err(|error| unwritable(&self.path, &error))?;
        Ok(Some(self.path))
    }

    fn line(&mut self, row: &QuarantinedRow) -> Result<()> {
        if self.file.is_none() {
            let file = File::create(&self.path).map_err(|error| unwritable(&self.path, &error))?;
            self.file = Some(BufWriter::with_capacity(1 << 16, file));
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let written = serde_json::to_writer(&mut *file, row).map_err(std::io::Error::from);
        written.and_then(|()| file.write_all(b"\n")).map_err(|error| unwritable(&self.path, &error))?;
        self.rows += 1;
        Ok(())
    }

    fn cells(&self, raw: &SourceBatch, row: usize) -> Map<String, Json> {
        let names = self.source.schema.fields().iter().map(|field| field.name().clone());
        names.zip(&raw.columns).map(|(name, column)| (name, json_of(&types::value(column, row)))).collect()
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::environment(
        path.display(),
        format!("quarantined rows cannot be written: {error}"),
        "check the folder's permissions and free space; nothing was loaded",
    )
}
