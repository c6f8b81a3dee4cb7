import json

import pytest

from controlplane.runtime.local.router.pages import answer


def _answer(*headers: str, path: str = "/", code: str = "starting", **options: bool) -> tuple[str, str]:
    head = f"GET {path} HTTP/1.1\r\n" + "".join(f"{header}\r\n" for header in headers)
    text = answer(503, code, head=head.encode(), is_head=options.get("is_head", False), closes=options.get("closes", False)).decode()
    top, _, body = text.partition("\r\n\r\n")
    return top, body


def test_people_get_a_page_that_loads_itself_again() -> None:
    top, body = _answer("Accept: text/html,*/*")

    assert "content-type: text/html" in top
    assert "retry-after: 1" in top
    assert '<meta http-equiv="refresh" content="1">' in body


def test_programs_get_a_problem() -> None:
    for headers, path in ((("Accept: application/json",), "/"), (("Accept: text/html",), "/api/seat/plan"), ((), "/")):
        top, body = _answer(*headers, path=path)
        assert "content-type: application/problem+json" in top
        problem = json.loads(body)
        assert (problem["status"], problem["code"], problem["type"]) == (503, "starting", "urn:clove:problem:starting")


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ((), "ko"),
        (("Accept-Language: ko-KR,ko;q=0.9,en;q=0.8",), "ko"),
        (("Accept-Language: en-US,en;q=0.9,ko;q=0.8",), "en"),
        (("Accept-Language: fr, en;q=0.1",), "en"),
        (("Accept-Language: fr",), "ko"),
        (("Accept-Language: en;q=nonsense",), "ko"),
        (("Accept-Language: en", "Cookie: a=b; clove_lang=ko"), "ko"),
        (("Accept-Language: ko", "Cookie: clove_lang=en; c=d"), "en"),
    ],
)
def test_the_language_is_the_one_chosen_else_the_browsers(headers: tuple[str, ...], language: str) -> None:
    top, _ = _answer(*headers)

    assert f"content-language: {language}" in top


def test_an_answer_to_a_head_has_no_body_and_the_same_length() -> None:
    top, body = _answer()
    head_top, head_body = _answer(is_head=True)

    assert (head_top, head_body) == (top, "")
    assert f"content-length: {len(body.encode())}" in top


def test_a_head_that_could_not_be_read_is_answered_too() -> None:
    assert answer(400, "bad_request", head=b"", is_head=False, closes=True).startswith(b"HTTP/1.1 400 Bad Request\r\n")
