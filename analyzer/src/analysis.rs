//! The result of an analysis, and how it is put together.

use contract::document::{JobSummary, JoinKey};
use indexmap::{IndexMap, IndexSet};
use tree_sitter::{InputEdit, Point, Tree};

use crate::annotations;
use crate::checks;
use crate::facts::{self, Diagnostic, FilterFact, Input, JoinFact, JoinKind, Mode, Output};
use crate::hints;
use crate::ide;
use crate::interpret::{Interpreter, Mention};
use crate::plan::Plan;
use crate::range::TextRange;
use crate::suppression;
use crate::syntax;
use crate::world::{Answers, Question, Recorder, World};

/// What a script means.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analysis {
    /// Datasets that it reads, each once, in order of first read.
    pub inputs: Vec<Input>,
    /// Writes, in order of execution.
    pub outputs: Vec<Output>,
    /// Joins that reach an output, in order of execution.
    pub joins: Vec<JoinFact>,
    /// Filters that restrict an output, each once, in order of execution.
    pub filters: Vec<FilterFact>,
    /// What is certainly wrong, in order of place.
    pub diagnostics: Vec<Diagnostic>,
    /// The relational plan that all of this was derived from.
    pub plan: Plan,
    /// Places of the script that stand for frames and datasets.
    pub mentions: IndexMap<TextRange, Mention>,
    /// Calls whose keywords are known, with these.
    pub calls: IndexMap<TextRange, &'static [&'static str]>,
    /// Names of the job arguments that the script declares or reads, in order of execution.
    pub arguments: Vec<String>,
    /// What the world was asked, misses too: a changed answer to one of these makes the analysis stale.
    pub questions: Vec<Question>,
    /// What the world answered.
    pub answers: Answers,
    /// Whether the script is not entirely Python; facts are then those of the rest.
    pub has_syntax_errors: bool,
}

/// Stack of the thread that an analysis runs on, in bytes: enough for the bounded recursion of parser and interpreter in
/// a debug build. The memory is reserved, not used.
const STACK: usize = 256 << 20;

/// Analyzes a script. Never fails: what cannot be known is unknown.
///
/// Long method chains nest deeply, so the work is done on a thread with a stack of its own; a caller whose machine
/// grants no further thread gets an analysis that knows nothing.
pub fn analyze(text: &str, world: &dyn World) -> Analysis {
    on_deep_stack(|| analyze_text(text, world)).unwrap_or_default()
}

/// The same for tests and measurements: should the analysis panic, which is a defect, the caller panics too instead of
/// being told that nothing is known.
#[doc(hidden)]
pub fn analyze_uncaught(text: &str, world: &dyn World) -> Analysis {
    on_deep_stack(|| analyze_text(text, world)).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A script that is being typed: after an edit only what changed is parsed again. Whatever the edits, the analysis is
/// that of the text as it then is.
#[derive(Clone, Debug)]
pub struct Parsed {
    text: String,
    tree: Option<Tree>,
}

impl Parsed {
    /// A script as it is opened.
    pub fn new(text: String) -> Self {
        let tree = syntax::parse(&text, None);
        Self { text, tree }
    }

    /// The text as it is now.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The script after edits: each puts a text in the place of a range of what the edits before it left. `None` where a
    /// range is none of the text.
    pub fn edited<'e>(&self, edits: impl IntoIterator<Item = (TextRange, &'e str)>) -> Option<Self> {
        let mut text = self.text.clone();
        let is_clean = |tree: &Tree| !tree.root_node().has_error();
        // How the parser gets over an error depends on what it reuses, so a text with errors is parsed as a whole.
        let mut before = self.tree.clone().filter(is_clean);
        for (range, replacement) in edits {
            let (start, end) = (range.start as usize, range.end as usize);
            text.get(start..end)?;
            let (start_position, old_end_position) = (point(&text, start), point(&text, end));
            text.replace_range(start..end, replacement);
            let new_end_byte = start + replacement.len();
            if let Some(tree) = &mut before {
                tree.edit(&InputEdit {
                    start_byte: start,
                    old_end_byte: end,
                    new_end_byte,
                    start_position,
                    old_end_position,
                    new_end_position: point(&text, new_end_byte),
                });
            }
        }
        let tree = before
            .and_then(|before| syntax::parse(&text, Some(&before)))
            .filter(is_clean)
            .or_else(|| syntax::parse(&text, None));
        Some(Self { text, tree })
    }

    /// What the script means now; see [`analyze`].
    pub fn analyze(&self, world: &dyn World) -> Analysis {
        on_deep_stack(|| analyze_tree(&self.text, self.tree.as_ref(), world)).unwrap_or_default()
    }
}

