//! What a run is doing, on standard error and only where that is a terminal.

use std::time::Duration;

use contract::schema::TableName;
use engine::stage::{Progress, StageReport};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line that moves while a stage runs.
pub(crate) struct Spinner {
    bar: ProgressBar,
}

impl Spinner {
    /// Nothing to see until a stage begins.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Shows what is being done now.
    pub(crate) fn doing(&self, what: impl Into<String>) {
        self.bar.reset_elapsed();
        self.bar.set_message(what.into());
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }

    /// Leaves the terminal as if nothing had been shown.
    pub(crate) fn done(&self) {
        self.bar.disable_steady_tick();
        self.bar.finish_and_clear();
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.done();
    }
}

impl Progress for Spinner {
    fn started(&self, stage: &'static str, table: Option<&TableName>) {
        self.doing(match table {
            Some(table) => format!("{stage} {table}"),
            None => stage.to_owned(),
        });
    }

    fn finished(&self, _: &StageReport) {
        self.bar.set_message("");
    }
}
