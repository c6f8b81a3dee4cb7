"""Reading the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.lib import env


@pytest.mark.parametrize(("text", "meant"), [("yes", True), ("1", True), ("ON", True), ("no", False), ("0", False), ("", True)])
def test_a_flag_is_yes_or_no_and_empty_means_the_default(monkeypatch: pytest.MonkeyPatch, text: str, meant: bool) -> None:
    monkeypatch.setenv("X", text)

    assert env.flag("X", default=True) is meant


def test_what_cannot_be_used_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "maybe")

    for read in (lambda: env.flag("X"), lambda: env.number("X", 1), lambda: env.choice("X", ("a", "b")), lambda: env.pair("X", "a/b")):
        with pytest.raises(env.BadEnvironment, match="X"):
            read()


def test_a_database_url_is_taken_apart() -> None:
    database = env.mysql_database("mysql://clove:p%40ss@db:3307/clove?ssl_mode=REQUIRED")

    assert {key: database[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "NAME": "clove",
        "USER": "clove",
        "PASSWORD": "p@ss",
        "HOST": "db",
        "PORT": "3307",
    }
    assert database["OPTIONS"] == {
        "charset": "utf8mb4",
        "isolation_level": "read committed",
        "init_command": "SET time_zone='+00:00'",
        "ssl_mode": "REQUIRED",
    }


@pytest.mark.parametrize("url", ["postgres://x/y", "mysql://host", "nonsense"])
def test_another_database_is_refused(url: str) -> None:
    with pytest.raises(env.BadEnvironment):
        env.mysql_database(url)


def test_a_secret_is_read_from_the_file_that_its_variable_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("mysql://u:p@h/d\n")
    monkeypatch.delenv("X", raising=False)
    monkeypatch.setenv("X_FILE", str(tmp_path / "url"))

    assert env.text("X") == "mysql://u:p@h/d"
    monkeypatch.setenv("X", "said here")
    assert env.text("X") == "said here"
    monkeypatch.delenv("X")
    monkeypatch.setenv("X_FILE", str(tmp_path / "away"))
    with pytest.raises(env.BadEnvironment, match="X_FILE"):
        env.text("X", "default")


@pytest.mark.parametrize(
    ("url", "port", "starttls", "tls"),
    [
        ("smtp://u%40x:p%2F@mail.example.com", 587, True, False),
        ("smtps://u%40x:p%2F@mail.example.com", 465, False, True),
        ("smtp+plain://u%40x:p%2F@mail.example.com:2525", 2525, False, False),
    ],
)
def test_a_mail_server_is_taken_apart(url: str, port: int, starttls: bool, tls: bool) -> None:
    made = env.mail_server(url + "?from=tickets@example.com")
    assert made["EMAIL_BACKEND"].endswith("smtp.EmailBackend")
    assert (made["EMAIL_HOST"], made["EMAIL_PORT"], made["EMAIL_USE_TLS"], made["EMAIL_USE_SSL"]) == (
        "mail.example.com",
        port,
        starttls,
        tls,
    )
    assert (made["EMAIL_HOST_USER"], made["EMAIL_HOST_PASSWORD"]) == ("u@x", "p/")
    assert made["DEFAULT_FROM_EMAIL"] == "tickets@example.com"


def test_mail_goes_to_a_directory_or_nowhere_and_no_other_way() -> None:
    assert env.mail_server("file:///srv/mail")["EMAIL_FILE_PATH"] == "/srv/mail"
    assert env.mail_server("")["EMAIL_BACKEND"].endswith("dummy.EmailBackend")
    with pytest.raises(env.BadEnvironment, match="CLOVE_MAIL"):
        env.mail_server("pigeon://loft")


@pytest.mark.parametrize("rate", ["0", "1001", "-1", "fast"])
def test_a_rate_of_mail_that_a_booking_system_would_not_start_with_is_refused(rate: str) -> None:
    with pytest.raises(env.BadEnvironment, match="per_second"):
        env.mail_server(f"smtp://mail.example.com?per_second={rate}")
