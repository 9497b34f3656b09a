//! Schemas that may be open, and how a name is found in one.

use contract::expr::ColumnId;
use rustc_hash::FxHashSet;

use super::{ColumnDef, NodeId, NodeKind, Origin, Plan};
use crate::condition::Condition;
use crate::range::TextRange;
use contract::types::DataType;

/// The columns of a frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// Known columns, in order.
    pub fields: Vec<Field>,
    /// Where further columns may come from; none where the fields are all there is.
    pub rests: Vec<Rest>,
}

/// A known column of a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name here.
    pub name: String,
    /// Which column it is.
    pub id: ColumnId,
    /// Aliases that may stand in front of the name.
    pub qualifiers: Vec<String>,
    /// Whether NULL may occur here; `None` where not known.
    pub nullable: Option<bool>,
    /// When the column is there, where it is not in every run.
    pub condition: Option<Condition>,
}

/// Columns of another frame that flow through without being known by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Rest {
    /// The frame.
    pub source: NodeId,
    /// Names, lower case, that do not flow through: dropped, renamed or replaced.
    pub hidden: Vec<String>,
    /// Aliases that may stand in front of the names.
    pub qualifiers: Vec<String>,
    /// Whether a join may have filled them with NULL.
    pub padded: bool,
}

/// What a name means in a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup {
    /// This column.
    Found(ColumnId),
    /// Several columns have the name.
    Ambiguous(Vec<ColumnId>),
    /// Some column that cannot be told, or none.
    Unknown,
    /// Certainly no column of the frame.
    Missing,
}

impl Schema {
    /// A schema of known fields only.
    pub fn closed(fields: Vec<Field>) -> Self {
        Self { fields, rests: Vec::new() }
    }

    /// Whether there are no columns beside the fields.
    pub fn is_complete(&self) -> bool {
        self.rests.is_empty()
    }

    /// Whether the fields are the columns, neither more nor fewer.
    pub fn is_exact(&self) -> bool {
        self.is_complete() && self.fields.iter().all(|field| field.condition.is_none())
    }

    /// Whether an alias stands in front of any of its columns.
    pub(crate) fn has_qualifier(&self, name: &str) -> bool {
        let has = |qualifiers: &[String]| qualifiers.iter().any(|qualifier| qualifier.eq_ignore_ascii_case(name));
        self.fields.iter().any(|field| has(&field.qualifiers)) || self.rests.iter().any(|rest| has(&rest.qualifiers))
    }

    /// The field of a column.
    pub fn field(&self, id: ColumnId) -> Option<&Field> {
        self.fields.iter().find(|field| field.id == id)
    }

    /// Names of the known fields.
    pub fn names(&self) -> Vec<String> {
        self.fields.iter().map(|field| field.name.clone()).collect()
    }

    /// The fields of a name, compared without regard to case as Spark does.
    fn named<'s>(&'s self, qualifier: Option<&'s str>, name: &'s str) -> impl Iterator<Item = &'s Field> {
        self.fields.iter().filter(move |field| {
            field.name.eq_ignore_ascii_case(name) && matches_qualifier(&field.qualifiers, qualifier)
        })
    }

    /// Hides a name of every rest, because a field now has it.
    pub(crate) fn hide(&mut self, name: &str) {
        let name = name.to_lowercase();
        for rest in &mut self.rests {
            if !rest.hidden.contains(&name) {
                rest.hidden.push(name.clone());
            }
        }
    }
}

impl Plan {
    /// Finds a name in a frame. In an open schema the column comes into being at the frame that it must come from.
    pub fn lookup(&mut self, node: NodeId, qualifier: Option<&str>, name: &str) -> Lookup {
        // The schema is taken out meanwhile: what is discovered is kept beside the frames, not in them.
        let Some(schema) = self.nodes.get_mut(node.0 as usize).map(|node| std::mem::take(&mut node.schema)) else {
            return Lookup::Unknown;
        };
        let found = self.lookup_in(&schema, qualifier, name);
        if let Some(node) = self.nodes.get_mut(node.0 as usize) {
            node.schema = schema;
        }
        found
    }

    /// The one column of a name that a frame is known to have.
    pub(crate) fn known(&mut self, node: NodeId, name: &str) -> Option<ColumnId> {
        self.work += self.node(node)?.schema.fields.len() as u64 / 8;
        let schema = &self.node(node)?.schema;
        let lower = name.to_lowercase();
        let rests = schema.rests.iter().filter(|rest| !rest.hidden.contains(&lower));
        let discovered = rests.filter_map(|rest| self.discovered.get(&rest.source)?.get(&lower).copied());
        let mut found = schema.named(None, name).map(|field| field.id).chain(discovered);
        let only = found.next()?;
        found.all(|other| other == only).then_some(only)
    }

