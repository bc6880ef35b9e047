"""When an answer changes by itself: what rules say over stretches of time."""
