//! What can be folded away: blocks, what stands in brackets or quotes over several lines, imports, comments and cells.

use super::cursor::Lexer;

/// Lines that can be folded into the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fold {
    /// The first line, counted from 0, which stays.
    pub first: usize,
    /// The last line that goes.
    pub last: usize,
    /// What they are.
    pub kind: FoldKind,
}

/// What is folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FoldKind {
    /// Statements, or one of several lines.
    Code,
    /// Imports.
    Imports,
    /// Comments.
    Comment,
    /// A cell (`# %%`) or what stands between `# region` and `# endregion`.
    Region,
}

/// A block whose end is not reached.
struct Block {
    indent: usize,
    /// The first and last line of the statement that it belongs to.
    first: usize,
    header: usize,
}

/// What can be folded in a script, in order.
pub fn folds(text: &str) -> Vec<Fold> {
    let mut folds = Folds::default();
    let mut lexer = Lexer::default();
    let (mut at, mut begun) = (0, None);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let continues = lexer.is_open();
        lexer.run(text.as_bytes(), at.max(lexer.place()), at + line.len());
        at += line.len();
        let content = line.trim_end();
        let indent = content.len() - content.trim_start().len();
        match (continues, begun) {
            (true, Some((first, indent, head))) if !lexer.is_open() => {
                // What closes stays in sight.
                let closes = content.trim_start().starts_with([')', ']', '}']);
                folds.add(first, if closes { number - 1 } else { number }, FoldKind::Code);
                folds.statement(first, number, indent, head);
                begun = None;
            }
            (true, _) => {}
            _ if content.is_empty() => {}
            _ if content.trim_start().starts_with('#') => folds.comment(number, content.trim_start()),
            _ if lexer.is_open() => begun = Some((number, indent, content.trim_start())),
            _ => folds.statement(number, number, indent, content.trim_start()),
        }
    }
    folds.finish()
}

#[derive(Default)]
struct Folds {
    found: Vec<Fold>,
    blocks: Vec<Block>,
    imports: Option<(usize, usize)>,
    comments: Option<(usize, usize)>,
    cell: Option<usize>,
    regions: Vec<usize>,
    /// The last line that has something on it.
    last: usize,
}

impl Folds {
    fn add(&mut self, first: usize, last: usize, kind: FoldKind) {
        if first < last {
            self.found.push(Fold { first, last, kind });
        }
    }

    /// A statement from one line to another.
    fn statement(&mut self, first: usize, last: usize, indent: usize, text: &str) {
        self.end_comments();
        while let Some(block) = self.blocks.pop_if(|block| block.indent >= indent) {
            self.end_block(&block);
        }
        self.blocks.push(Block { indent, first, header: last });
        let is_import = text.starts_with("import ") || text.starts_with("from ");
        match self.imports {
            Some((from, _)) if is_import => self.imports = Some((from, last)),
            _ => {
                self.end_imports();
                self.imports = is_import.then_some((first, last));
            }
        }
        self.last = last;
    }

    fn end_block(&mut self, block: &Block) {
        if self.last > block.header {
            self.add(block.first, self.last, FoldKind::Code);
        }
    }

    fn comment(&mut self, line: usize, text: &str) {
        let words = text.trim_start_matches('#').trim_start();
        let is_cell = words.starts_with("%%") || words.starts_with("COMMAND ----------");
        if is_cell {
            self.end_comments();
            self.end_imports();
            if let Some(first) = self.cell.replace(line) {
                self.add(first, line - 1, FoldKind::Region);
            }
        } else if words.starts_with("region") {
            self.regions.push(line);
        } else if words.starts_with("endregion") {
            if let Some(first) = self.regions.pop() {
                self.add(first, line, FoldKind::Region);
            }
        } else {
            match self.comments {
                Some((first, last)) if last + 1 == line => self.comments = Some((first, line)),
                _ => {
                    self.end_comments();
                    self.comments = Some((line, line));
                }
            }
        }
    }

    fn end_comments(&mut self) {
        if let Some((first, last)) = self.comments.take() {
            self.add(first, last, FoldKind::Comment);
        }
    }

    fn end_imports(&mut self) {
        if let Some((first, last)) = self.imports.take() {
            self.add(first, last, FoldKind::Imports);
        }
    }

    fn finish(mut self) -> Vec<Fold> {
        while let Some(block) = self.blocks.pop() {
            self.end_block(&block);
        }
        self.end_comments();
        self.end_imports();
        if let Some(first) = self.cell {
            self.add(first, self.last, FoldKind::Region);
        }
        self.found.sort();
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(usize, usize, FoldKind)]) {
        let found: Vec<_> = folds(text).into_iter().map(|fold| (fold.first, fold.last, fold.kind)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn blocks_end_where_the_indent_does() {
        check(
            "def f(x):\n    if x:\n        return 1\n\n    return 2\n\n\ny = 1\n",
            &[(0, 4, FoldKind::Code), (1, 2, FoldKind::Code)],
        );
        check(
            "if a:\n    b\nelif c:\n    d\nelse:\n    e\n",
            &[(0, 1, FoldKind::Code), (2, 3, FoldKind::Code), (4, 5, FoldKind::Code)],
        );
    }

    #[test]
    fn statements_of_several_lines() {
        check(
            "df = (\n    spark.table('a')\n    .select('b')\n)\nq = \"\"\"\nselect (\n1\"\"\"\nz = 1\n",
            &[(0, 2, FoldKind::Code), (4, 6, FoldKind::Code)],
        );
        check("def f(\n    x,\n):\n    return x\n", &[(0, 1, FoldKind::Code), (0, 3, FoldKind::Code)]);
    }

    #[test]
    fn imports_comments_and_cells() {
        check(
            "# a\n# b\nimport os\n\nfrom x import (\n    y,\n)\nz = 1\n",
            &[(0, 1, FoldKind::Comment), (2, 6, FoldKind::Imports), (4, 5, FoldKind::Code)],
        );
        check(
            "# %% one\na = 1\n\n# %% two\nb = 2\n# region r\nc = 1\n# endregion\n",
            &[(0, 2, FoldKind::Region), (3, 6, FoldKind::Region), (5, 7, FoldKind::Region)],
        );
    }

    #[test]
    fn what_is_not_python_is_folded_as_far_as_it_goes() {
        check("", &[]);
        check("df.select((((\n\n", &[]);
        check("x = '''\nnever\nclosed", &[]);
        check("\tif é:\r\n\t\tpass\r\n\t\tpass\r\n", &[(0, 2, FoldKind::Code)]);
    }
}
