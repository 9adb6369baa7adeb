"""Makes the test cases of `argocd/` again: `python -m tests.argocd`."""

from tests.argocd.cases import files

for path, text in files().items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
