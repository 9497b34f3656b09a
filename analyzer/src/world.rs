//! What a script's text does not say: schemas, contracts, sibling modules, argument values.

use std::cell::RefCell;
use std::sync::Arc;

use contract::document::Contract;
use contract::schema::{TableName, TableSchema};
use indexmap::IndexSet;

/// Answers the analyzer's questions. Every answer may be `None`: not knowing is never an error.
///
/// Answers must not change during one analysis; [`crate::Analysis::questions`] lists what was asked, misses too, so
/// that a caller knows which change of an answer makes an analysis stale.
pub trait World: Sync {
    /// Columns of a catalog table.
    fn table(&self, name: &TableName) -> Option<TableSchema> {
        let _ = name;
        None
    }

    /// Columns of the files under a path, as the script spells the path (`s3://bucket/prefix/`).
    fn path(&self, path: &str) -> Option<TableSchema> {
        let _ = path;
        None
    }

    /// The contract of a catalog table. Its primary key is an assumption of every grain that rests on it.
    fn contract(&self, name: &TableName) -> Option<Arc<Contract>> {
        let _ = name;
        None
    }

    /// Text of a sibling module of the same project, by its dotted name (`helpers.catalog`; relative imports keep
    /// their dots).
    fn module(&self, dotted: &str) -> Option<String> {
        let _ = dotted;
        None
    }

    /// Value of a job argument in the chosen environment.
    fn argument(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }

    /// Whether the caller no longer wants the answer. The analysis then ends soon, with what it has.
    fn cancelled(&self) -> bool {
        false
    }
}

/// A world that knows nothing: the script's text alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWorld;

impl World for NoWorld {}

/// A question that an analysis asked its world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// [`World::table`].
    Table(TableName),
    /// [`World::path`].
    Path(String),
    /// [`World::contract`].
    Contract(TableName),
    /// [`World::module`].
    Module(String),
    /// [`World::argument`].
    Argument(String),
}

/// A world that remembers what it was asked.
pub(crate) struct Recorder<'w> {
    world: &'w dyn World,
    questions: RefCell<IndexSet<Question>>,
}

impl<'w> Recorder<'w> {
    pub(crate) fn new(world: &'w dyn World) -> Self {
        Self { world, questions: RefCell::default() }
    }

    pub(crate) fn into_questions(self) -> Vec<Question> {
        self.questions.into_inner().into_iter().collect()
    }

    pub(crate) fn table(&self, name: &TableName) -> Option<TableSchema> {
        self.ask(Question::Table(name.clone()));
        self.world.table(name)
    }

    pub(crate) fn path(&self, path: &str) -> Option<TableSchema> {
        self.ask(Question::Path(path.to_owned()));
        self.world.path(path)
    }

    pub(crate) fn contract(&self, name: &TableName) -> Option<Arc<Contract>> {
        self.ask(Question::Contract(name.clone()));
        self.world.contract(name)
    }

    pub(crate) fn module(&self, dotted: &str) -> Option<String> {
        self.ask(Question::Module(dotted.to_owned()));
        self.world.module(dotted)
    }

    pub(crate) fn argument(&self, name: &str) -> Option<String> {
        self.ask(Question::Argument(name.to_owned()));
        self.world.argument(name)
    }

    pub(crate) fn cancelled(&self) -> bool {
        self.world.cancelled()
    }

    fn ask(&self, question: Question) {
        self.questions.borrow_mut().insert(question);
    }
}