    /// Finds a name in a schema.
    pub fn lookup_in(&mut self, schema: &Schema, qualifier: Option<&str>, name: &str) -> Lookup {
        if name.contains('<') && name.contains('>') {
            return Lookup::Unknown;
        }
        self.work += (schema.fields.len() + schema.rests.len()) as u64 / 8;
        let mut found: Vec<ColumnId> = schema.named(qualifier, name).map(|field| field.id).collect();
        found.dedup();
        let lower = name.to_lowercase();
        let open: Vec<NodeId> = schema
            .rests
            .iter()
            .filter(|rest| !rest.hidden.contains(&lower) && matches_qualifier(&rest.qualifiers, qualifier))
            .map(|rest| rest.source)
            .collect();
        match (found.as_slice(), open.as_slice()) {
            ([id], _) => Lookup::Found(*id),
            ([], []) if schema.is_complete() => Lookup::Missing,
            ([], []) => Lookup::Unknown,
            ([], [source]) => self.discover(*source, name),
            ([], sources) => {
                // The column was asked of one of the sources before, so it exists there; a second one of that name
                // would make this use ambiguous, which Spark refuses.
                let known: Vec<ColumnId> =
                    sources.iter().filter_map(|source| self.discovered.get(source)?.get(&lower).copied()).collect();
                match known.as_slice() {
                    [id] => Lookup::Found(*id),
                    _ => Lookup::Unknown,
                }
            }
            (many, _) => Lookup::Ambiguous(many.to_vec()),
        }
    }

    /// The column of that name of an open frame.
    pub(crate) fn discover(&mut self, source: NodeId, name: &str) -> Lookup {
        let key = name.to_lowercase();
        if let Some(id) = self.discovered.get(&source).and_then(|columns| columns.get(&key)) {
            return Lookup::Found(*id);
        }
        let range = self.node(source).map(|node| node.range).unwrap_or_default();
        let inputs = match self.node(source).map(|node| &node.kind) {
            Some(NodeKind::Scan(_)) => {
                return Lookup::Found(self.add_discovered(
                    source,
                    name,
                    DataType::Unknown,
                    Origin::Base(source),
                    range,
                ));
            }
            Some(NodeKind::Instance { input }) => vec![*input],
            Some(NodeKind::Union { inputs } | NodeKind::Choice { inputs, .. }) => inputs.clone(),
            _ => Vec::new(),
        };
        let mut ids = Vec::new();
        for input in &inputs {
            match self.lookup(*input, None, name) {
                Lookup::Found(id) => ids.push(id),
                Lookup::Missing => {}
                _ => {
                    return Lookup::Found(self.add_discovered(source, name, DataType::Unknown, Origin::Unknown, range));
                }
            }
        }
        let (data_type, origin) = match ids.as_slice() {
            [] if !inputs.is_empty() => return Lookup::Missing,
            [] => (DataType::Unknown, Origin::Unknown),
            [id] => (self.column_type(*id), Origin::Same(*id)),
            _ => (self.common_type(&ids), Origin::Either(ids)),
        };
        Lookup::Found(self.add_discovered(source, name, data_type, origin, range))
    }

    /// Columns asked of an open frame so far.
    pub fn discovered(&self, source: NodeId) -> impl Iterator<Item = ColumnId> + '_ {
        self.discovered.get(&source).into_iter().flat_map(|columns| columns.values().copied())
    }

    /// Every column that a frame is known to have: its fields, then the columns discovered in its rests.
    pub fn known_fields(&self, schema: &Schema) -> Vec<Field> {
        let mut fields = schema.fields.clone();
        let mut known: FxHashSet<ColumnId> = FxHashSet::default();
        if !schema.rests.is_empty() {
            known.extend(fields.iter().map(|field| field.id));
        }
        for rest in &schema.rests {
            for id in self.discovered(rest.source) {
                let Some(column) = self.column(id) else { continue };
                let hidden = rest.hidden.contains(&column.name.to_lowercase());
                if !hidden && known.insert(id) {
                    let nullable = if rest.padded { Some(true) } else { None };
                    let (name, qualifiers) = (column.name.clone(), rest.qualifiers.clone());
                    fields.push(Field { name, id, qualifiers, nullable, condition: None });
                }
            }
        }
        fields
    }

    pub(crate) fn add_column(&mut self, name: &str, data_type: DataType, origin: Origin, range: TextRange) -> ColumnId {
        let id = ColumnId(u32::try_from(self.columns.len()).unwrap_or(u32::MAX));
        self.columns.push(ColumnDef { name: name.to_owned(), data_type, origin, range });
        id
    }

    /// The one type of several columns, unknown where they differ.
    pub(crate) fn common_type(&self, ids: &[ColumnId]) -> DataType {
        let mut types = ids.iter().map(|id| self.column_type(*id));
        let first = types.next().unwrap_or_default();
        if types.all(|data_type| data_type == first) { first } else { DataType::Unknown }
    }

    fn add_discovered(
        &mut self,
        source: NodeId,
        name: &str,
        data_type: DataType,
        origin: Origin,
        range: TextRange,
    ) -> ColumnId {
        let id = self.add_column(name, data_type, origin, range);
        self.discovered.entry(source).or_default().insert(name.to_lowercase(), id);
        id
    }
}

fn matches_qualifier(qualifiers: &[String], wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| qualifiers.iter().any(|qualifier| qualifier.eq_ignore_ascii_case(wanted)))
}
