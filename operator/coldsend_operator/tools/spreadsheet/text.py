"""From the bytes of a file to its text, in the encodings that spreadsheet programs write."""

import codecs

from coldsend_operator.tools.errors import CommandError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods; .xls
_SAMPLE = 200


def decode(raw: bytes) -> str:
    """Decode a CSV file: by a byte order mark, else as UTF-16 if it looks like it, UTF-8, or Windows-1252.

    No guess by frequency: text that is valid UTF-8 is practically never anything else, and Windows-1252 is what
    Excel writes otherwise.
    """
    if raw.startswith(_WORKBOOKS):
        raise CommandError("the file is a workbook, not text; save the sheet as CSV (UTF-8) and import that file")
    for encoding, body in _candidates(raw):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    # Raised outside the loop: the error of the codec holds the bytes of the file, and with them passwords.
    raise CommandError("the file is neither UTF-8, UTF-16 nor Windows-1252 text; save the sheet as CSV (UTF-8)")


def _candidates(raw: bytes) -> list[tuple[str, bytes]]:
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return [(encoding, raw[len(mark) :])]
    sample = raw[:_SAMPLE]
    if b"\0" in sample:
        # Headers are ASCII, so every second byte is zero: the first of each pair, or the second.
        return [("utf-16-be" if sample[:1] == b"\0" else "utf-16-le", raw)]
    return [("utf-8", raw), ("windows-1252", raw)]
