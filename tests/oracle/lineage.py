"""Base columns that a frame's columns are computed from, by the expression ids of Spark's analyzed plan."""

import json


class Plan:
    """A plan as `TreeNode.toJSON` prints it: nodes in pre-order, each with the number of its children."""

    def __init__(self, frame):
        self.made = {}  # expression id -> ids that it is computed from
        self.queries = {}  # number of a WITH query -> expression ids of its columns
        self.base = {}  # expression id -> (table, column)
        self.root = self._tree(iter(json.loads(frame._jdf.queryExecution().analyzed().toJSON())))
        self._learn(self.root, None)

    def sources(self):
        """For each column of the frame in order: the base columns, sorted."""
        return [sorted(self._bases(found, set())) for found in self.output(self.root)]

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
        elif not node["children"] and isinstance(node.get("output"), list):
            for attribute in node["output"]:
                self.base[attribute[0]["exprId"]["id"]] = (alias or kind, attribute[0]["name"])
        for field, value in node.items():
            if field != "children":
                self._expressions(value)
        if kind == "Union":
            for parts in zip(*(self.output(child) for child in node["children"])):
                self.made.setdefault(parts[0], set()).update(parts[1:])
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
            how = node["joinType"]["object"] if isinstance(node["joinType"], dict) else str(node["joinType"])
            return below[0] if "LeftSemi" in how or "LeftAnti" in how else below[0] + below[1]
        if kind == "Window":
            return below[0] + [expression[0]["exprId"]["id"] for expression in node["windowExpressions"]]
        if kind == "Generate":
            return below[0] + [attribute[0]["exprId"]["id"] for attribute in node["generatorOutput"]]
        if below:
            # The queries of a WITH come first, and what reads them last.
            return below[-1 if kind == "WithCTE" else 0]
        return [attribute[0]["exprId"]["id"] for attribute in node.get("output") or []]


def _read(expression):
    ids = set()
    for child in expression["children"]:
        if child["class"].endswith(".AttributeReference"):
            ids.add(child["exprId"]["id"])
        ids |= _read(child)
    return ids


def _references(expression):
    return {part["exprId"]["id"] for part in expression if part["class"].endswith(".AttributeReference")}
