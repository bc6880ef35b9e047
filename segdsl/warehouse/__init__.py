"""Stored membership: what a refresh would change, and changing it."""
