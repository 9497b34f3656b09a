//! The relational plan of a script: frames as nodes, columns as identities, schemas that may be open.
//!
//! A column keeps its [`ColumnId`] through filters, joins and renames, and gets a new one where its values change.
//! A schema is a list of fields and of *rests*: nodes whose further columns, not known by name, flow through. A column
//! that is asked of a rest comes into being there, so that a script without any outside schema still yields the columns
//! that it uses.

mod build;
mod schema;

use crate::ordered::IndexMap;
use contract::expr::{ColumnId, Expr};
use contract::types::DataType;

use crate::condition::Condition;
use crate::facts::{Dataset, JoinKind, Mode};
use crate::range::TextRange;
pub(crate) use build::{SelectItem, null_rejected};
pub use schema::{Field, Lookup, Rest, Schema};

/// A frame of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// All frames, columns and writes of a script.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    nodes: Vec<Node>,
    columns: Vec<ColumnDef>,
    /// Columns asked of nodes that are open, by lower-case name.
    discovered: IndexMap<NodeId, IndexMap<String, ColumnId>>,
    /// Writes, in order of execution.
    pub sinks: Vec<Sink>,
    /// Numbers of frames and writes that the script itself makes, where it writes at all; those behind belong to
    /// functions that nothing calls.
    run: Option<(usize, usize)>,
    /// What the script does beside reading and writing.
    pub traits: Traits,
    /// Scans of tables that are only written to so far, such as the target of a merge.
    pub(crate) targets: Vec<NodeId>,
    /// When what is added now happens.
    pub(crate) condition: Option<Condition>,
    /// Columns of frames that were built or searched since the interpreter last asked.
    work: u64,
    /// Columns of all frames.
    size: usize,
}

/// A frame of more columns than this is not followed, as select lists that repeat `*` make them.
const MAX_COLUMNS: usize = 4096;

/// More columns of all frames of a script together than this are not followed.
const MAX_SIZE: usize = 1 << 20;

/// What a script does beside reading and writing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traits {
    /// Whether it commits the job, which moves its bookmarks on.
    pub commits: bool,
    /// Whether it deletes data, or calls something that may, so that a write may come after a removal.
    pub clears: bool,
    /// Whether it reads or writes streams, whose checkpoints keep rows from being read twice.
    pub streams: bool,
}

/// One frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// How it comes about.
    pub kind: NodeKind,
    /// Its columns.
    pub schema: Schema,
    /// The call that makes it.
    pub range: TextRange,
    /// When it is made, where that is not in every run.
    pub condition: Option<Condition>,
}

/// How a frame comes about.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// A dataset is read.
    Scan(Box<Scan>),
    /// Rows given in the script, or made from nothing.
    Values,
    /// Row for row; the columns are the schema's.
    Project {
        /// Whose rows.
        input: NodeId,
    },
    /// Some rows.
    Filter {
        /// Whose rows.
        input: NodeId,
        /// What holds of them.
        predicate: Expr,
    },
    /// Some rows, by count.
    Limit {
        /// Whose rows.
        input: NodeId,
    },
    /// Pairs of rows.
    Join {
        /// Left side.
        left: NodeId,
        /// Right side.
        right: NodeId,
        /// Kind.
        how: JoinKind,
        /// Pairs of columns that are equal, left and right.
        keys: Vec<(ColumnId, ColumnId)>,
        /// The rest of the condition, or all of it where it is no conjunction of equalities.
        residual: Option<Expr>,
    },
    /// One row per group.
    Aggregate {
        /// Whose rows.
        input: NodeId,
        /// The groups; no key gives one row.
        keys: Vec<ColumnId>,
    },
    /// Every row once.
    Distinct {
        /// Whose rows.
        input: NodeId,
        /// Whether it is a `DISTINCT` of SQL: behind that one, Spark finds no column that a select list has left out.
        in_sql: bool,
    },
    /// One row per key.
    DropDuplicates {
        /// Whose rows.
        input: NodeId,
        /// The key.
        keys: Vec<ColumnId>,
    },
    /// Rows of all inputs.
    Union {
        /// The inputs.
        inputs: Vec<NodeId>,
    },
    /// One of the inputs; which one depends on what is not known.
    Choice {
        /// The arms.
        inputs: Vec<NodeId>,
        /// When it is each of them.
        conditions: Vec<Condition>,
    },
    /// Rows multiplied by the elements of a column.
    Explode {
        /// Whose rows.
        input: NodeId,
    },
    /// Rows drawn with replacement.
    Resample {
        /// Whose rows.
        input: NodeId,
    },
    /// The same rows with new column identities, for a frame that is joined with itself.
    Instance {
        /// Whose rows.
        input: NodeId,
    },
    /// Something that is not understood made it from these.
    Opaque {
        /// What it reads.
        inputs: Vec<NodeId>,
        /// Why it is not understood.
        reason: String,
    },
}

/// A dataset that is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// What.
    pub dataset: Dataset,
    /// Pushdown predicate, as written.
    pub pushdown: Option<String>,
    /// Bookmark name.
    pub bookmark: Option<String>,
    /// Primary key that the table's contract promises.
    pub promised_key: Vec<String>,
}

/// A write.
#[derive(Clone, Debug, PartialEq)]
pub struct Sink {
    /// The frame.
    pub input: NodeId,
    /// The target.
    pub dataset: Dataset,
    /// How it treats what is there.
    pub mode: Mode,
    /// Partition columns.
    pub partition_keys: Vec<String>,
    /// Merge keys.
    pub merge_keys: Vec<String>,
    /// Whether an overwrite replaces only the partitions that it writes.
    pub dynamic_overwrite: Option<bool>,
    /// Whether new partitions reach the catalog.
    pub registers_partitions: Option<bool>,
    /// How the frame's columns become the target's.
    pub placing: Placing,
    /// When it happens, where that is not in every run.
    pub condition: Option<Condition>,
    /// The call.
    pub range: TextRange,
}

