"""The whole list of a workspace, page by page."""

from dataclasses import dataclass

from coldsend_operator.coldsend.errors import CallFailed
from coldsend_operator.core.model.answers import FailureKind, Row
from coldsend_operator.tools.clients import ColdSendReader
from coldsend_operator.tools.errors import CommandError
from coldsend_operator.tools.output import counted, remark
from coldsend_operator.tools.terminal import Progress

CHEAP = 5  # up to this many requests need no announcement
PAGE = 100


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows sorted by address. `missing` says why some are missing; empty if the list is complete."""

    rows: tuple[Row, ...]
    missing: str = ""


async def whole_list(reader: ColdSendReader, **filters: str | None) -> Listing:
    """All matching inboxes. A refusal by ColdSend ends the list with the rows read so far."""
    found: dict[str, Row] = {}
    page, pages, missing = 0, 1, ""
    total: int | None = None
    with Progress("pages of the list") as progress:
        while page < pages:
            page += 1
            try:
                answer = await reader.list_accounts(page=page, **filters)
            except CallFailed as error:
                missing = _ended(error, page, pages)
                break
            found.update((row.inbox_id, row) for row in answer.rows)
            if page == 1:
                total = answer.total
                pages = max(1, -(-total // PAGE)) if total is not None else 1
                _tell_price(reader, pages)
            pages = max(pages, page + 1) if answer.has_next and total is None else pages
            progress.show(page, pages)
    if not missing and total is not None and len(found) != total:
        missing = f"the list changed while it was read: {len(found):,} of {total:,} inboxes were seen; run it again"
    return Listing(tuple(sorted(found.values(), key=lambda row: (row.address, row.inbox_id))), missing)


def _tell_price(reader: ColdSendReader, pages: int) -> None:
    allowed = reader.allowance.per_hour
    if pages > allowed:
        raise CommandError(
            f"the list takes {pages:,} requests, but commands may send {allowed} per hour (COLDSEND_RESERVE); narrow "
            "it down with --type, --status or --search"
        )
    if pages > CHEAP:
        minutes = round(reader.allowance.seconds(pages - 1) / 60)
        takes = f" and about {counted(minutes, 'minute', 'minutes')}" if minutes else ""
        remark(f"This takes {pages} of the {allowed} requests per hour that commands may send{takes}")


def _ended(error: CallFailed, page: int, pages: int) -> str:
    """Why the list ends here. Raises CommandError if nothing was read."""
    failure = error.failure
    if failure.kind is FailureKind.RATE_LIMITED:
        sentence = f"ColdSend allows no more requests at the moment ({failure.message})"
    elif failure.status is None:  # nothing was sent, or nothing came back
        sentence = failure.message
    else:
        sentence = f"ColdSend answered with an error: {failure.message}"
    if page == 1:
        raise CommandError(sentence) from None
    return f"{sentence}; {page - 1} of {pages} pages were read"
