"""The prompt: a session that answers what is typed (`session`), and the terminal around it (`terminal`)."""
