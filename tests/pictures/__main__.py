"""Makes the pictures of `docs/images/` again: `python -m tests.pictures`."""

from tests.pictures.drawing import files

for path, text in files().items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
