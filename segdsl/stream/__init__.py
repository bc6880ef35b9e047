"""Contacts enter and leave as lines come in and time passes: one line of change for each."""
