"""Base columns that a frame's columns are computed from, by the expression ids of Spark's analyzed plan."""

import json
import re


class Plan:
    """A plan as `TreeNode.toJSON` prints it: nodes in pre-order, each with the number of its children."""

    def __init__(self, frame):
        self.made = {}  # expression id -> ids that it is computed from
        self.same = {}  # expression id -> the id of the column that it renames
        self.hidden = set()  # expression ids that a query inside an expression computes, whose plan is not printed
        self.queries = {}  # number of a WITH query -> expression ids of its columns
        self.base = {}  # expression id -> (table, column)
        self.root = self._tree(iter(json.loads(frame._jdf.queryExecution().analyzed().toJSON())))
        self._learn(self.root, None)

    def sources(self):
        """For each column of the frame in order: the base columns, sorted, or None where they cannot be followed."""
        found = []
        for column in self.output(self.root):
            seen = set()
            bases = self._bases(column, seen)
            found.append(None if seen & self.hidden else sorted(bases))
        return found

    def joins(self):
        """`(how, {(left base column, right base column)})` of each join that compares columns of tables as they are."""
        found = []
        self._joins(self.root, found)
        return found

    def _joins(self, node, found):
        if node["class"].endswith(".Join") and isinstance(node.get("condition"), list):
            left = set(self.output(node["children"][0]))
            condition = self._tree(iter([dict(part) for part in node["condition"]]))
            pairs = set()
            for equality in _conjuncts(condition):
                sides = [child for child in equality["children"] if child["class"].endswith(".AttributeReference")]
                ids = sorted((side["exprId"]["id"] for side in sides), key=lambda one: one not in left)
                names = [self._column(one) for one in ids]
                if equality["class"].endswith(".EqualTo") and len(names) == 2 and None not in names:
                    if [one in left for one in ids] == [True, False]:
                        pairs.add(tuple(names))
            if pairs:
                found.append((_how(node), pairs))
        for child in node["children"]:
            self._joins(child, found)

    def _column(self, found):
        """The base column that this is another name of."""
        while found in self.same:
            found = self.same[found]
        return self.base[found][1] if found in self.base else None

    def _bases(self, found, seen):
        if found in seen:
            return set()
        seen.add(found)
        if found in self.base:
            return {self.base[found]}
        return set().union(*(self._bases(part, seen) for part in self.made.get(found, ())), set())

    def _tree(self, nodes):
        node = next(nodes)
        node["children"] = [self._tree(nodes) for _ in range(node["num-children"])]
        return node

    def _learn(self, node, alias):
        kind = node["class"].rsplit(".", 1)[-1]
        if kind == "SubqueryAlias":
            name = node["identifier"]
            # The qualifier prints as `[spark_catalog, sales]`.
            within = str(name["qualifier"]).strip("[]").split(", ")[-1]
            alias = f"{within}.{name['name']}" if within else name["name"]
        for child in node["children"]:
            self._learn(child, alias if kind in ("SubqueryAlias", "View") else None)
        if kind == "CTERelationDef":
            self.queries[node["id"]] = self.output(node["children"][0])
        if kind == "CTERelationRef":
            for made, read in zip(self.output(node), self.queries[node["cteId"]]):
                if made != read:
                    self.made.setdefault(made, set()).add(read)
                    self.same[made] = read
        elif not node["children"] and isinstance(node.get("output"), list):
            for attribute in node["output"]:
                self.base[attribute[0]["exprId"]["id"]] = (alias or kind, attribute[0]["name"])
        for field, value in node.items():
            if field != "children":
                self._expressions(value)
        if kind == "Union":
            for parts in zip(*(self.output(child) for child in node["children"])):
                self.made.setdefault(parts[0], set()).update(parts[1:])
                self.same.pop(parts[0], None)
                if parts[0] in self.base:
                    # The first child's own column: its id then stands for all of the children.
                    base = self.base.pop(parts[0])
                    self.base[("base", parts[0])] = base
                    self.made[parts[0]].add(("base", parts[0]))
        if kind == "Generate":
            read = _references(node["generator"])
            for attribute in node["generatorOutput"]:
                self.made.setdefault(attribute[0]["exprId"]["id"], set()).update(read)

    def _expressions(self, value):
        if isinstance(value, dict):
            for part in value.values():
                self._expressions(part)
        elif isinstance(value, list):
            if value and isinstance(value[0], dict) and "class" in value[0] and "num-children" in value[0]:
                self._aliases(self._tree(iter([dict(part) for part in value])))
            else:
                for part in value:
                    self._expressions(part)

    def _aliases(self, expression):
        if expression["class"].endswith(".Alias"):
            self.made.setdefault(expression["exprId"]["id"], set()).update(_read(expression))
            if _asks(expression):
                self.hidden.add(expression["exprId"]["id"])
            if expression["children"][0]["class"].endswith(".AttributeReference"):
                self.same[expression["exprId"]["id"]] = expression["children"][0]["exprId"]["id"]
        for child in expression["children"]:
            self._aliases(child)

    def output(self, node):
        """The expression ids of a node's columns."""
        kind = node["class"].rsplit(".", 1)[-1]
        below = [self.output(child) for child in node["children"]]
        if kind in ("Project", "Aggregate"):
            listed = node["projectList" if kind == "Project" else "aggregateExpressions"]
            return [expression[0]["exprId"]["id"] for expression in listed]
        if kind == "Join":
            return below[0] if _how(node) in ("left_semi", "left_anti") else below[0] + below[1]
        if kind == "Window":
            return below[0] + [expression[0]["exprId"]["id"] for expression in node["windowExpressions"]]
        if kind == "Generate":
            return below[0] + [attribute[0]["exprId"]["id"] for attribute in node["generatorOutput"]]
        if below:
            # The queries of a WITH come first, and what reads them last.
            return below[-1 if kind == "WithCTE" else 0]
        return [attribute[0]["exprId"]["id"] for attribute in node.get("output") or []]


def _how(join):
    kind = join["joinType"]["object"] if isinstance(join["joinType"], dict) else str(join["joinType"])
    name = kind.rsplit(".", 1)[-1].strip("$")
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower().replace("_outer", "")


def _conjuncts(condition):
    if condition["class"].endswith(".And"):
        return [part for child in condition["children"] for part in _conjuncts(child)]
    return [condition]


def _asks(expression):
    return expression["class"].endswith(("Subquery", ".ListQuery", ".Exists")) or any(map(_asks, expression["children"]))


def _read(expression):
    ids = set()
    for child in expression["children"]:
        if child["class"].endswith(".AttributeReference"):
            ids.add(child["exprId"]["id"])
        ids |= _read(child)
    return ids


def _references(expression):
    return {part["exprId"]["id"] for part in expression if part["class"].endswith(".AttributeReference")}
