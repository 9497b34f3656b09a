//! How each kind of frame is made from others, with the schema that follows.

use crate::ordered::IndexMap;
use contract::expr::{BinaryOp, ColumnId, Expr, ExprKind};
use contract::schema::TableSchema;
use contract::types::DataType;
use contract::value::Value;

use super::{Field, Lookup, MAX_COLUMNS, MAX_SIZE, Node, NodeId, NodeKind, Origin, Plan, Rest, Scan, Schema};
use crate::condition::Condition;
use crate::expression::{self, conjuncts};
use crate::facts::JoinKind;
use crate::range::TextRange;

/// One item of a select list, bound to the frame it selects from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SelectItem {
    /// All columns, or those of one alias.
    Star(Option<String>),
    /// One column; an explode multiplies rows.
    Column {
        /// Its name in the result.
        name: String,
        /// Its values.
        expr: Expr,
    },
    /// Columns that cannot be told.
    Unknown,
}

impl Plan {
    /// A frame of a kind and a schema.
    pub(crate) fn add(&mut self, kind: NodeKind, schema: Schema, range: TextRange) -> NodeId {
        let id = self.next();
        let condition = self.condition.clone();
        self.nodes.push(Node { kind, schema: Schema::default(), range, condition });
        self.set_schema(id, schema);
        id
    }

