"""Plain lines: one at each change, or every step with its properties (`--diff`)."""

from sandbox.engine.events import Diagnostic
from sandbox.engine.show import difference
from sandbox.engine.show.display import Display, Row
from sandbox.engine.show.words import COLORS, PREFIXES, display_name
from sandbox.engine.state.resources import STACK_TYPE, Resource, name_of, type_of


class Lines(Display):
    """A line at each change: for files, pipes and CI."""

    def begin(self) -> None:
        """See Display."""
        super().begin()
        self.merges_replacements = False
        self._printed: set[str] = set()

    def row(self, row: Row) -> None:
        """See Display."""
        if not self.visible(row) or (self.planning and not row.ended):
            return
        component = not row.step.res.custom and row.step.res.type != STACK_TYPE
        if component and row.ended and not (self.planning or row.failed):
            return  # the real engine shows that one begins, and ends with its children
        if row.step.res.type == STACK_TYPE and row.op == "same" and self._printed:
            return
        resource = row.step.res
        cells = (self.prefix(row), display_name(resource.type), resource.name, self.status(row), self.info(row))
        line = " " + " ".join(cells).rstrip()
        if line not in self._printed:
            self._printed.add(line)
            self.print(line, COLORS[self.prefix(row)[0]])

    def message(self, diagnostic: Diagnostic) -> None:
        """See Display."""
        urn = diagnostic.urn
        owner = (
            f"{display_name(type_of(urn))} {name_of(urn)}"
            if urn
            else f"{STACK_TYPE} {self._stack.project}-{self._stack.name}"
        )
        words = "" if diagnostic.severity.startswith("info") else f"{diagnostic.severity}: "
        self.print(
            f"    {owner} {words}{diagnostic.message.strip().partition(chr(10))[0]}".rstrip(),
            {"error": "red", "warning": "yellow"}.get(diagnostic.severity, ""),
        )


class DiffView(Lines):
    """Every step with the properties that change (`--diff`)."""

    def row(self, row: Row) -> None:
        """See Display."""
        step = row.step
        told_at_end = self.kind == "refresh" or row.op in ("read", "import")
        if bool(row.ended) != told_at_end or not self.visible(row) or (row.op == "replace" and self.planning):
            return
        for line in difference.block(PREFIXES[row.op], row.op, step, self._depth(step.res)):
            sign = line.strip()[:1]
            self.print(line, COLORS.get(sign, ""))

    def _depth(self, resource: Resource) -> int:
        depth, parent = 0, resource.parent
        while parent in self.rows:
            depth, parent = depth + 1, self.rows[parent].step.res.parent
        return depth
