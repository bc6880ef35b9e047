"""Where the lines break, and where the comments go.

Declarations are written in the order of the source, and so are their parts; a comment is written as soon as the
writer comes to a part that starts behind it. A comment on its own line stays on its own line; one behind
something stays behind the line that this something is now on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from segdsl.format.words import AND, NOT, OR, TEST, level, name, text, words
from segdsl.syntax import ast
from segdsl.text.source import Source

WIDTH = 100
_STEP = 4


@dataclass
class Line:
    """One line of output; `comment` stands behind it."""

    text: str
    comment: str = ""

    def __str__(self) -> str:
        return f"{self.text}  {self.comment}".rstrip() if self.comment else self.text


@dataclass
class Writer:
    """The lines written so far, and the comments not yet written, first one last."""

    source: Source
    comments: list[ast.Comment]
    lines: list[Line] = field(default_factory=list)

    def line(self, indent: int, text: str) -> None:
        """Write a line."""
        self.lines.append(Line(" " * indent + text))

    def before(self, offset: int, indent: int) -> None:
        """Write the comments that stand before `offset`."""
        while self.comments and self.comments[-1].span.start < offset:
            self._comment(self.comments.pop(), indent)

    def _comment(self, comment: ast.Comment, indent: int) -> None:
        last = self.lines[-1] if self.lines else None
        if comment.own_line or last is None or not last.text or last.comment or last.text.lstrip().startswith("#"):
            self.line(indent, comment.text)
        else:
            last.comment = comment.text

    def inside(self, end: int) -> bool:
        """Whether a comment not yet written stands before `end`."""
        return bool(self.comments) and self.comments[-1].span.start < end

    def whole(self, node: ast.Node, indent: int, content: str) -> None:
        """Write a part on one line; comments inside it go above, the last one behind if it stood behind something."""
        self.before(node.span.start, indent)
        behind = ""
        while self.inside(node.span.end):
            comment = self.comments.pop()
            if not comment.own_line and not self.inside(node.span.end):
                behind = comment.text
            else:
                self.line(indent, comment.text)
        self.lines.append(Line(" " * indent + content, behind))

    def blank(self) -> None:
        """Write an empty line, unless there is one."""
        if self.lines and self.lines[-1].text:
            self.lines.append(Line(""))

    # --- expressions ----------------------------------------------------------------------------------------

    def rule(
        self,
        node: ast.Expression,
        indent: int,
        prefix: str = "",
        least: int = OR,
        nested: bool = False,
        broken: bool = False,
    ) -> None:
        """Write a rule behind `prefix`: on one line if it fits and holds no comment, else one line a part.

        least: how tightly the rule must hold together to need no parentheses.
        nested: the lines behind the first are indented, since they belong to a part of a chain.
        broken: the parentheses around it are broken already, so it takes a line a part even if it would fit.
        """
        content = prefix + words(node, least)
        self.before(node.span.start, indent)
        if len(content) + indent <= WIDTH and not broken and not self.inside(node.span.end):
            self.line(indent, content)
        elif level(node) < least and level(node) < TEST:
            self.line(indent, prefix + "(")
            self.rule(node, indent + _STEP, broken=True)
            self.before(node.span.end, indent + _STEP)
            self.line(indent, ")")
        elif isinstance(node, ast.Not) and level(node.operand) < TEST:
            self.rule(node.operand, indent, prefix + "not ", NOT, nested, broken=broken)
        elif isinstance(node, ast.Or | ast.And | ast.Sequence):
            self._parts(node, indent, indent + _STEP if prefix or nested else indent, prefix)
        else:
            self.whole(node, indent, content)

    def _parts(self, node: ast.Or | ast.And | ast.Sequence, first: int, others: int, prefix: str) -> None:
        """The operands of a chain, each on its own line, the first at indent `first`."""
        if isinstance(node, ast.Sequence):
            for index, step in enumerate(node.steps):
                word = prefix if index == 0 else "then not " if step.negated else "then "
                # the steps behind the first are indented: they belong to it
                self.rule(step.test, first if index == 0 else first + _STEP, word, TEST, nested=True)
            return
        word, least = ("or ", AND) if isinstance(node, ast.Or) else ("and ", NOT)
        for index, operand in enumerate(node.operands):
            indent, lead = (first, prefix) if index == 0 else (others, word)
            self.rule(operand, indent, lead, least, nested=isinstance(node, ast.Or))

    # --- declarations ---------------------------------------------------------------------------------------

    def heading(self, word: str, subject: ast.Name, title: ast.Text | None, at: int) -> None:
        """Write `segment NAME "title":` or its like, behind the comments above it."""
        self.before(at, 0)
        self.line(0, f"{word} {name(subject)}" + (f" {text(title)}" if title else "") + ":")

    def declaration(self, node: ast.Declaration) -> None:
        """Write a segment, a score or a test block."""
        match node:
            case ast.Segment():
                self.heading("segment", node.name, node.title, node.span.start)
                self.rule(node.rule, _STEP)
            case ast.Score():
                self.heading("score", node.name, node.title, node.span.start)
                for score_line in node.lines:
                    self._score_line(score_line)
            case ast.TestCase():
                self.heading("test", node.segment, node.title, node.span.start)
                for test_line in node.lines:
                    self.whole(test_line, _STEP, _test_line(test_line))

    def _score_line(self, node: ast.ScoreLine) -> None:
        self.before(node.span.start, _STEP)
        if node.condition is not None:
            self.rule(node.condition, _STEP, f"{node.points.text} if ")
        elif node.per is not None:
            cap = f", at most {node.cap.text}" if node.cap else ""
            self.whole(node, _STEP, f"{node.points.text} per {words(node.per)}{cap}")

    def _leftmost(self, comment: ast.Comment) -> bool:
        at = comment.span.start
        return at == 0 or self.source.text[at - 1] in "\n\r\ufeff"

    def between(self, end: int) -> None:
        """The comments between two declarations: indented ones end the one above, the others begin the next."""
        while self.comments and self.comments[-1].span.start < end:
            comment = self.comments[-1]
            if comment.own_line and self._leftmost(comment):
                break
            self._comment(self.comments.pop(), _STEP if self.lines else 0)
        self.blank()
        while self.comments and self.comments[-1].span.start < end:
            comment = self.comments.pop()
            self.line(0, comment.text)
            following = self.comments[-1].span.start if self.inside(end) else end
            gap = self.source.text[comment.span.end : following]
            if gap.replace("\r\n", "\n").replace("\r", "\n").count("\n") > 1:
                self.blank()


def _assignments(nodes: tuple[ast.Given, ...]) -> str:
    return ", ".join(_given(node) for node in nodes)


def _given(node: ast.Given) -> str:
    match node:
        case ast.Assignment():
            return f"{words(node.name)} = {_value(node.value)}"
        case ast.GivenList():
            return ("" if node.member else "not ") + f"in list {text(node.list)}"


def _value(node: ast.Expression | ast.Unknown | ast.TextList | ast.Place) -> str:
    match node:
        case ast.Unknown():
            return "unknown"
        case ast.TextList():
            return "(" + ", ".join(text(item) for item in node.items) + ")"
        case ast.Place():
            return f"({node.latitude.text}, {node.longitude.text})"
        case _:
            return words(node)


def _test_line(node: ast.GivenContact | ast.GivenEvent | ast.GivenSet | ast.Expect) -> str:
    match node:
        case ast.GivenContact():
            return "contact " + _assignments(node.assignments)
        case ast.GivenEvent():
            return f"{node.at.text} {words(node.event)}"
        case ast.GivenSet():
            return f"{node.at.text} set {_assignments(node.assignments)}"
        case ast.Expect():
            return f"on {node.at.text} " + ("in" if node.inside else "out")


def lay_out(source: Source, file: ast.File) -> str:
    """The canonical text of a file that was read without errors."""
    comments = sorted(file.comments, key=lambda comment: comment.span.start, reverse=True)
    writer = Writer(source, comments)
    for node in file.declarations:
        writer.between(node.span.start)
        writer.declaration(node)
    writer.between(len(source.text) + 1)
    while writer.lines and not writer.lines[-1].text:
        writer.lines.pop()
    return "".join(f"{line}\n" for line in writer.lines)
