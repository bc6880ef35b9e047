"""What can be said about rules before any contact is known."""
