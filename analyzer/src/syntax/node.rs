//! The parser's nodes by typed kinds and fields, instead of by the numbers and names of its grammar.

use std::sync::LazyLock;

use tree_sitter::TreeCursor;

macro_rules! by_name {
    ($(#[$attribute:meta])* $type:ident { $($variant:ident = $name:literal),* $(,)? }) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $type {
            $($variant,)*
            /// One that the lowering has no use for.
            Other,
        }

        impl $type {
            fn named(name: &str) -> Self {
                match name {
                    $($name => Self::$variant,)*
                    _ => Self::Other,
                }
            }
        }
    };
}

by_name!(
    /// What a node is, by its name in the grammar.
    Kind {
        AsPattern = "as_pattern",
        Assert = "assert_statement",
        Assignment = "assignment",
        Attribute = "attribute",
        AugmentedAssignment = "augmented_assignment",
        Await = "await",
        BinaryOperator = "binary_operator",
        Block = "block",
        BooleanOperator = "boolean_operator",
        Break = "break_statement",
        Call = "call",
        CaseClause = "case_clause",
        ClassDefinition = "class_definition",
        Colon = ":",
        Comment = "comment",
        ComparisonOperator = "comparison_operator",
        ConcatenatedString = "concatenated_string",
        ConditionalExpression = "conditional_expression",
        Continue = "continue_statement",
        DecoratedDefinition = "decorated_definition",
        Decorator = "decorator",
        DefaultParameter = "default_parameter",
        Delete = "delete_statement",
        Dictionary = "dictionary",
        DictionaryComprehension = "dictionary_comprehension",
        DictionarySplat = "dictionary_splat",
        DictionarySplatPattern = "dictionary_splat_pattern",
        DottedName = "dotted_name",
        ElifClause = "elif_clause",
        Ellipsis = "ellipsis",
        ElseClause = "else_clause",
        Equal = "==",
        ExceptClause = "except_clause",
        ExceptGroupClause = "except_group_clause",
        Exec = "exec_statement",
        ExpressionList = "expression_list",
        ExpressionStatement = "expression_statement",
        False = "false",
        FinallyClause = "finally_clause",
        Float = "float",
        For = "for_statement",
        ForInClause = "for_in_clause",
        FunctionDefinition = "function_definition",
        FutureImport = "future_import_statement",
        GeneratorExpression = "generator_expression",
        Global = "global_statement",
        Greater = ">",
        GreaterOrEqual = ">=",
        Identifier = "identifier",
        If = "if_statement",
        IfClause = "if_clause",
        Import = "import_statement",
        ImportFrom = "import_from_statement",
        In = "in",
        Integer = "integer",
        Interpolation = "interpolation",
        Is = "is",
        IsNot = "is not",
        KeywordArgument = "keyword_argument",
        KeywordIdentifier = "keyword_identifier",
        KeywordSeparator = "keyword_separator",
        Lambda = "lambda",
        Less = "<",
        LessOrEqual = "<=",
        List = "list",
        ListComprehension = "list_comprehension",
        ListPattern = "list_pattern",
        ListSplat = "list_splat",
        ListSplatPattern = "list_splat_pattern",
        Match = "match_statement",
        NamedExpression = "named_expression",
        None = "none",
        Nonlocal = "nonlocal_statement",
        NotEqual = "!=",
        NotIn = "not in",
        NotOperator = "not_operator",
        OldNotEqual = "<>",
        Pair = "pair",
        ParenthesizedExpression = "parenthesized_expression",
        ParenthesizedListSplat = "parenthesized_list_splat",
        Pass = "pass_statement",
        PatternList = "pattern_list",
        Print = "print_statement",
        Raise = "raise_statement",
        Return = "return_statement",
        Set = "set",
        SetComprehension = "set_comprehension",
        Slice = "slice",
        String = "string",
        StringContent = "string_content",
        StringStart = "string_start",
        Subscript = "subscript",
        True = "true",
        Try = "try_statement",
        Tuple = "tuple",
        TuplePattern = "tuple_pattern",
        Type = "type",
        TypedDefaultParameter = "typed_default_parameter",
        TypedParameter = "typed_parameter",
        UnaryOperator = "unary_operator",
        While = "while_statement",
        WildcardImport = "wildcard_import",
        With = "with_statement",
        WithClause = "with_clause",
        Yield = "yield",
        // The parser could not make sense of what is in it.
        Error = "ERROR",
    }
);

