"""The syntax: from text to the tree of `segdsl.syntax.ast`, with no catalog needed."""

from segdsl.syntax.parser import parse_file, parse_rule

__all__ = ["parse_file", "parse_rule"]
