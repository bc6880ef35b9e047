"""The project file, `segdsl.yml`: reading it, and what it declares."""

from segdsl.catalog.load import find, load, load_text
from segdsl.catalog.model import Catalog, name_key

__all__ = ["Catalog", "find", "load", "load_text", "name_key"]
