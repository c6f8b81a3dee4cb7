"""Lists, tickets on paper and calendar entries, as other programs read them."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import unicodedata
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import example, given
from hypothesis import strategies as st

from booking_templates.ticket import attendees
from booking_templates.ticket.documents import calendar, pdf, tables
from booking_templates.ticket.models import Order, Ticket
from booking_templates.ticket.place_words import place_name
from tests.booking_fakes import FakeSeat

JSON = "application/json"
URL = "/api/ticket"
Buy = Callable[..., str]
NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def cells(book: bytes) -> list[list[str]]:
    """The first sheet's text, read from the format's description."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            ElementTree.fromstring(archive.read(name))
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    return [[spreadsheets_text("".join(cell.itertext())) for cell in row] for row in sheet.iter(f"{NAMESPACE}row")]


def spreadsheets_text(written: str) -> str:
    """What a spreadsheet shows of WRITTEN (ECMA-376, ST_Xstring)."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), written)


@pytest.fixture
def booked(staff_client: Any, client_for: Callable[[str], Any], keys: Any, buy: Buy, seat: FakeSeat) -> None:
    body = {"title": "오페라의 유령", "venue": "샤롯데씨어터", "performances": [{"id": "p1", "starts_at": "2027-01-10T19:30:00+09:00"}]}
    staff_client.put(f"{URL}/content", body, content_type=JSON)
    for index, name in enumerate(('=HYPERLINK("http://evil")', "김철수, 2세", "<b>&</b>")):
        buyer = f"00000000-0000-7000-8000-00000000000{index}"
        buy(client=client_for(keys.buyer_token(buyer, name=name)), hold_id=seat.hold(buyer, seats=2))


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_the_list_is_exported_as_csv(staff_client: Any, booked: None) -> None:
    answer = staff_client.get(f"{URL}/attendees.csv", {"page": 9})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="attendees.csv"' in answer["Content-Disposition"]
    text = body_of(answer).decode("utf-8-sig")
    head, *rows = list(csv.reader(io.StringIO(text, newline="")))
    assert head[:3] == ["Order", "Name", "Phone"]
    assert len(rows) == 6
    assert {row[1] for row in rows} == {'\'=HYPERLINK("http://evil")', "김철수, 2세", "<b>&</b>"}
    assert rows[0][7] == "150000"
    assert {(row[3], row[6], row[8]) for row in rows} == {("2027-01-10 19:30", "", "valid")}


def test_the_list_is_exported_as_a_workbook(staff_client: Any, booked: None) -> None:
    answer = staff_client.get(f"{URL}/attendees.xlsx", {"q": "김철수"}, headers={"Accept-Language": "ko"})
    rows = cells(body_of(answer))
    assert rows[0][:3] == ["예매 번호", "이름", "전화"]
    assert [row[1] for row in rows[1:]] == ["김철수, 2세"] * 2
    assert [row[8] for row in rows[1:]] == ["유효"] * 2


def test_exports_need_their_scope(buyer_client: Any, client: Any) -> None:
    for name in ("attendees.csv", "attendees.xlsx"):
        assert buyer_client.get(f"{URL}/{name}").status_code == 403
        assert client.get(f"{URL}/{name}").status_code == 401


@given(st.lists(st.lists(st.one_of(st.text(max_size=20), st.integers(-(2**53), 2**53)), min_size=1, max_size=4), max_size=10))
def test_any_text_is_a_well_formed_workbook(rows: list[list[str | int]]) -> None:
    read = cells(b"".join(tables.xlsx_chunks("시트", ["a", "b"], iter(rows))))
    assert len(read) == len(rows) + 1
    assert [len(row) for row in read[1:]] == [len(row) for row in rows]


@given(st.lists(st.lists(st.text(max_size=20), min_size=1, max_size=4), max_size=10))
def test_no_csv_cell_begins_a_formula(rows: list[list[str]]) -> None:
    text = b"".join(tables.csv_lines(["a"], rows)).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text, newline="")):
        assert not any(cell.startswith(("\t", "\r", "\n")) or cell.lstrip().startswith(tuple("=+-@＝＋－＠")) for cell in row)


@pytest.mark.parametrize("before", ["", " ", "\u3000", "\n", "\r\n", "\t", "\n \t"])
@pytest.mark.parametrize("sign", "=+-@＝＋－＠")
def test_what_looks_like_a_formula_is_text_in_a_table(sign: str, before: str) -> None:
    name = f"{before}{sign}HYPERLINK(1)"
    text = b"".join(tables.csv_lines(["a"], [[name]])).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [["a"], [f"'{name}"]]


def test_a_name_that_xml_cannot_say_does_not_spoil_the_workbook() -> None:
    assert cells(b"".join(tables.xlsx_chunks("s", ["a"], [["김\uffff하나\ufffe"]]))) == [["a"], ["김하나"]]


@pytest.mark.parametrize("name", ["_x0041_", "a_x000D_b", "_x005F_", "_x0041_x0042_", "_x41_"])
def test_a_name_that_a_spreadsheet_takes_for_an_escape_stays_as_it_is(name: str) -> None:
    assert cells(b"".join(tables.xlsx_chunks("s", ["a"], [[name]]))) == [["a"], [name]]


def test_a_long_list_is_read_some_rows_at_a_time(staff_client: Any, booked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(attendees.rows(performance="p1", q=""))
    monkeypatch.setattr(attendees, "CHUNK", 2)
    with CaptureQueriesContext(connection) as queries:
        assert list(attendees.rows(performance="p1", q="")) == whole
    assert len(whole) == 6
    assert sum("buyer_name" in query["sql"] for query in queries) == 3


def test_a_ticket_is_a_pdf_with_a_page_a_ticket(
    staff_client: Any, buyer_client: Any, other_buyer_client: Any, buy: Buy, tmp_path: Path
) -> None:
    body = {"title": "오페라의 유령", "venue": "샤롯데씨어터", "performances": [{"id": "p1", "starts_at": "2027-01-10T19:30:00+09:00"}]}
    staff_client.put(f"{URL}/content", body, content_type=JSON)
    order_id = buy(seats=2)
    ticket = Ticket.objects.order_by("pk")[0]
    for path, pages in ((f"tickets/{ticket.pk}/ticket.pdf", 1), (f"orders/{order_id}/tickets.pdf", 2)):
        answer = buyer_client.get(f"{URL}/{path}", headers={"Accept-Language": "ko"})
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
        content = answer.content
        assert content.startswith(b"%PDF-1.4")
        assert content.count(b"/Type /Page ") == pages
        assert "no-store" in answer["Cache-Control"]
        assert other_buyer_client.get(f"{URL}/{path}").status_code == 404
        offsets = [int(each) for each in re.findall(rb"^(\d{10}) 00000 n", content, re.MULTILINE)]
        assert all(re.match(rb"%d 0 obj" % (index + 1), content[offset:]) for index, offset in enumerate(offsets))
        if reader := shutil.which("pdftotext"):
            (tmp_path / "t.pdf").write_bytes(content)
            done = subprocess.run([reader, str(tmp_path / "t.pdf"), "-"], capture_output=True, text=True, check=True)
            assert "오페라의 유령" in done.stdout
            assert "2027. 01. 10. (일) 19:30" in done.stdout
    buyer_client.post(f"{URL}/orders/{order_id}/cancel")
    assert buyer_client.get(f"{URL}/tickets/{ticket.pk}/ticket.pdf").json()["code"] == "ticket_cancelled"


SEAT_IN_KOREAN, SEAT_IN_ENGLISH = "1층 A구역 5열 12번", "1층 A구역 row 5 seat 12"


@pytest.mark.parametrize("written", [SEAT_IN_KOREAN, SEAT_IN_ENGLISH])
@pytest.mark.parametrize(
    ("headers", "cookie", "place", "price", "when"),
    [
        ({"Accept-Language": "ko"}, "", SEAT_IN_KOREAN, "원", "2027. 01. 10. (일) 19:30"),
        ({"Accept-Language": "en-GB,ko;q=0.5"}, "", SEAT_IN_ENGLISH, "won", "Sun 10 Jan 2027, 19:30"),
        ({"Accept-Language": "ko"}, "en", SEAT_IN_ENGLISH, "won", "Sun 10 Jan 2027, 19:30"),
        ({"Accept-Language": "en"}, "ko", SEAT_IN_KOREAN, "원", "2027. 01. 10. (일) 19:30"),
    ],
    ids=["korean", "english", "the cookie before the header", "and the other way round"],
)
def test_papers_are_in_the_language_of_who_asks(
    headers: dict[str, str],
    cookie: str,
    place: str,
    price: str,
    when: str,
    written: str,
    staff_client: Any,
    buyer_client: Any,
    buy: Buy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = {"title": "오페라의 유령", "venue": "샤롯데씨어터", "performances": [{"id": "p1", "starts_at": "2027-01-10T19:30:00+09:00"}]}
    staff_client.put(f"{URL}/content", body, content_type=JSON)
    order_id = buy()
    Ticket.objects.update(label=written)
    ticket = Ticket.objects.order_by("pk")[0]
    made: list[str] = []
    plain = pdf.document

    def document(pages: list[pdf.Page], title: str) -> bytes:
        made.extend(line.text for page in pages for line in page.lines)
        return plain(pages, title=title)

    monkeypatch.setattr(pdf, "document", document)
    if cookie:
        buyer_client.cookies["clove_lang"] = cookie
    for path in (f"tickets/{ticket.pk}/ticket.pdf", f"orders/{order_id}/tickets.pdf"):
        made.clear()
        assert buyer_client.get(f"{URL}/{path}", headers=headers).content.startswith(b"%PDF")
        assert {place, when} <= set(made)
        assert any(line.find(f"{ticket.price_krw:,}") >= 0 and price in line for line in made)
    entry = buyer_client.get(f"{URL}/tickets/{ticket.pk}/event.ics", headers=headers).content.decode()
    assert f"DESCRIPTION:{place}\\n" in entry.replace("\r\n ", "")


@pytest.mark.parametrize("label", ["스탠딩", "box A", "Loge 3 · 4", "row", "", "열 번"])
def test_what_the_seller_worded_stays(label: str) -> None:
    with translation.override("en"):
        assert place_name(label) == label
    with translation.override("ko"):
        assert place_name(label) == label


@given(st.text(max_size=300), st.floats(6, 30))
@example("0 " + "M" * 29 + "한", 10.0)
def test_any_text_fits_the_page(text: str, size: float) -> None:
    content = pdf.document([pdf.Page([pdf.Line(text, size)], "A" * 200, text[:20])], title=text)
    assert content.endswith(b"%%EOF\n")
    for piece in pdf._wrapped(pdf.Line(text, size), 250):
        assert pdf._width(piece, size) <= 250


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("José Müller", "José Müller"),
        ("Jose\u0301", "José"),
        ("\u1112\u1169\u11bc길동", "홍길동"),
        ("뷁 喆 Ω", "뷁 喆 Ω"),
        ("Nguyễn Đức", "Nguyen Ðuc"),
        ("😀 أحمد", "□ □□□□"),
        ("₩1,000 · 2층", "₩1,000 · 2층"),
    ],
    ids=[
        "latin",
        "decomposed latin",
        "decomposed hangul",
        "rare ones that are there",
        "marks that are not there",
        "no font has it",
        "signs",
    ],
)
def test_a_name_is_printed_in_letters_that_the_fonts_have(typed: str, printed: str) -> None:
    """Adobe-Korea1 has no accented Latin letter and no single jamo: a reader leaves a hole for each."""
    paper = pdf.document([pdf.Page([pdf.Line(typed, 12)], "x" * 190, "")], title="")
    runs = re.findall(rb"/([LK]) 12 Tf <([0-9A-Fa-f]*)> Tj", paper)
    said = [bytes.fromhex(run.decode()).decode("cp1252" if font == b"L" else "utf-16-be") for font, run in runs]
    assert "".join(said) == printed
    korean = "".join(text for (font, _run), text in zip(runs, said, strict=True) if font == b"K")
    assert not [letter for letter in korean if "LATIN" in unicodedata.name(letter)]


@pytest.mark.parametrize("title", ["오페라의 유령", "2026 오페라의 유령 한국 초연 25주년 기념 공연 " * 6])
def test_however_long_a_title_is_nothing_is_written_over_the_code(title: str) -> None:
    lines = [
        pdf.Line(title[:200], 16),
        pdf.Line("2027. 01. 10. (일) 19:30", 12),
        pdf.Line("샤롯데씨어터", 10),
        pdf.Line("1층 A구역 5열 12번", 18),
    ]
    paper = pdf.document([pdf.Page([*lines, pdf.Line("VIP석 · 150,000원 · 김하나", 10)], "x" * 190, "T7K3M-9QX4R")], title=title)
    text = [float(y) for y in re.findall(rb"BT [\d.]+ g [\d.]+ ([\d.]+) Td", paper)]
    squares = [float(y) + float(height) for y, height in re.findall(rb"^[\d.]+ ([\d.]+) [\d.]+ ([\d.]+) re$", paper, re.MULTILINE)]
    assert text.pop() < min(squares) < max(squares) < min(text) - 10, "with white around it"


def test_the_performance_is_an_entry_for_a_calendar(staff_client: Any, buyer_client: Any, buy: Buy) -> None:
    body = {"title": "A, B; C", "venue": "홀 " * 60, "performances": [{"id": "p1", "starts_at": "2027-01-10T19:30:00+09:00"}]}
    staff_client.put(f"{URL}/content", body, content_type=JSON)
    buy(seats=1)
    ticket = Ticket.objects.order_by("pk")[0]
    answer = buyer_client.get(f"{URL}/tickets/{ticket.pk}/event.ics")
    raw = answer.content
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    lines = raw.decode().replace("\r\n ", "").split("\r\n")
    assert (lines[0], lines[-2]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    found = dict(line.split(":", 1) for line in lines[:-1])
    assert (found["DTSTART"], found["DTEND"]) == ("20270110T103000Z", "20270110T123000Z")
    assert found["SUMMARY"] == "A\\, B\\; C"
    assert found["UID"] == f"{ticket.pk}@clove"
    order = Order.objects.get()
    assert found["URL"] == f"{settings.ENV.public_url}/orders/{order.pk}"
    assert order.number in found["DESCRIPTION"]
    assert found["DESCRIPTION"].endswith(f"\\n{found['URL']}")


@given(st.text(max_size=200))
def test_folded_lines_unfold_to_the_same_text(text: str) -> None:
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    raw = calendar.entry(
        uid="u",
        title=text,
        place="",
        note="",
        url="https://x.example/o",
        starts_at=moment,
        ends_at=moment + timedelta(hours=1),
        made_at=moment,
    )
    lines = [line for line in raw.decode().replace("\r\n ", "").split("\r\n") if line.startswith("SUMMARY:")]
    shown = re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], lines[0].removeprefix("SUMMARY:"))
    said = text.replace("\r\n", "\n").replace("\r", "\n")
    assert shown == "".join(letter for letter in said if letter in "\n\t" or unicodedata.category(letter) != "Cc" or letter > "\x7f")
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", raw), "no calendar takes a file with one of these"


@pytest.mark.parametrize(("lasts_s", "ends"), [(0, False), (-60, False), (0.4, False), (60, True)])
def test_an_entry_whose_end_is_not_later_than_its_start_has_none(lasts_s: float, ends: bool) -> None:
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    then = moment + timedelta(seconds=lasts_s)
    raw = calendar.entry(uid="u", title="t", place="", note="", url="u", starts_at=moment, ends_at=then, made_at=moment)
    assert (b"DTEND:" in raw) == ends
    assert b"\r\nDTSTART:20270101T000000Z\r\n" in raw
