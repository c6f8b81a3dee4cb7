"""Lists as CSV and XLSX, row by row: a hall of 50,000 is written without being held in memory."""

from __future__ import annotations

import csv
import io
import itertools
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO
from xml.sax.saxutils import escape

Cell = str | int
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""A cell that begins like this is a formula (OWASP, CSV injection): full-width signs too, which a Korean keyboard makes of the plain ones,
and whatever blanks and line breaks stand before them, which a spreadsheet may drop."""
BREAKS = ("\t", "\r", "\n")
BOM = "\ufeff"
"""Without it Excel reads UTF-8 as something else."""
SPOOL_BYTES = 4 * 1024 * 1024
CHUNK_BYTES = 64 * 1024


def csv_lines(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """A CSV file in UTF-8, a line at a time. What a spreadsheet would take for a formula is written as text."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)

    def line(values: Sequence[Cell]) -> bytes:
        writer.writerow([_harmless(value) if isinstance(value, str) else value for value in values])
        written = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return written.encode()

    yield BOM.encode() + line(head)
    for row in rows:
        yield line(row)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(BREAKS) or text.lstrip().startswith(FORMULA) else text


ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""A spreadsheet reads `_x0041_` in a cell as `A` (ECMA-376, ST_Xstring), and this underscore, written so itself, as an underscore."""
NO_XML = "\ufffe\uffff"
"""XML 1.0 has them in no document; one of them in a name, and no program opens the file."""
CONTENT_TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml"'
    ' ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
    "</Types>"
)
RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/>'
    "</Relationships>"
)
WORKBOOK = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="{name}" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
SHEET = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
)


def xlsx_chunks(name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """An Office Open XML workbook (ECMA-376) with one sheet called NAME; numbers are numbers, text is text."""
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as file:
        _write_xlsx(file, name, head, rows)
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _write_xlsx(file: IO[bytes], name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", CONTENT_TYPES)
        book.writestr("_rels/.rels", RELATIONS.format(kind="officeDocument", target="xl/workbook.xml"))
        book.writestr("xl/workbook.xml", WORKBOOK.format(name=escape(name[:31], {'"': "&quot;"})))
        book.writestr("xl/_rels/workbook.xml.rels", RELATIONS.format(kind="worksheet", target="worksheets/sheet1.xml"))
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(SHEET.encode())
            for row in itertools.chain([head], rows):
                sheet.write(f"<row>{''.join(map(_cell, row))}</row>".encode())
            sheet.write(b"</sheetData></worksheet>")


def _cell(value: Cell) -> str:
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    text = "".join(letter for letter in value if (letter >= " " or letter in "\t\n") and letter not in NO_XML)
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(ESCAPED.sub("_x005F_", text))}</t></is></c>'
