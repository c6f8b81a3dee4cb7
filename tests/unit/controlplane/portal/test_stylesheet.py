"""The portal's stylesheet knows what its templates rely on."""

from __future__ import annotations

import re
from pathlib import Path

PORTAL = Path(__file__).resolve().parents[4] / "controlplane" / "portal"


def test_each_part_of_the_form_that_goes_with_a_choice_is_hidden_without_it() -> None:
    templates = "".join(path.read_text(encoding="utf-8") for path in (PORTAL / "templates").rglob("*.html"))
    stylesheet = (PORTAL / "static" / "portal" / "clove.css").read_text(encoding="utf-8")

    wanted = set(re.findall(r'data-when="([^"]+)"', templates))
    assert len(wanted) >= 5
    assert wanted == set(re.findall(r'\[data-when="([^"]+)"\]', stylesheet))