    /// The id that the next frame gets.
    pub(crate) fn next(&self) -> NodeId {
        NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX))
    }

    /// A dataset is read; without a schema from outside its columns are open.
    pub(crate) fn scan(&mut self, scan: Scan, schema: Option<&TableSchema>, range: TextRange) -> NodeId {
        let id = self.add(NodeKind::Scan(Box::new(scan)), Schema::default(), range);
        let schema = match schema {
            None => self.open(id),
            Some(known) => {
                let fields = known
                    .columns
                    .iter()
                    .map(|column| Field {
                        name: column.name.clone(),
                        id: self.add_column(&column.name, column.data_type.clone(), Origin::Base(id), range),
                        qualifiers: Vec::new(),
                        nullable: column.nullable,
                        condition: None,
                    })
                    .collect();
                Schema::closed(fields)
            }
        };
        self.set_schema(id, schema);
        id
    }

    /// A frame that nothing is known of but what it reads.
    pub(crate) fn opaque(&mut self, inputs: Vec<NodeId>, reason: &str, range: TextRange) -> NodeId {
        let id = self.add(NodeKind::Opaque { inputs, reason: reason.to_owned() }, Schema::default(), range);
        let schema = self.open(id);
        self.set_schema(id, schema);
        id
    }

    /// The same rows with columns added or replaced.
    pub(crate) fn with_columns(&mut self, input: NodeId, columns: Vec<(String, Expr)>, range: TextRange) -> NodeId {
        let mut schema = self.schema(input);
        for (name, expr) in columns {
            let field = self.output_field(&schema, &name, &expr, range);
            let mut replaced = false;
            schema.fields.retain_mut(|existing| {
                let same = existing.name.eq_ignore_ascii_case(&name);
                if same && !replaced {
                    *existing = Field { name: existing.name.clone(), ..field.clone() };
                    replaced = true;
                    return true;
                }
                !same
            });
            if !replaced {
                schema.fields.push(field);
            }
            schema.hide(&name);
        }
        self.add(NodeKind::Project { input }, schema, range)
    }

    /// The same rows with these columns only.
    pub(crate) fn select(&mut self, input: NodeId, items: Vec<SelectItem>, range: TextRange) -> NodeId {
        let source = self.schema(input);
        let mut schema = Schema::default();
        let mut unknown = false;
        for item in items {
            if schema.fields.len() + schema.rests.len() > MAX_COLUMNS {
                break;
            }
            match item {
                SelectItem::Star(qualifier) => {
                    let wanted = |qualifiers: &[String]| {
                        qualifier.as_ref().is_none_or(|q| qualifiers.iter().any(|own| own.eq_ignore_ascii_case(q)))
                    };
                    let known = schema.fields.len() + schema.rests.len();
                    schema.fields.extend(source.fields.iter().filter(|field| wanted(&field.qualifiers)).cloned());
                    schema.rests.extend(source.rests.iter().filter(|rest| wanted(&rest.qualifiers)).cloned());
                    // `column.*` are the fields of a struct.
                    unknown |= qualifier.is_some() && schema.fields.len() + schema.rests.len() == known;
                }
                SelectItem::Column { name, expr } => {
                    let field = self.output_field(&source, &name, &expr, range);
                    schema.fields.push(field);
                }
                SelectItem::Unknown => unknown = true,
            }
        }
        if unknown {
            let rest = self.opaque(vec![input], "columns that are not known from the script", range);
            schema.rests.push(Rest { source: rest, hidden: Vec::new(), qualifiers: Vec::new(), padded: false });
        }
        self.add(NodeKind::Project { input }, schema, range)
    }

    /// The same rows without some columns; names that do not exist are ignored, as Spark does.
    pub(crate) fn drop_columns(&mut self, input: NodeId, names: &[String], range: TextRange) -> NodeId {
        let mut schema = self.schema(input);
        for name in names {
            schema.fields.retain(|field| !field.name.eq_ignore_ascii_case(name));
            schema.hide(name);
        }
        self.add(NodeKind::Project { input }, schema, range)
    }

    /// The same rows, of whose columns those that may be NULL are perhaps not there.
    pub(crate) fn perhaps_without_nullable(&mut self, input: NodeId, range: TextRange) -> NodeId {
        let mut schema = self.schema(input);
        for field in schema.fields.iter_mut().filter(|field| field.nullable != Some(false)) {
            field.condition = Some(Condition::unknown());
        }
        self.add(NodeKind::Project { input }, schema, range)
    }

    /// The same rows without one column, by identity.
    pub(crate) fn drop_column_id(&mut self, input: NodeId, id: ColumnId, range: TextRange) -> NodeId {
        let mut schema = self.schema(input);
        let before = schema.fields.len();
        schema.fields.retain(|field| field.id != id);
        if schema.fields.len() == before {
            // The column flows through a rest: only the rest that has it hides it.
            let holders: Vec<NodeId> = schema
                .rests
                .iter()
                .map(|rest| rest.source)
                .filter(|source| self.discovered(*source).any(|found| found == id))
                .collect();
            let name = self.column(id).map(|column| column.name.to_lowercase()).unwrap_or_default();
            for rest in schema.rests.iter_mut().filter(|rest| holders.contains(&rest.source)) {
                rest.hidden.push(name.clone());
            }
        }
        self.add(NodeKind::Project { input }, schema, range)
    }

    /// The same rows with one column renamed; nothing happens where it does not exist, as in Spark.
    pub(crate) fn rename(&mut self, input: NodeId, from: &str, to: &str, range: TextRange) -> NodeId {
        let mut schema = self.schema(input);
        let mut known = false;
        for field in schema.fields.iter_mut().filter(|field| field.name.eq_ignore_ascii_case(from)) {
            field.name = to.to_owned();
            known = true;
        }
        if !known && let Lookup::Found(id) = self.lookup_in(&schema, None, from) {
            let padded = schema.rests.iter().any(|rest| rest.padded);
            schema.hide(from);
            schema.fields.push(Field {
                name: to.to_owned(),
                id,
                qualifiers: Vec::new(),
                nullable: padded.then_some(true),
                condition: None,
            });
        }
        schema.hide(to);
        self.add(NodeKind::Project { input }, schema, range)
    }

    /// The same rows with an alias in front of the columns.
    pub(crate) fn alias(&mut self, input: NodeId, alias: &str, range: TextRange) -> NodeId {
        let mut schema = self.schema(input);
        for field in &mut schema.fields {
            field.qualifiers = vec![alias.to_owned()];
        }
        for rest in &mut schema.rests {
            rest.qualifiers = vec![alias.to_owned()];
        }
        self.add(NodeKind::Project { input }, schema, range)
    }

    /// The rows of which a predicate is true. Right behind a cross join, an equality of a column of each side is the key
    /// of an inner join, as in Spark.
    pub(crate) fn filter(&mut self, input: NodeId, predicate: Expr, range: TextRange) -> NodeId {
        if let Some(Node {
            kind: NodeKind::Join { left, right, how: JoinKind::Cross, residual: None, .. },
            range: at,
            ..
        }) = self.node(input)
        {
            let (left, right, at) = (*left, *right, *at);
            let (keys, others): (Vec<&Expr>, Vec<&Expr>) = conjuncts(&predicate)
                .into_iter()
                .partition(|conjunct| self.equal_columns(conjunct, left, right).is_some());
            let all = |parts: Vec<&Expr>, range: TextRange| {
                let parts = parts.into_iter().cloned();
                parts.reduce(|all, part| expression::binary(BinaryOp::And, all, part, range))
            };
            if let Some(keys) = all(keys, at) {
                let joined = self.join_on(left, right, Some(keys), JoinKind::Inner, at);
                return match all(others, range) {
                    Some(rest) => self.filter(joined, rest, range),
                    None => joined,
                };
            }
        }
        let mut schema = self.schema(input);
        for id in null_rejected(&predicate) {
            for field in schema.fields.iter_mut().filter(|field| field.id == id) {
                field.nullable = Some(false);
            }
        }
        self.add(NodeKind::Filter { input, predicate }, schema, range)
    }

    /// A frame that keeps the schema of its one input.
    pub(crate) fn same_schema(&mut self, input: NodeId, kind: NodeKind, range: TextRange) -> NodeId {
        let schema = self.schema(input);
        self.add(kind, schema, range)
    }

    /// The groups of a frame: `keys` first, then `aggregates`.
    pub(crate) fn aggregate(
        &mut self,
        input: NodeId,
        keys: Vec<(String, Expr)>,
        aggregates: Vec<(String, Expr)>,
        range: TextRange,
    ) -> NodeId {
        let source = self.schema(input);
        let mut fields = Vec::new();
        for (name, expr) in &keys {
            fields.push(self.output_field(&source, name, expr, range));
        }
        let keys = fields.iter().map(|field| field.id).collect();
        for (name, expr) in &aggregates {
            fields.push(self.output_field(&source, name, expr, range));
        }
        self.add(NodeKind::Aggregate { input, keys }, Schema::closed(fields), range)
    }

    /// Pairs of rows whose columns `using` are equal; the columns appear once, first.
    pub(crate) fn join_using(
        &mut self,
        left: NodeId,
        right: NodeId,
        using: &[String],
        how: JoinKind,
        range: TextRange,
    ) -> NodeId {
        let right = self.distinct_from(left, right, range);
        let mut keys = Vec::new();
        let mut fields = Vec::new();
        let mut unresolved = Vec::new();
        for name in using {
            let (l, r) = (self.lookup(left, None, name), self.lookup(right, None, name));
            let (Lookup::Found(l), Lookup::Found(r)) = (&l, &r) else {
                unresolved.push(self.equal_by_name(name, &l, &r, range));
                continue;
            };
            let (l, r) = (*l, *r);
            keys.push((l, r));
            let (id, nullable) = match how {
                JoinKind::Right => (r, self.nullable(right, r)),
                JoinKind::Full => {
                    let data_type = self.column_type(l);
                    (self.add_column(name, data_type, Origin::Either(vec![l, r]), range), None)
                }
                JoinKind::Inner | JoinKind::LeftSemi => (l, Some(false)),
                _ => (l, self.nullable(left, l)),
            };
            fields.push(Field { name: name.clone(), id, qualifiers: Vec::new(), nullable, condition: None });
        }
        let mut schema = self.joined_schema(left, right, how);
        schema.fields.retain(|field| !using.iter().any(|name| name.eq_ignore_ascii_case(&field.name)));
        for name in using {
            schema.hide(name);
        }
        fields.append(&mut schema.fields);
        schema.fields = fields;
        // A key that is not known to be a column of both sides leaves the join without a key.
        let residual = unresolved.into_iter().reduce(|all, key| expression::binary(BinaryOp::And, all, key, range));
        self.add(NodeKind::Join { left, right, how, keys, residual }, schema, range)
    }

    /// That the columns of a name are equal, of which one side at least is not known to have it.
    fn equal_by_name(&self, name: &str, left: &Lookup, right: &Lookup, range: TextRange) -> Expr {
        let side = |found: &Lookup| match found {
            Lookup::Found(id) => expression::resolved(name, *id, self.column_type(*id), range),
            _ => expression::column(None, name, range),
        };
        expression::binary(BinaryOp::Equal, side(left), side(right), range)
    }

    /// Pairs of rows of which a condition over both sides is true. `right` must be what
    /// [`Plan::distinct_from`] gave, and the condition bound against both.
    pub(crate) fn join_on(
        &mut self,
        left: NodeId,
        right: NodeId,
        condition: Option<Expr>,
        how: JoinKind,
        range: TextRange,
    ) -> NodeId {
        let mut schema = self.joined_schema(left, right, how);
        let mut keys = Vec::new();
        let mut residual: Option<Expr> = None;
        for conjunct in condition.iter().flat_map(conjuncts) {
            match self.equal_columns(conjunct, left, right) {
                Some(key) => keys.push(key),
                None => {
                    residual = Some(match residual {
                        None => conjunct.clone(),
                        Some(rest) => expression::binary(BinaryOp::And, rest, conjunct.clone(), range),
                    });
                }
            }
        }
        if how == JoinKind::Inner {
            for (l, r) in &keys {
                for field in schema.fields.iter_mut().filter(|field| field.id == *l || field.id == *r) {
                    field.nullable = Some(false);
                }
            }
        }
        self.add(NodeKind::Join { left, right, how, keys, residual }, schema, range)
    }

    /// The right side of a join with columns that differ from the left side's, as Spark makes them.
    pub(crate) fn distinct_from(&mut self, left: NodeId, right: NodeId, range: TextRange) -> NodeId {
        let (l, r) = (self.schema(left), self.schema(right));
        let shared = r.fields.iter().any(|field| l.field(field.id).is_some())
            || r.rests.iter().any(|rest| l.rests.iter().any(|other| other.source == rest.source))
            || r.fields
                .iter()
                .any(|field| l.rests.iter().any(|rest| self.discovered(rest.source).any(|id| id == field.id)))
            || l.fields
                .iter()
                .any(|field| r.rests.iter().any(|rest| self.discovered(rest.source).any(|id| id == field.id)));
        if shared { self.instance(right, range) } else { right }
    }

    /// The result of joining DynamicFrames: a right column whose name the left side has gets a dot in front.
    pub(crate) fn prefix_clashes(&mut self, joined: NodeId, left: NodeId, range: TextRange) -> NodeId {
        let known = self.schema(left);
        let count = known.fields.len();
        let mut schema = self.schema(joined);
        if !known.is_complete() {
            // A name may be that of a field of the left side, which is not known, so it is not told whose it is.
            for field in schema.fields.iter_mut().skip(count) {
                let id = self.add_column(&field.name, DataType::Unknown, Origin::Unknown, range);
                *field = Field { id, nullable: None, ..field.clone() };
            }
        }
        // Names of a DynamicFrame's fields that differ in case are different names.
        let taken: Vec<String> = schema.fields.iter().take(count).map(|field| field.name.clone()).collect();
        for field in schema.fields.iter_mut().skip(count).filter(|field| taken.contains(&field.name)) {
            field.name.insert(0, '.');
        }
        self.add(NodeKind::Project { input: joined }, schema, range)
    }

    /// Every row once, by a `DISTINCT` of SQL or by a method.
    pub(crate) fn distinct(&mut self, input: NodeId, in_sql: bool, range: TextRange) -> NodeId {
        self.same_schema(input, NodeKind::Distinct { input, in_sql }, range)
    }

    /// The same rows under new column identities.
    pub(crate) fn instance(&mut self, input: NodeId, range: TextRange) -> NodeId {
        let source = self.schema(input);
        let id = self.add(NodeKind::Instance { input }, Schema::default(), range);
        let fields = source
            .fields
            .iter()
            .map(|field| {
                let data_type = self.column_type(field.id);
                let copy = self.add_column(&field.name, data_type, Origin::Same(field.id), range);
                Field { id: copy, ..field.clone() }
            })
            .collect();
        let rests = match source.rests.first() {
            None => Vec::new(),
            Some(first) => vec![Rest {
                source: id,
                hidden: source.fields.iter().map(|field| field.name.to_lowercase()).collect(),
                qualifiers: first.qualifiers.clone(),
                padded: source.rests.iter().any(|rest| rest.padded),
            }],
        };
        self.set_schema(id, Schema { fields, rests });
        id
    }

    /// Rows of all inputs, columns matched by position.
    pub(crate) fn union(&mut self, inputs: Vec<NodeId>, range: TextRange) -> NodeId {
        let schemas: Vec<Schema> = inputs.iter().map(|input| self.schema(*input)).collect();
        let positional = schemas.iter().all(Schema::is_exact)
            && schemas.windows(2).all(|pair| matches!(pair, [a, b] if a.fields.len() == b.fields.len()));
        if !positional {
            return self.merged(NodeKind::Union { inputs: inputs.clone() }, &inputs, range);
        }
        let mut fields = Vec::new();
        for (position, first) in
            schemas.first().map(|schema| schema.fields.clone()).unwrap_or_default().iter().enumerate()
        {
            let column: Vec<&Field> = schemas.iter().filter_map(|schema| schema.fields.get(position)).collect();
            fields.push(self.merged_field(&first.name, &column, range));
        }
        self.add(NodeKind::Union { inputs }, Schema::closed(fields), range)
    }

    /// Rows of all inputs, columns matched by name.
    pub(crate) fn union_by_name(&mut self, inputs: Vec<NodeId>, range: TextRange) -> NodeId {
        self.merged(NodeKind::Union { inputs: inputs.clone() }, &inputs, range)
    }

    /// One of several frames; it cannot be said when it is which.
    pub(crate) fn choice(&mut self, inputs: Vec<NodeId>, range: TextRange) -> NodeId {
        self.choice_when(inputs.into_iter().map(|input| (input, Condition::unknown())).collect(), range)
    }

    /// One of several frames, with when it is each of them.
    pub(crate) fn choice_when(&mut self, arms: Vec<(NodeId, Condition)>, range: TextRange) -> NodeId {
        let mut inputs: Vec<NodeId> = Vec::new();
        let mut conditions: Vec<Condition> = Vec::new();
        for (input, condition) in arms {
            match inputs.iter().position(|known| *known == input) {
                Some(place) => {
                    if let Some(known) = conditions.get_mut(place) {
                        *known = known.or(&condition).unwrap_or_else(Condition::unknown);
                    }
                }
                None => {
                    inputs.push(input);
                    conditions.push(condition);
                }
            }
        }
        match inputs.as_slice() {
            [only] => *only,
            _ => self.merged(NodeKind::Choice { inputs: inputs.clone(), conditions }, &inputs, range),
        }
    }

    /// The schema of a frame.
    pub(crate) fn schema(&self, node: NodeId) -> Schema {
        self.node(node).map(|node| node.schema.clone()).unwrap_or_default()
    }

    /// Whether a column may be NULL in a frame.
    pub(crate) fn nullable(&self, node: NodeId, id: ColumnId) -> Option<bool> {
        let schema = &self.node(node)?.schema;
        match schema.field(id) {
            Some(field) => field.nullable,
            None => schema
                .rests
                .iter()
                .any(|rest| rest.padded && self.discovered(rest.source).any(|found| found == id))
                .then_some(true),
        }
    }

    /// A schema of further columns that come into being at a frame itself.
    fn open(&self, id: NodeId) -> Schema {
        let rest = Rest { source: id, hidden: Vec::new(), qualifiers: Vec::new(), padded: false };
        Schema { fields: Vec::new(), rests: vec![rest] }
    }

    /// Gives a frame its columns. A frame that is too large to follow is one that is not understood.
    fn set_schema(&mut self, id: NodeId, schema: Schema) {
        let hidden: usize = schema.rests.iter().map(|rest| 1 + rest.hidden.len()).sum();
        let size = schema.fields.len() + hidden;
        let fits = size <= MAX_COLUMNS && self.size + size <= MAX_SIZE;
        let schema = if fits { schema } else { self.open(id) };
        if let Some(node) = self.nodes.get_mut(id.0 as usize) {
            if !fits && !matches!(node.kind, NodeKind::Scan(_)) {
                let reason = "it has more columns than are followed".to_owned();
                node.kind = NodeKind::Opaque { inputs: node.kind.inputs(), reason };
            }
            node.schema = schema;
        }
        self.work += size as u64;
        self.size += if fits { size } else { 1 };
    }

    /// The field that an expression makes: a bare column keeps its identity.
    fn output_field(&mut self, source: &Schema, name: &str, expr: &Expr, range: TextRange) -> Field {
        if let ExprKind::Column(reference) = &expr.kind
            && let Some(id) = reference.id
        {
            let known = source.field(id);
            return Field {
                name: name.to_owned(),
                id,
                qualifiers: known.map(|field| field.qualifiers.clone()).unwrap_or_default(),
                nullable: known.and_then(|field| field.nullable),
                condition: None,
            };
        }
        let nullable = nullability(expr, source);
        let place = expression::range_of(expr).unwrap_or(range);
        let origin =
            if matches!(expr.kind, ExprKind::Column(_)) { Origin::Unknown } else { Origin::Computed(expr.clone()) };
        let id = self.add_column(name, expr.data_type.clone(), origin, place);
        Field { name: name.to_owned(), id, qualifiers: Vec::new(), nullable, condition: None }
    }

    fn joined_schema(&self, left: NodeId, right: NodeId, how: JoinKind) -> Schema {
        let mut schema = self.schema(left);
        let pad = |side: &mut Schema| {
            side.fields.iter_mut().for_each(|field| field.nullable = Some(true));
            side.rests.iter_mut().for_each(|rest| rest.padded = true);
        };
        if matches!(how, JoinKind::Right | JoinKind::Full) {
            pad(&mut schema);
        }
        if matches!(how, JoinKind::LeftSemi | JoinKind::LeftAnti) {
            return schema;
        }
        let mut other = self.schema(right);
        if matches!(how, JoinKind::Left | JoinKind::Full) {
            pad(&mut other);
        }
        schema.fields.extend(other.fields);
        schema.rests.extend(other.rests);
        schema
    }

    /// The two columns that an equality sets equal, left side first; `None` where it is anything else.
    fn equal_columns(&mut self, conjunct: &Expr, left: NodeId, right: NodeId) -> Option<(ColumnId, ColumnId)> {
        let ExprKind::Binary { op: BinaryOp::Equal, left: a, right: b } = &conjunct.kind else { return None };
        let (ExprKind::Column(a), ExprKind::Column(b)) = (&a.kind, &b.kind) else { return None };
        let (a, b) = (a.id?, b.id?);
        match (self.has(left, a), self.has(right, b), self.has(left, b), self.has(right, a)) {
            (true, true, _, _) => Some((a, b)),
            (_, _, true, true) => Some((b, a)),
            _ => None,
        }
    }

    /// Whether a column is one of a frame.
    pub(crate) fn has(&self, node: NodeId, id: ColumnId) -> bool {
        let Some(node) = self.node(node) else { return false };
        node.schema.field(id).is_some()
            || node.schema.rests.iter().any(|rest| self.discovered(rest.source).any(|found| found == id))
    }

    /// A frame whose columns are those of its inputs, matched by name.
    fn merged(&mut self, kind: NodeKind, inputs: &[NodeId], range: TextRange) -> NodeId {
        let id = self.add(kind, Schema::default(), range);
        let schemas: Vec<Schema> = inputs.iter().map(|input| self.schema(*input)).collect();
        let mut by_name: IndexMap<String, Vec<&Field>> = IndexMap::default();
        for field in schemas.iter().flat_map(|schema| &schema.fields) {
            by_name.entry(field.name.to_lowercase()).or_default().push(field);
        }
        let mut fields = Vec::new();
        let complete = schemas.iter().all(Schema::is_complete);
        // A union fills what one of its inputs lacks, but an arm leaves it out.
        let conditions = match self.node(id).map(|node| &node.kind) {
            Some(NodeKind::Choice { conditions, .. }) => conditions.clone(),
            _ => Vec::new(),
        };
        let when = |name: &str| {
            let has = |schema: &Schema| schema.fields.iter().any(|field| field.name.eq_ignore_ascii_case(name));
            let mut arms = schemas.iter().zip(&conditions).filter(|(schema, _)| has(schema)).map(|(_, when)| when);
            let first = arms.next()?.clone();
            Some(arms.try_fold(first, |all, when| all.or(when)).unwrap_or_else(Condition::unknown))
        };
        for columns in by_name.values() {
            let Some(first) = columns.first() else { continue };
            if columns.len() == inputs.len() {
                fields.push(self.merged_field(&first.name, columns, range));
            } else if complete {
                let mut field = self.merged_field(&first.name, columns, range);
                field.nullable = None;
                field.condition = Condition::both(when(&first.name).as_ref(), field.condition.as_ref());
                fields.push(field);
            }
        }
        let rests = if complete {
            Vec::new()
        } else {
            let hidden = fields.iter().map(|field: &Field| field.name.to_lowercase()).collect();
            vec![Rest { source: id, hidden, qualifiers: Vec::new(), padded: false }]
        };
        self.set_schema(id, Schema { fields, rests });
        id
    }

    fn merged_field(&mut self, name: &str, columns: &[&Field], range: TextRange) -> Field {
        let mut ids: Vec<ColumnId> = columns.iter().map(|field| field.id).collect();
        ids.dedup();
        let nullable = columns
            .iter()
            .map(|field| field.nullable)
            .reduce(|a, b| match (a, b) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            })
            .flatten();
        let id = match ids.as_slice() {
            [only] => *only,
            _ => {
                let data_type = self.common_type(&ids);
                self.add_column(name, data_type, Origin::Either(ids), range)
            }
        };
        let condition = match columns {
            [only] => only.condition.clone(),
            several => several.iter().any(|field| field.condition.is_some()).then(Condition::unknown),
        };
        Field { name: name.to_owned(), id, qualifiers: Vec::new(), nullable, condition }
    }
}

