"""Who is calling, and who may call an endpoint."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext

from booking_templates.kit import tokens
from booking_templates.kit.problems import Forbidden, NotFound, Unauthorized

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
ACCESS_COOKIE = "__Host-clove_access" if settings.ENV.is_https else "clove_access"
CSRF_HEADER = "X-Clove-Request"
_CSRF_META = "HTTP_X_CLOVE_REQUEST"


@dataclass(frozen=True)
class Principal:
    """The caller: `kind` is anonymous, buyer, staff or service; `id` is a buyer's or staff's id or the calling service's name."""

    kind: str
    id: str = ""
    name: str = ""
    scopes: frozenset[str] = field(default_factory=frozenset)


ANONYMOUS = Principal("anonymous")


@dataclass(frozen=True)
class Rule:
    """Who may call. `callers` for services, `scope` for staff; several kinds may be allowed."""

    kinds: frozenset[str]
    scope: str = ""
    callers: frozenset[str] = frozenset()

    def __or__(self, other: Rule) -> Rule:
        return Rule(self.kinds | other.kinds, self.scope or other.scope, self.callers | other.callers)

    def admit(self, principal: Principal) -> None:
        """Raises Unauthorized, Forbidden or, for services' doors, NotFound."""
        if principal.kind in self.kinds:
            if principal.kind == "staff" and self.scope not in principal.scopes:
                raise Forbidden("scope_missing", scope=self.scope)
            if principal.kind == "service" and principal.id not in self.callers:
                raise Forbidden("caller_not_allowed")
            return
        if principal.kind == "anonymous":
            raise Unauthorized("login_required")
        raise NotFound("not_found") if self.kinds == frozenset({"service"}) else Forbidden("wrong_role")


PUBLIC = Rule(frozenset({"anonymous", "buyer", "staff", "service"}))
BUYER = Rule(frozenset({"buyer"}))
OPTIONAL_BUYER = Rule(frozenset({"anonymous", "buyer"}))


def staff(scope: str) -> Rule:
    """Staff whose token has SCOPE."""
    return Rule(frozenset({"staff"}), scope=scope)


def service(*callers: str) -> Rule:
    """The services named CALLERS, from inside the namespace."""
    return Rule(frozenset({"service"}), callers=frozenset(callers))


def require_own_page(request: HttpRequest) -> None:
    """Raises Forbidden `csrf` without the header that our own pages send: a form of another site can send a cookie but never a header."""
    if request.META.get(_CSRF_META) != "1":
        raise Forbidden("csrf", gettext("This request did not come from the page itself."))


def greeted_as(request: HttpRequest) -> str | None:
    """The name by which a page greets its visitor, or None for a stranger. For nothing else: the token is not checked."""
    token = request.META.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ") or request.COOKIES.get(ACCESS_COOKIE, "")
    return tokens.unchecked_name(token, audience=settings.ENV.system) if token else None


def authenticate(request: HttpRequest, rule: Rule) -> Principal:
    """The caller of REQUEST, by bearer token or cookie. PUBLIC looks at no token. Raises Unauthorized for a bad one."""
    if rule is PUBLIC:
        return ANONYMOUS
    env = settings.ENV
    header = request.META.get("HTTP_AUTHORIZATION", "")
    if header:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("token_invalid")
    else:
        token = request.COOKIES.get(ACCESS_COOKIE, "")
        if token and request.method not in SAFE_METHODS:
            require_own_page(request)
    if not token:
        return ANONYMOUS
    is_internal = rule.kinds == frozenset({"service"})
    try:
        claims = tokens.verifier().verify(token, audience=f"{env.system}/{env.service}" if is_internal else env.system)
    except Unauthorized:
        if not header and "anonymous" in rule.kinds:
            return ANONYMOUS
        raise
    kind = claims.role
    expected = {"buyer": f"{env.system}/auth", "staff": tokens.STAFF_ISSUER, "service": f"{env.system}/{claims.subject}"}.get(kind)
    if expected != claims.issuer:
        raise Unauthorized("token_invalid")
    return Principal(kind, claims.subject, claims.name, claims.scopes)
