"""Turn what `plan` said on standard error into the text of a comment: as it stands, without links, mentions or HTML."""

import html
import sys

LONGEST = 4_000

said = sys.stdin.read(LONGEST).strip() or "It says nothing."
sys.stdout.write(f"### ColdSend plan\n\nThere is no plan:\n\n<pre>{html.escape(said).replace('@', '&#64;')}</pre>\n")