/// Whether the result of an expression may be NULL, where that is certain.
fn nullability(expr: &Expr, source: &Schema) -> Option<bool> {
    match &expr.kind {
        ExprKind::Literal(value) => Some(*value == Value::Null),
        ExprKind::Column(reference) => source.field(reference.id?)?.nullable,
        ExprKind::IsNull(_) | ExprKind::IsNan(_) => Some(false),
        ExprKind::Binary { op: BinaryOp::NullSafeEqual, .. } => Some(false),
        ExprKind::Binary { op: BinaryOp::DivideDouble | BinaryOp::DivideInteger | BinaryOp::Remainder, .. } => None,
        ExprKind::Not(_) | ExprKind::Negate(_) | ExprKind::Binary { .. } => {
            let mut all = Some(false);
            for operand in expression::children(expr) {
                match nullability(operand, source) {
                    Some(false) => {}
                    Some(true) => return Some(true),
                    None => all = None,
                }
            }
            all
        }
        ExprKind::Aggregate { function: "count", .. } => Some(false),
        ExprKind::Call { function: "row_number" | "rank" | "dense_rank" | "ntile", .. } => Some(false),
        ExprKind::Window { function, .. } => nullability(function, source),
        ExprKind::Case { branches, otherwise } => {
            let Some(otherwise) = otherwise else { return Some(true) };
            branches
                .iter()
                .map(|(_, then)| nullability(then, source))
                .chain([nullability(otherwise, source)])
                .reduce(|a, b| match (a, b) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                })
                .flatten()
        }
        _ => None,
    }
}

