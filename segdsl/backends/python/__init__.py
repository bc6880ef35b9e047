"""The Python backend: a predicate over one contact's facts, generated as Python source."""

from segdsl.backends.python.index import Index
from segdsl.backends.python.program import CompiledProgram, compile_program

__all__ = ["CompiledProgram", "Index", "compile_program"]
