"""Running the lints: where they look, what silences and what mends them."""
