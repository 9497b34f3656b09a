//! The result of an analysis, and how it is put together.

use std::cell::Cell;
use std::sync::Arc;

use crate::ordered::{IndexMap, IndexSet};
use contract::document::{JobSummary, JoinKey};

use crate::annotations;
use crate::checks;
use crate::facts::{self, Derived, Diagnostic, FilterFact, Input, JoinFact, JoinKind, Mode, Output};
use crate::hints;
use crate::ide;
use crate::interpret::{Interpreter, Mention};
use crate::plan::Plan;
use crate::range::TextRange;
use crate::sql::SqlText;
use crate::suppression;
use crate::syntax::{self, Tree};
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
    /// SQL texts in it, by the places of their strings.
    pub sql: IndexMap<TextRange, SqlText>,
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
    on_deep_stack(|| analyze_tree(text, &syntax::parse(text, None), world)).and_then(Result::ok).unwrap_or_default()
}

/// The same for tests and measurements: should the analysis panic, which is a defect, the caller panics too instead of
/// being told that nothing is known.
#[doc(hidden)]
pub fn analyze_uncaught(text: &str, world: &dyn World) -> Analysis {
    on_deep_stack(|| analyze_tree(text, &syntax::parse(text, None), world))
        .map(|analysis| analysis.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        .unwrap_or_default()
}

/// A script that was parsed, to be analyzed more than once or to be changed: after an edit only what changed is parsed
/// again. Whatever the edits, the analysis is that of the text as it then is. Clones share everything.
#[derive(Clone, Debug)]
pub struct Parsed {
    text: Arc<str>,
    tree: Arc<Tree>,
}

impl Parsed {
    /// A script as it is opened.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self::parse(text.into(), None)
    }

    /// The script after edits that made this of its text.
    pub fn with_text(&self, text: impl Into<Arc<str>>) -> Self {
        Self::parse(text.into(), Some(self))
    }

    fn parse(text: Arc<str>, before: Option<&Self>) -> Self {
        let before = before.map(|before| (before.tree.as_ref(), before.text.as_ref()));
        let tree = on_deep_stack(|| syntax::parse(&text, before)).and_then(Result::ok).unwrap_or_default();
        Self { text, tree: Arc::new(tree) }
    }

    /// The text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// What the script means; see [`analyze`].
    pub fn analyze(&self, world: &dyn World) -> Analysis {
        on_deep_stack(|| analyze_tree(&self.text, &self.tree, world)).and_then(Result::ok).unwrap_or_default()
    }

    /// Its statements.
    pub(crate) fn script(&self) -> syntax::ast::Block {
        self.tree.script()
    }
}

/// The tree is a function of the text.
impl PartialEq for Parsed {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

thread_local! {
    static IS_DEEP: Cell<bool> = const { Cell::new(false) };
}

/// Does work on a thread whose stack is large enough for parsing and analyses: several of them on one thread where they
/// belong together. `None` where the machine grants no such thread; an error is the work's panic.
pub fn on_deep_stack<R: Send>(work: impl FnOnce() -> R + Send) -> Option<std::thread::Result<R>> {
    if IS_DEEP.get() {
        return Some(Ok(work()));
    }
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("analyze".to_owned()).stack_size(STACK);
        let work = builder.spawn_scoped(scope, || {
            IS_DEEP.set(true);
            work()
        });
        Some(work.ok()?.join())
    })
}

