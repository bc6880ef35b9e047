"""The lints, one file each: its code, its name, whether it is on by itself, and its check.

A file here is a lint by being here. `docs/errors/CODE.md` says what, why, an example and what to write instead.
"""
