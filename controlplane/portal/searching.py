"""What is searched for among buyers is a name or a phone number, and an address ends up in histories and logs: so it has it sealed.

A search is posted, and leads to an address whose parameter `s` only the platform can read, for a day.
"""

from __future__ import annotations

from cryptography.fernet import InvalidToken
from django.http import HttpRequest, HttpResponseRedirect, QueryDict

from controlplane.systems.keys import sealer

LIFE_S = 24 * 3600
CHARACTERS_MAX = 100


def sealed(text: str) -> str:
    """TEXT for the parameter `s`; empty for nothing."""
    return sealer().encrypt(text.encode()).decode("ascii") if text else ""


def searched_for(request: HttpRequest) -> str:
    """What REQUEST's address says was searched for; nothing where it is too old or nobody here made it."""
    token = request.GET.get("s", "")
    if not token.isascii():
        return ""
    try:
        return sealer().decrypt(token, ttl=LIFE_S).decode() if token else ""
    except InvalidToken:
        return ""


def to_results(request: HttpRequest, *filters: str) -> HttpResponseRedirect:
    """From the posted search to the address of its results, with the other fields that FILTERS names as they were posted."""
    query = QueryDict(mutable=True)
    query["s"] = sealed(request.POST.get("q", "").strip()[:CHARACTERS_MAX])
    for name in filters:
        query[name] = request.POST.get(name, "")[:40]
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