/// The line and the byte in it.
fn point(text: &str, offset: usize) -> Point {
    let before = text.as_bytes().get(..offset).unwrap_or_default();
    let line = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    Point { row: before.iter().filter(|byte| **byte == b'\n').count(), column: offset - line }
}

fn on_deep_stack(analyze: impl FnOnce() -> Analysis + Send) -> std::thread::Result<Analysis> {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("analyze".to_owned()).stack_size(STACK);
        match builder.spawn_scoped(scope, analyze) {
            Ok(work) => work.join(),
            Err(_) => Ok(Analysis::default()),
        }
    })
}

fn analyze_text(text: &str, world: &dyn World) -> Analysis {
    analyze_tree(text, syntax::parse(text, None).as_ref(), world)
}

fn analyze_tree(text: &str, tree: Option<&Tree>, world: &dyn World) -> Analysis {
    let (script, has_syntax_errors) = syntax::lower(text, tree);
    let mut interpreter = Interpreter::new(Recorder::new(world), text);
    interpreter.run(&script);
    let Interpreter { world, plan, mut diagnostics, mut mentions, calls, arguments, .. } = interpreter;
    mentions.retain(|range, mention| is_named(text, *range, mention));
    let arguments = arguments.into_iter().collect();
    let inputs = facts::inputs(&plan);
    let mut outputs = facts::outputs(&plan);
    let joins = facts::joins(&plan);
    let filters = facts::filters_of_outputs(&plan);
    facts::check(&plan, &outputs, &mut diagnostics);
    annotations::check(text, &script, &mut diagnostics);
    hints::check(text, &plan, &mentions, &mut diagnostics);
    for output in &mut outputs {
        check_contract(&world, &plan, output, &mut diagnostics);
    }
    let mut diagnostics: Vec<Diagnostic> = diagnostics.into_iter().collect();
    diagnostics.sort_by_key(|diagnostic| (diagnostic.range, diagnostic.code));
    let diagnostics = suppression::unsuppressed(text, diagnostics);
    let (questions, answers) = world.into_parts();
    Analysis {
        inputs,
        outputs,
        joins,
        filters,
        diagnostics,
        plan,
        mentions,
        calls,
        arguments,
        questions,
        answers,
        has_syntax_errors,
    }
}

/// Whether the text at a place is the name that is mentioned there. What comes out of a helper in another file stands
/// for the call of the helper, which is no column's name.
fn is_named(text: &str, range: TextRange, mention: &Mention) -> bool {
    !matches!(mention, Mention::Column { .. }) || !range.slice(text).ends_with(')')
}

/// Holds a write against the contract of its table, where there is one.
fn check_contract(world: &Recorder, plan: &Plan, output: &mut Output, diagnostics: &mut IndexSet<Diagnostic>) {
    let Some(name) = ide::table_name(&output.dataset) else { return };
    world.surroundings(&name);
    let Some(contract) = world.contract(&name) else { return };
    output.checks = checks::check(plan, output, &contract);
    diagnostics.extend(checks::diagnostics(&output.checks, output.dataset.short_name()));
}

impl Analysis {
    /// What the job does, in the shape of the specification's `job_summary`: the first output with its grain, and the
    /// inputs, joins and filters of the script. Catalog tables stand by their table name; a filter on a rank
    /// (`rn = 1`), which the grain tells, is left out.
    pub fn job_summary(&self, job_name: &str) -> JobSummary {
        let short = |name: &String| self.short_name(name);
        // A job that deletes before it writes is there for what it writes.
        let adds = |output: &&Output| !matches!(output.mode, Mode::Delete | Mode::Update);
        let output = self.outputs.iter().find(adds).or(self.outputs.first());
        let join_keys = self
            .joins
            .iter()
            .filter(|join| !matches!(join.how, JoinKind::Cross) && !join.left_columns.is_empty())
            .filter_map(|join| {
                let right_columns =
                    if join.left_columns == join.right_columns { Vec::new() } else { join.right_columns.clone() };
                Some(JoinKey {
                    left_table: short(join.left_inputs.first()?),
                    right_table: short(join.right_inputs.first()?),
                    columns: join.left_columns.clone(),
                    right_columns,
                })
            })
            .collect();
        JobSummary {
            job_name: job_name.to_owned(),
            inputs: self.inputs.iter().map(|input| input.dataset.short_name().to_owned()).collect(),
            output: output.map(|output| output.dataset.short_name().to_owned()),
            join_keys,
            filters: self
                .filters
                .iter()
                .filter(|filter| !filter.ranks)
                .map(|filter| filter.predicate.clone())
                .collect(),
            grain: output.map(|output| output.grain.columns.clone()).unwrap_or_default(),
        }
    }

    fn short_name(&self, name: &String) -> String {
        self.inputs
            .iter()
            .find(|input| input.dataset.name == *name)
            .map_or_else(|| name.clone(), |input| input.dataset.short_name().to_owned())
    }
}
