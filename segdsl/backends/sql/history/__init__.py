"""Exact histories of membership in one statement: what changes at which instant, laid together and summed up."""