/// Columns that cannot be NULL where a predicate is true.
pub(crate) fn null_rejected(predicate: &Expr) -> Vec<ColumnId> {
    let mut rejected = Vec::new();
    for conjunct in conjuncts(predicate) {
        match &conjunct.kind {
            ExprKind::Not(inner) => match &inner.kind {
                ExprKind::IsNull(operand) => rejected.extend(strict_columns(operand)),
                ExprKind::InList { operand, .. } | ExprKind::Like { operand, .. } => {
                    rejected.extend(strict_columns(operand));
                }
                ExprKind::Binary { op, left, right } if is_strict_comparison(*op) => {
                    rejected.extend(strict_columns(left).into_iter().chain(strict_columns(right)));
                }
                _ => {}
            },
            ExprKind::Binary { op, left, right } if is_strict_comparison(*op) => {
                rejected.extend(strict_columns(left).into_iter().chain(strict_columns(right)));
            }
            ExprKind::InList { operand, .. }
            | ExprKind::Like { operand, .. }
            | ExprKind::Matches { operand, .. }
            | ExprKind::IsNan(operand) => rejected.extend(strict_columns(operand)),
            _ => {}
        }
    }
    rejected
}

fn is_strict_comparison(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Equal | BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual
    )
}

/// Columns whose NULL makes the expression NULL.
fn strict_columns(expr: &Expr) -> Vec<ColumnId> {
    match &expr.kind {
        ExprKind::Column(reference) => reference.id.into_iter().collect(),
        ExprKind::Cast { operand, .. } | ExprKind::Negate(operand) => strict_columns(operand),
        ExprKind::Binary { left, right, op }
            if !matches!(op, BinaryOp::And | BinaryOp::Or | BinaryOp::NullSafeEqual) =>
        {
            strict_columns(left).into_iter().chain(strict_columns(right)).collect()
        }
        _ => Vec::new(),
    }
}