/// How the columns of a frame become those of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placing {
    /// As they are, with their names and types.
    AsTheyAre,
    /// By name, cast to the types that the table has.
    ByName,
    /// By position, whatever their names, cast to the types that the table has.
    ByPosition,
    /// As a list of columns or assignments says, such as a merge's.
    AsListed,
}

/// A column: its name where it was made, its type and where its values come from.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDef {
    /// Name.
    pub name: String,
    /// Type.
    pub data_type: DataType,
    /// Where its values come from.
    pub origin: Origin,
    /// The call that makes it.
    pub range: TextRange,
}

/// Where a column's values come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// A column of a scan.
    Base(NodeId),
    /// Computed.
    Computed(Expr),
    /// The same values under a new identity.
    Same(ColumnId),
    /// One of several, by row or by run.
    Either(Vec<ColumnId>),
    /// Not known.
    Unknown,
}

impl Plan {
    /// What is added from now on is not part of what the script does, if it has written anything.
    pub(crate) fn end_of_run(&mut self) {
        self.run = (!self.sinks.is_empty()).then_some((self.nodes.len(), self.sinks.len()));
    }

    /// The writes of the script; those in functions that nothing calls only where there are no others.
    pub fn live_sinks(&self) -> &[Sink] {
        let count = self.run.map_or(self.sinks.len(), |(_, sinks)| sinks);
        self.sinks.get(..count).unwrap_or_default()
    }

    /// Whether a frame is one of the script, and not of a function that nothing calls.
    pub fn is_live(&self, id: NodeId) -> bool {
        self.run.is_none_or(|(nodes, _)| (id.0 as usize) < nodes)
    }

    /// How many columns were built or searched since this was last asked.
    pub(crate) fn take_work(&mut self) -> u64 {
        std::mem::take(&mut self.work)
    }

    /// The frame of an id.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    /// The column of an id.
    pub fn column(&self, id: ColumnId) -> Option<&ColumnDef> {
        self.columns.get(id.0 as usize)
    }

    /// Whether a column has the values of another one under a new identity.
    pub fn derives(&self, id: ColumnId, from: ColumnId) -> bool {
        let mut id = id;
        while id != from {
            match self.column(id).map(|column| &column.origin) {
                Some(Origin::Same(source)) => id = *source,
                _ => return false,
            }
        }
        true
    }

    /// The type of a column.
    pub fn column_type(&self, id: ColumnId) -> DataType {
        self.column(id).map(|column| column.data_type.clone()).unwrap_or_default()
    }

    /// All frames with their ids, in order of execution.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().zip(0u32..).map(|(node, id)| (NodeId(id), node))
    }

    /// The frames that a frame is made from.
    pub fn inputs(&self, id: NodeId) -> Vec<NodeId> {
        self.node(id).map(|node| node.kind.inputs()).unwrap_or_default()
    }

    /// The frame and all frames that it is made from, each once, inputs before what they make.
    pub fn ancestry(&self, id: NodeId) -> Vec<NodeId> {
        self.ancestry_until(id, &|_| false)
    }

    /// The same without the frames for which `ends` holds, and without those that are only reached through them.
    pub(crate) fn ancestry_until(&self, id: NodeId, ends: &dyn Fn(NodeId) -> bool) -> Vec<NodeId> {
        let mut seen = vec![false; self.nodes.len()];
        let mut found = Vec::new();
        let mut pending = vec![id];
        while let Some(next) = pending.pop() {
            if let Some(seen) = seen.get_mut(next.0 as usize)
                && !std::mem::replace(seen, true)
                && !ends(next)
            {
                found.push(next);
                if let Some(node) = self.node(next) {
                    node.kind.for_each_input(|input| pending.push(input));
                }
            }
        }
        // A node is made after its inputs, so ids are in topological order.
        found.sort_unstable();
        found
    }

    /// The scans that a frame is made from, in order of first read.
    pub fn scans(&self, id: NodeId) -> Vec<(NodeId, &Scan)> {
        self.ancestry(id)
            .into_iter()
            .filter_map(|id| match self.node(id).map(|node| &node.kind) {
                Some(NodeKind::Scan(scan)) => Some((id, scan.as_ref())),
                _ => None,
            })
            .collect()
    }
}

impl NodeKind {
    /// The frames that it is made from.
    pub fn inputs(&self) -> Vec<NodeId> {
        let mut inputs = Vec::new();
        self.for_each_input(|input| inputs.push(input));
        inputs
    }

    /// The one frame that it is made from, where it is one.
    pub(crate) fn only_input(&self) -> Option<NodeId> {
        let mut only = None;
        let mut count = 0;
        self.for_each_input(|input| {
            only = Some(input);
            count += 1;
        });
        only.filter(|_| count == 1)
    }

    fn for_each_input(&self, mut each: impl FnMut(NodeId)) {
        match self {
            NodeKind::Scan(_) | NodeKind::Values => {}
            NodeKind::Project { input }
            | NodeKind::Filter { input, .. }
            | NodeKind::Limit { input }
            | NodeKind::Aggregate { input, .. }
            | NodeKind::Distinct { input, .. }
            | NodeKind::DropDuplicates { input, .. }
            | NodeKind::Explode { input }
            | NodeKind::Resample { input }
            | NodeKind::Instance { input } => each(*input),
            NodeKind::Join { left, right, .. } => {
                each(*left);
                each(*right);
            }
            NodeKind::Union { inputs } | NodeKind::Choice { inputs, .. } | NodeKind::Opaque { inputs, .. } => {
                inputs.iter().copied().for_each(each);
            }
        }
    }
}
