"""The pictures of docs/images: what commands draw in a terminal, of made-up objects."""
