//! What a script's text does not say: schemas, contracts, sibling modules, argument values.

use std::cell::RefCell;
use std::sync::Arc;

use contract::document::{Contract, Profile};
use contract::schema::{TableName, TableSchema};
use indexmap::{IndexMap, IndexSet};

use crate::analysis::Parsed;

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

    /// The newest profile of a catalog table.
    fn profile(&self, name: &TableName) -> Option<Arc<Profile>> {
        let _ = name;
        None
    }

    /// How the tests of a catalog table went the last time.
    fn last_run(&self, name: &TableName) -> Option<Arc<LastRun>> {
        let _ = name;
        None
    }

    /// A sibling module of the same project, by its dotted name (`helpers.catalog`; relative imports keep their dots).
    fn module(&self, dotted: &str) -> Option<Parsed> {
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

/// How the tests of a table went the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastRun {
    /// The date of the data, `YYYY-MM-DD`.
    pub date: String,
    /// How many tests passed.
    pub passed: usize,
    /// Names of the tests that did not.
    pub failed: Vec<String>,
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
    /// [`World::profile`].
    Profile(TableName),
    /// [`World::last_run`].
    LastRun(TableName),
    /// [`World::module`].
    Module(String),
    /// [`World::argument`].
    Argument(String),
}

/// What a world answered during an analysis, as far as features of an editor show it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// Catalog tables.
    pub tables: IndexMap<TableName, TableSchema>,
    /// Contracts of tables that are read or written.
    pub contracts: IndexMap<TableName, Arc<Contract>>,
    /// Profiles of tables that are read or written.
    pub profiles: IndexMap<TableName, Arc<Profile>>,
    /// Test runs of tables that are read or written.
    pub runs: IndexMap<TableName, Arc<LastRun>>,
    /// Job arguments.
    pub arguments: IndexMap<String, String>,
}

/// A world that remembers what it was asked and what it answered.
pub(crate) struct Recorder<'w> {
    world: &'w dyn World,
    questions: RefCell<IndexSet<Question>>,
    answers: RefCell<Answers>,
}

impl<'w> Recorder<'w> {
    pub(crate) fn new(world: &'w dyn World) -> Self {
        Self { world, questions: RefCell::default(), answers: RefCell::default() }
    }

    pub(crate) fn into_parts(self) -> (Vec<Question>, Answers) {
        (self.questions.into_inner().into_iter().collect(), self.answers.into_inner())
    }

    pub(crate) fn table(&self, name: &TableName) -> Option<TableSchema> {
        self.ask(Question::Table(name.clone()));
        let schema = self.world.table(name)?;
        self.answers.borrow_mut().tables.insert(name.clone(), schema.clone());
        Some(schema)
    }

    pub(crate) fn path(&self, path: &str) -> Option<TableSchema> {
        self.ask(Question::Path(path.to_owned()));
        self.world.path(path)
    }

    pub(crate) fn contract(&self, name: &TableName) -> Option<Arc<Contract>> {
        self.ask(Question::Contract(name.clone()));
        let contract = self.world.contract(name)?;
        self.answers.borrow_mut().contracts.insert(name.clone(), Arc::clone(&contract));
        Some(contract)
    }

    /// Asks for what no fact rests on and features of an editor show.
    pub(crate) fn surroundings(&self, name: &TableName) {
        self.ask(Question::Profile(name.clone()));
        if let Some(profile) = self.world.profile(name) {
            self.answers.borrow_mut().profiles.insert(name.clone(), profile);
        }
        self.ask(Question::LastRun(name.clone()));
        if let Some(run) = self.world.last_run(name) {
            self.answers.borrow_mut().runs.insert(name.clone(), run);
        }
    }

    pub(crate) fn module(&self, dotted: &str) -> Option<Parsed> {
        self.ask(Question::Module(dotted.to_owned()));
        self.world.module(dotted)
    }

    pub(crate) fn argument(&self, name: &str) -> Option<String> {
        self.ask(Question::Argument(name.to_owned()));
        let value = self.world.argument(name)?;
        self.answers.borrow_mut().arguments.insert(name.to_owned(), value.clone());
        Some(value)
    }

    pub(crate) fn cancelled(&self) -> bool {
        self.world.cancelled()
    }

    fn ask(&self, question: Question) {
        self.questions.borrow_mut().insert(question);
    }
}
