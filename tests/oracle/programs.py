"""The programs that are asked about: the cases of tests/spec, programs made up at random, and mutants of these."""

import random
import re
from pathlib import Path

# Every job argument has this value, with its name in lower case behind it.
ARGUMENT = "arg_"
SPEC = Path(__file__).parent.parent / "spec"

TABLES = {
    "sales.orders": [
        ["id", "bigint", True],
        ["customer_id", "bigint", False],
        ["amount", "double", False],
        ["status", "string", False],
        ["day", "date", False],
    ],
    "sales.customers": [["id", "bigint", True], ["name", "string", False], ["city", "string", False]],
    "sales.visits": [["customer_id", "bigint", False], ["day", "date", False], ["pages", "int", False], ["note", "string", False]],
}
HEAD = "from pyspark.sql import functions as F\nfrom pyspark.sql.window import Window\n\n"


def spec():
    """Each Python block of the pages, with the tables that its page declares."""
    programs = []
    for page in sorted(SPEC.glob("*.md")):
        heading, tables = "", {}
        for part in re.finditer(r"^#+ ([^\n]*)$|^```(\w+)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S):
            title, kind, block = part.groups()
            if title:
                heading = title
            elif kind == "tables":
                tables = dict(_declared(line) for line in block.splitlines())
            elif kind == "python":
                programs.append({"id": f"{page.stem}: {heading}", "script": block, "tables": tables, "arguments": ARGUMENT})
    return programs


def _declared(line):
    name, columns = line.split(": ", 1)
    words = [column.split(" ") for column in columns.split(", ")]
    return name, [[word[0], word[1], word[2:] == ["key"]] for word in words]


def generated(count, seed=7):
    """Programs over TABLES; most run, some name what is no longer there."""
    return [
        {"id": f"generated {number}", "script": _Program(random.Random(seed * 1_000_003 + number)).text(), "tables": TABLES}
        for number in range(count)
    ]


def mutants(count, seed=11):
    """Programs of which one name, key or step is changed."""
    made = []
    number = 0
    while len(made) < count:
        chance = random.Random(seed * 1_000_003 + number)
        program = _Program(chance).text()
        number += 1
        mutant = _mutated(program, chance)
        if mutant != program:
            made.append({"id": f"mutant {len(made)}", "script": mutant, "tables": TABLES})
    return made


def _mutated(text, chance):
    lines = text.splitlines(keepends=True)
    body = [number for number, line in enumerate(lines) if re.match(r"df\d+ = ", line) and number > 3]
    if not body:
        return text
    number = chance.choice(body)
    names = list(re.finditer(r"[\"']([a-z_0-9]+)[\"']", lines[number]))
    if names and chance.random() < 0.7:
        name = chance.choice(names)
        other = chance.choice([name[1] + "_x", "amount", "name", "customer_id", "day"])
        lines[number] = lines[number][: name.start(1)] + other + lines[number][name.end(1) :]
    else:
        target, source = re.match(r"(df\d+) = (?:.*?)(df\d+)?\b", lines[number]).groups()
        before = [line.split(" = ")[0] for line in lines[:number] if re.match(r"df\d+ = ", line)]
        if before:
            lines[number] = f"{target} = {source or before[-1]}\n" if source != target else f"{target} = {before[-1]}\n"
    return "".join(lines)


class _Program:
    """One program: a chain of steps from a table to a write, with what is known of its columns."""

    def __init__(self, chance):
        self.chance = chance
        self.lines = []
        self.number = 0

    def text(self):
        columns = self.read(self.one(sorted(TABLES)))
        for _ in range(self.chance.randint(2, 6)):
            columns = self.step(columns)
        mode = self.one(["append", "overwrite"])
        self.lines.append(f"df{self.number}.write.mode(\"{mode}\").saveAsTable(\"gold.result\")")
        return HEAD + "\n".join(self.lines) + "\n"

    def one(self, items):
        return self.chance.choice(list(items))

    def some(self, items, least=1):
        items = list(items)
        return sorted(self.chance.sample(items, self.chance.randint(min(least, len(items)), len(items))), key=items.index)

    def frame(self, expression):
        self.number += 1
        self.lines.append(f"df{self.number} = {expression}")

    def read(self, table):
        columns = {name: kind for name, kind, _ in TABLES[table]}
        self.frame(self.one([f'spark.table("{table}")', f'spark.read.table("{table}")', f'spark.sql("SELECT * FROM {table}")']))
        return columns

    def step(self, columns):
        steps = [
            self.select, self.with_column, self.rename, self.drop, self.where, self.where, self.group, self.distinct,
            self.drop_duplicates, self.join, self.join, self.first_of, self.union, self.sql, self.limit, self.fill,
        ]
        return self.one(steps)(columns)

    def now(self):
        return f"df{self.number}"

    def number_column(self, columns):
        numbers = [name for name, kind in columns.items() if kind in ("bigint", "int", "double")]
        return self.one(numbers) if numbers else None

    def text_column(self, columns):
        texts = [name for name, kind in columns.items() if kind == "string"]
        return self.one(texts) if texts else None

    def fresh(self, columns):
        return next(name for name in (f"c{number}" for number in range(100)) if name not in columns)

    def value(self, columns):
        """An expression over the columns, as Python, and its kind."""
        number, text = self.number_column(columns), self.text_column(columns)
        name = self.one(columns)
        options = [
            (f'F.col("{name}")', columns[name]),
            (f'F.lit({self.one(["1", "2.5"])})', None),
            (f'F.when(F.col("{name}").isNull(), F.lit("x")).otherwise(F.lit("y"))', "string"),
            (f'F.coalesce(F.col("{name}"), F.col("{name}"))', columns[name]),
            (f'F.col("{name}").cast("string")', "string"),
            (f'F.concat_ws("-", *[F.col("{name}"), F.lit("z")])', "string"),
        ]
        if number:
            options += [
                (f'F.col("{number}") + 1', columns[number] if columns[number] == "double" else None),
                (f'(F.col("{number}") * 2).cast("double")', "double"),
                (f'F.expr("{number} % 3")', None),
                (f'F.round(F.col("{number}").cast("double"), 1)', "double"),
            ]
        if text:
            options += [(f'F.upper(F.col("{text}"))', "string"), (f'F.length("{text}")', "int"), (f'F.trim(F.col("{text}"))', "string")]
        return self.one(options)

    def select(self, columns):
        kept = self.some(columns)
        items = [self.one([f'"{name}"', f'F.col("{name}")']) for name in kept]
        found = {name: columns[name] for name in kept}
        if self.chance.random() < 0.5:
            value, kind = self.value(columns)
            name = self.fresh(columns)
            items.append(f'({value}).alias("{name}")')
            found[name] = kind
        self.frame(f"{self.now()}.select({', '.join(items)})")
        return found

    def with_column(self, columns):
        value, kind = self.value(columns)
        name = self.one([self.fresh(columns), self.one(columns)])
        self.frame(f'{self.now()}.withColumn("{name}", {value})')
        return {**columns, name: kind}

    def rename(self, columns):
        old, new = self.one(columns), self.fresh(columns)
        self.frame(f'{self.now()}.withColumnRenamed("{old}", "{new}")')
        return {new if name == old else name: kind for name, kind in columns.items()}

    def drop(self, columns):
        if len(columns) < 2:
            return columns
        name = self.one(columns)
        self.frame(f'{self.now()}.drop("{name}")')
        return {other: kind for other, kind in columns.items() if other != name}

    def where(self, columns):
        name = self.one(columns)
        conditions = [f'F.col("{name}").isNotNull()', f'"{name} IS NOT NULL"', f'{self.now()}["{name}"].isNotNull()']
        if number := self.number_column(columns):
            conditions += [f'F.col("{number}") > 1', f'"{number} = 1"', f'F.col("{number}") == 1', f'F.col("{number}").isin(1, 2)']
        if text := self.text_column(columns):
            conditions += [f'F.col("{text}") == "a"', f'"{text} = \'a\'"', f'F.col("{text}") == F.lit("a")', f'"{text} = 1"']
        self.frame(f"{self.now()}.{self.one(['filter', 'where'])}({self.one(conditions)})")
        return columns

    def group(self, columns):
        keys = self.some(columns)[:2]
        found = {key: columns[key] for key in keys}
        aggregates = []
        for name in self.some(columns)[:2]:
            function = self.one(["count", "max", "min", "countDistinct"] + (["sum", "avg"] if columns[name] in ("bigint", "double", "int") else []))
            alias = self.fresh(found | columns)
            aggregates.append(f'F.{function}("{name}").alias("{alias}")')
            found[alias] = "bigint" if "count" in function else columns[name] if function in ("max", "min") else None
        if len(set(aggregates)) > 1 and aggregates[0].split("alias")[1] == aggregates[1].split("alias")[1]:
            aggregates = aggregates[:1]
        listed = ", ".join(f'"{key}"' for key in keys)
        self.frame(f"{self.now()}.groupBy({listed}).agg({', '.join(aggregates)})")
        return found

    def distinct(self, columns):
        self.frame(f"{self.now()}.distinct()")
        return columns

    def drop_duplicates(self, columns):
        keys = ", ".join(f'"{key}"' for key in self.some(columns)[:2])
        self.frame(f"{self.now()}.dropDuplicates([{keys}])")
        return columns

    def join(self, columns):
        left = self.now()
        table = self.one(sorted(TABLES))
        right = self.read(table)
        other = self.now()
        if self.chance.random() < 0.3:
            right = self.one([self.drop_duplicates, self.group, self.distinct])(right)
            other = self.now()
        how = self.one(["inner", "left", "right", "full", "left_semi", "left_anti"])
        shared = [name for name in columns if name in right]
        semi = how in ("left_semi", "left_anti")
        if shared and self.chance.random() < 0.7:
            keys = self.some(shared)[:2]
            clash = [name for name in shared if name not in keys]
            if clash:
                self.frame(f"{other}.drop({', '.join(f'{chr(34)}{name}{chr(34)}' for name in clash)})")
                other = self.now()
                right = {name: kind for name, kind in right.items() if name not in clash}
            listed = f'"{keys[0]}"' if len(keys) == 1 else str(keys).replace("'", '"')
            self.frame(f'{left}.join({other}, {listed}, "{how}")')
            return columns if semi else {**columns, **right}
        renamed = {f"r_{name}" if name in columns else name: kind for name, kind in right.items()}
        for name in right:
            if name in columns:
                self.frame(f'{other}.withColumnRenamed("{name}", "r_{name}")')
                other = self.now()
        a, b = self.one(columns), self.one(renamed)
        self.frame(f'{left}.join({other}, {left}["{a}"] == {other}["{b}"], "{how}")')
        return columns if semi else {**columns, **renamed}

    def first_of(self, columns):
        keys = ", ".join(f'"{key}"' for key in self.some(columns)[:2])
        order = self.one(columns)
        ranked = self.one(["row_number", "row_number", "rank"])
        self.frame(f'{self.now()}.withColumn("rn", F.{ranked}().over(Window.partitionBy({keys}).orderBy(F.desc("{order}"))))')
        self.frame(f'{self.now()}.filter({self.one([chr(34) + "rn = 1" + chr(34), "F.col(" + chr(34) + "rn" + chr(34) + ") == 1"])}).drop("rn")')
        return columns

    def union(self, columns):
        name = self.now()
        self.frame(f'{name}.filter(F.col("{self.one(columns)}").isNull())')
        self.frame(f"{name}.{self.one(['union', 'unionByName'])}({self.now()})")
        return columns

    def sql(self, columns):
        self.lines.append(f'{self.now()}.createOrReplaceTempView("v{self.number}")')
        view, keys = f"v{self.number}", self.some(columns)[:2]
        listed = ", ".join(keys)
        name = self.fresh(columns)
        kinds = {key: columns[key] for key in keys}
        text, found = self.one([
            (f"SELECT {listed}, count(*) AS {name} FROM {view} GROUP BY {listed}", {**kinds, name: "bigint"}),
            (f"SELECT DISTINCT {listed} FROM {view}", kinds),
            (f"WITH w AS (SELECT {listed} FROM {view} WHERE {keys[0]} IS NOT NULL) SELECT w.{keys[0]} AS {name} FROM w", {name: columns[keys[0]]}),
            (f"SELECT t.*, 1 AS {name} FROM {view} t", {**columns, name: "int"}),
            (f"SELECT a.{keys[0]}, c.city FROM {view} a LEFT JOIN sales.customers c ON a.{keys[0]} = c.id", {keys[0]: columns[keys[0]], "city": "string"}),
            (f"SELECT {listed} FROM {view} WHERE {keys[0]} IN (SELECT customer_id FROM sales.visits)", kinds),
        ])
        self.frame(f'spark.sql("{text}")')
        return found

    def limit(self, columns):
        self.frame(f'{self.now()}.orderBy("{self.one(columns)}").limit({self.one([1, 5, 100])})')
        return columns

    def fill(self, columns):
        name = self.one(columns)
        self.frame(f'{self.now()}.{self.one([f"na.drop(subset=[{chr(34)}{name}{chr(34)}])", "fillna(0)", f"fillna({{{chr(34)}{name}{chr(34)}: {chr(34)}x{chr(34)}}})"])}')
        return columns
