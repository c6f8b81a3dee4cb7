"""CLOVE_MAIL, taken apart."""

from __future__ import annotations

import importlib

import pytest
from django.core import mail

from booking_templates.auth import settings as mail_settings


@pytest.fixture
def load(monkeypatch):
    def go(url="", **more):
        monkeypatch.setenv("CLOVE_ROOT", "/root-of-test")
        monkeypatch.setenv("CLOVE_MAIL", url)
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        for name in [name for name in vars(mail_settings) if name.startswith("EMAIL_")]:
            delattr(mail_settings, name)
        return importlib.reload(mail_settings)

    yield go
    monkeypatch.undo()
    importlib.reload(mail_settings)


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://u%40x:p%2F@mail.example.com", 587, True, False),
        ("smtps://u%40x:p%2F@mail.example.com", 465, False, True),
        ("smtp+plain://u%40x:p%2F@mail.example.com:2525", 2525, False, False),
    ],
)
def test_a_server(load, url, port, tls, ssl):
    made = load(url)
    assert ("mail.example.com", port, tls, ssl) == (made.EMAIL_HOST, made.EMAIL_PORT, made.EMAIL_USE_TLS, made.EMAIL_USE_SSL)
    assert (made.EMAIL_HOST_USER, made.EMAIL_HOST_PASSWORD, made.SENDS_MAIL) == ("u@x", "p/", True)


def test_a_directory_and_a_sender(load):
    made = load("file:///var/lib/clove/mail?from=tickets@example.com")
    assert made.EMAIL_FILE_PATH == "/root-of-test/var/lib/clove/mail"
    assert made.DEFAULT_FROM_EMAIL == "tickets@example.com"


def test_a_file_that_holds_the_address(load, tmp_path):
    (tmp_path / "mail").write_text("smtp://mail.example.com\n")
    assert load(CLOVE_ROOT=str(tmp_path), CLOVE_MAIL_FILE="/mail").EMAIL_HOST == "mail.example.com"


def test_nothing_means_that_no_mail_is_sent(load):
    assert load().SENDS_MAIL is False


def test_another_scheme_is_refused(load):
    with pytest.raises(ValueError, match="unknown scheme 'pigeon'"):
        load("pigeon://x")


def test_a_password_that_is_changed_in_the_file_is_used_from_the_next_mail_on(load, tmp_path):
    (tmp_path / "mail").write_text("smtp://u:first@mail.example.com\n")
    load(CLOVE_ROOT=str(tmp_path), CLOVE_MAIL_FILE="/mail")
    backend = mail.get_connection("booking_templates.auth.mail.Server")
    assert (backend.username, backend.password, backend.port, backend.use_tls) == ("u", "first", 587, True)

    (tmp_path / "mail").write_text("smtps://u:second@other.example.com\n")
    backend = mail.get_connection("booking_templates.auth.mail.Server")
    assert (backend.host, backend.password, backend.port, backend.use_tls, backend.use_ssl) == (
        "other.example.com",
        "second",
        465,
        False,
        True,
    )


def test_how_many_mails_a_second(load):
    assert load("smtp://mail.example.com").MAIL_PER_SECOND == 10
    assert load("smtp://mail.example.com?from=a@example.com&per_second=3").MAIL_PER_SECOND == 3
    assert load("smtp://mail.example.com?per_second=3", CLOVE_MAIL_PER_SECOND="7").MAIL_PER_SECOND == 7
    for rate in ("0", "fast", "1001"):
        with pytest.raises(ValueError, match="per_second"):
            load(f"smtp://mail.example.com?per_second={rate}", CLOVE_MAIL_PER_SECOND="")