by_name!(
    /// What a node is to its parent.
    Field {
        Alias = "alias",
        Alternative = "alternative",
        Arguments = "arguments",
        Argument = "argument",
        Attribute = "attribute",
        Body = "body",
        Condition = "condition",
        Consequence = "consequence",
        Definition = "definition",
        Expression = "expression",
        FormatSpecifier = "format_specifier",
        Function = "function",
        Key = "key",
        Left = "left",
        ModuleName = "module_name",
        Name = "name",
        Object = "object",
        Operator = "operator",
        Parameters = "parameters",
        Right = "right",
        Subject = "subject",
        Subscript = "subscript",
        Superclasses = "superclasses",
        Type = "type",
        Value = "value",
    }
);

/// Kinds and fields by the numbers that the grammar gives them.
struct Grammar {
    kinds: Vec<Kind>,
    fields: Vec<Field>,
}

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    let language = tree_sitter::Language::from(tree_sitter_python::LANGUAGE);
    let kinds = 0..u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
    let fields = 0..=u16::try_from(language.field_count()).unwrap_or(u16::MAX - 1);
    Grammar {
        kinds: kinds.map(|id| Kind::named(language.node_kind_for_id(id).unwrap_or(""))).collect(),
        fields: fields.map(|id| Field::named(language.field_name_for_id(id).unwrap_or(""))).collect(),
    }
});

/// A node.
#[derive(Clone, Copy)]
pub(super) struct Node<'t> {
    pub kind: Kind,
    field: Option<Field>,
    node: tree_sitter::Node<'t>,
}

impl<'t> Node<'t> {
    pub(super) fn root(tree: &'t tree_sitter::Tree) -> Self {
        Self::of(tree.root_node(), None)
    }

    fn of(node: tree_sitter::Node<'t>, field: Option<Field>) -> Self {
        let kind = if node.is_error() {
            Kind::Error
        } else {
            GRAMMAR.kinds.get(usize::from(node.kind_id())).copied().unwrap_or(Kind::Other)
        };
        Self { kind, field, node }
    }

    /// Its bytes in the text that was parsed.
    pub(super) fn bytes(self) -> std::ops::Range<usize> {
        self.node.byte_range()
    }

    /// Whether it has a kind of its own, and is not only a word or sign of the grammar.
    pub(super) fn is_named(self) -> bool {
        self.node.is_named()
    }

    /// Whether the parser could not make sense of something in it.
    pub(super) fn has_error(self) -> bool {
        self.node.has_error()
    }

    /// Its children without comments.
    pub(super) fn children(self) -> Children<'t> {
        let mut cursor = self.node.walk();
        let mut children = Vec::new();
        let mut more = cursor.goto_first_child();
        while more {
            let node = cursor.node();
            if !node.is_extra() {
                children.push(Self::of(node, field_of(&cursor)));
            }
            more = cursor.goto_next_sibling();
        }
        Children(children)
    }
}

fn field_of(cursor: &TreeCursor) -> Option<Field> {
    GRAMMAR.fields.get(usize::from(cursor.field_id()?.get())).copied()
}

/// The children of a node.
pub(super) struct Children<'t>(Vec<Node<'t>>);

impl<'t> Children<'t> {
    /// All of them, words and signs of the grammar included.
    pub(super) fn all(&self) -> impl Iterator<Item = Node<'t>> {
        self.0.iter().copied()
    }

    /// Those that have a kind of their own.
    pub(super) fn named(&self) -> impl Iterator<Item = Node<'t>> {
        self.all().filter(|child| child.is_named())
    }

    /// The first of a field.
    pub(super) fn field(&self, field: Field) -> Option<Node<'t>> {
        self.all().find(|child| child.field == Some(field))
    }

    /// All of a field.
    pub(super) fn fields(&self, field: Field) -> impl Iterator<Item = Node<'t>> {
        self.all().filter(move |child| child.field == Some(field))
    }
}
