"""Migrations only expand: this release and the next one on one schema, under load, there and back again."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from tests.integration.booking.harness import REPOSITORY, Booking
from tests.integration.booking.shopping import Buyer, open_sales, seats_content, until
from tests.mariadb import MariaDB

BUYERS = 4
ROUNDS = 10

NEXT_MIGRATION = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("seat", "{last}")]
    operations = [
        migrations.AddField("claim", "note", models.CharField(max_length=40, db_default="")),
        migrations.AddField("performance", "note", models.CharField(max_length=40, null=True)),
        migrations.CreateModel("Remark", [("id", models.BigAutoField(primary_key=True)), ("text", models.TextField())]),
    ]
"""
NEXT_MODELS = """
Claim.add_to_class("note", models.CharField(max_length=40, db_default=""))
Performance.add_to_class("note", models.CharField(max_length=40, null=True))

class Remark(models.Model):
    id = models.BigAutoField(primary_key=True)
    text = models.TextField()
"""


@pytest.fixture
def next_release(tmp_path: Path) -> Path:
    """The booking services as they could be one day, with other tables and columns under the seats."""
    tree = tmp_path / "next"
    shutil.copytree(REPOSITORY / "booking_templates", tree / "booking_templates", ignore=shutil.ignore_patterns("__pycache__"))
    seat = tree / "booking_templates" / "seat"
    last = max(path.stem for path in (seat / "migrations").glob("0*.py"))
    (seat / "migrations" / "9999_next.py").write_text(NEXT_MIGRATION.format(last=last))
    with open(seat / "models.py", "a") as models:
        models.write(NEXT_MODELS)
    return tree


class Load:
    """Buyers who hold seats and let them go, at all releases that serve; `told` is what they were answered."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()
        self._serving: dict[str, Booking] = {}
        self._rounds: Counter[tuple[int, str]] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def runs(self) -> Iterator[None]:
        stop = threading.Event()
        buyers = [threading.Thread(target=self._buy, args=(number, stop), daemon=True) for number in range(BUYERS)]
        for buyer in buyers:
            buyer.start()
        try:
            yield
        finally:
            stop.set()
            for buyer in buyers:
                buyer.join(60)

    def serve(self, **releases: Booking) -> None:
        """From now on these are asked and no others; returns when every buyer has held some more seats at each."""
        self._serving = releases
        with self._lock:
            self._rounds.clear()
        wanted = [(number, name) for number in range(BUYERS) for name in releases]
        until("each buyer held seats at each release", lambda: all(self._rounds[each] >= ROUNDS for each in wanted))

    def _buy(self, number: int, stop: threading.Event) -> None:
        buyers: dict[str, Buyer] = {}
        while not stop.is_set():
            for name, release in list(self._serving.items()):
                buyer = buyers.setdefault(name, Buyer(release))
                try:
                    held = buyer.hold(best=1)
                    told = str(held.status)
                    if held.status == 201:
                        hold_id = held.json()["id"]
                        told += f" {buyer.call('DELETE', 'seat', f'holds/{hold_id}').status}"
                except urllib3.exceptions.HTTPError as error:
                    told = type(error).__name__
                with self._lock:
                    self.told[told] += 1
                    self._rounds[number, name] += 1


def test_the_next_release_and_this_one_serve_on_one_schema_in_either_order(server: MariaDB, tmp_path: Path, next_release: Path) -> None:
    server.create("clove_seat")
    load = Load()
    with Booking(["seat"], tmp_path / "this", database=server.url) as this:
        open_sales(this, seats_content(seats=200, limit=8))
        other = Booking(["seat"], tmp_path / "other", database=server.url, environ={"PYTHONPATH": str(next_release)})
        other.keys = this.keys
        with load.runs():
            load.serve(this=this)
            with other:  # migrates while this one is asked
                columns = server.sql("SELECT column_name FROM information_schema.columns WHERE table_name = 'seat_claim'").split()
                assert "note" in columns, "the schema is the next release's"
                load.serve(this=this, other=other)
                load.serve(other=other)
                this.restart("seat")  # it starts on a schema that it does not know
                load.serve(this=this, other=other)
                load.serve(this=this)
            load.serve(this=this)
    assert set(load.told) == {"201 204"}, load.told
