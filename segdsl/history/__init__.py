"""Who was in which segment from when to when, out of what is stored."""