fn analyze_tree(text: &str, tree: &Tree, world: &dyn World) -> Analysis {
    let (script, has_syntax_errors) = (tree.script(), tree.has_errors());
    let mut interpreter = Interpreter::new(Recorder::new(world), text);
    interpreter.run(&script);
    let Interpreter { world, plan, mut diagnostics, mut mentions, calls, sql, arguments, .. } = interpreter;
    mentions.retain(|range, mention| is_named(text, *range, mention));
    let arguments = arguments.into_iter().collect();
    let inputs = facts::inputs(&plan);
    let derived = Derived::new(&plan);
    let mut outputs = facts::outputs(&derived);
    let joins = facts::joins(&derived);
    let filters = facts::filters_of_outputs(&outputs);
    facts::check(&derived, &outputs, &mut diagnostics);
    annotations::check(text, &script, &mut diagnostics);
    hints::check(text, &plan, &mentions, &mut diagnostics);
    for output in &mut outputs {
        check_contract(&world, &derived, output, &mut diagnostics);
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
        sql,
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
fn check_contract(world: &Recorder, plan: &Derived, output: &mut Output, diagnostics: &mut IndexSet<Diagnostic>) {
    let Some(name) = ide::table_name(&output.dataset) else { return };
    world.surroundings(&name);
    let Some(contract) = world.contract(&name) else { return };
    output.checks = checks::check(plan, output, &contract);
    diagnostics.extend(checks::diagnostics(&output.checks, output.dataset.short_name()));
}

impl Analysis {
    /// What the job does, in the shape of the specification's `job_summary`: the first output with its grain, and the
    /// inputs, joins and certain filters of the script. Catalog tables stand by their table name; a filter on a rank
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
        let filters: IndexSet<(TextRange, &str)> = self
            .outputs
            .iter()
            .flat_map(Output::certain_filters)
            .filter(|filter| !filter.ranks)
            .map(|filter| (filter.range, filter.predicate.as_str()))
            .collect();
        let filters = filters.into_iter().map(|(_, predicate)| predicate.to_owned()).collect();
        JobSummary {
            job_name: job_name.to_owned(),
            inputs: self.inputs.iter().map(|input| input.dataset.short_name().to_owned()).collect(),
            output: output.map(|output| output.dataset.short_name().to_owned()),
            join_keys,
            filters,
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

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "the scripts are files, and a test may read them")]

    use super::*;
    use crate::ide::fixture::Lending;

    /// What a script means does not depend on how it is cut into sections.
    fn check(script: &str) {
        let whole = on_deep_stack(|| analyze_tree(script, &syntax::parse_whole(script), &Lending));
        let whole = whole.unwrap().unwrap();
        let sections = analyze(script, &Lending);
        // Python that is none is cut where the next statement begins, which the parser alone does not see.
        if !whole.has_syntax_errors {
            assert!(whole == sections, "{script}\n{:#?}\n{:#?}", whole.diagnostics, sections.diagnostics);
        }
    }

    #[test]
    fn sections_mean_what_the_whole_means() {
        let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let files = |folder: &str, extension: &str| -> Vec<String> {
            let entries = std::fs::read_dir(repository.join(folder)).unwrap().map(|entry| entry.unwrap().path());
            let wanted = entries.filter(|path| path.extension().is_some_and(|found| found == extension));
            wanted.map(|path| std::fs::read_to_string(path).unwrap()).collect()
        };
        let pages = files("tests/spec", "md");
        let blocks = pages.iter().flat_map(|page| page.split("```python\n").skip(1));
        let mut scripts: Vec<String> =
            blocks.filter_map(|block| block.split("```").next()).map(str::to_owned).collect();
        scripts.extend(files("fixtures/loans/jobs", "py"));
        assert!(scripts.len() > 100, "{} scripts", scripts.len());
        for script in &scripts {
            check(script);
            // Long blocks are sections in turn.
            let filler = format!("    note = '{}'\n", "x".repeat(1_200));
            let body: String = script.lines().map(|line| format!("    {line}\n")).collect();
            for header in ["def main():\n", "try:\n", "if flag:\n", "with lock:\n", "for day in days:\n"] {
                let end = match header {
                    "try:\n" => "except Exception as error:\n    raise\nfinally:\n    print('done')\n",
                    "if flag:\n" => "elif other:\n    pass\nelse:\n    x = 1\n",
                    _ => "main()\n",
                };
                check(&format!("{header}{filler}{body}{end}"));
            }
        }
    }
}
