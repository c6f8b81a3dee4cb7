"""Endpoints of the presale: a buyer's code, and the codes that staff give out."""

from __future__ import annotations

from booking_templates.kit.api import Reply, Request, endpoint
from booking_templates.kit.principal import BUYER, staff
from booking_templates.seat import callers, house, presale
from booking_templates.seat.schemas import CodeList, CodeRequest, CodesInfo, CodesQuery, CodesRequest, PresaleState, Withdrawn


@endpoint(auth=BUYER, returns={200: PresaleState}, problems=("no_content", "presale_none"))
def read_presale(request: Request) -> PresaleState:
    """When it opens, and whether the caller has used a code."""
    return presale.state(house.current(), request.principal.id)


@endpoint(
    auth=BUYER,
    body=CodeRequest,
    returns={200: PresaleState},
    problems=(
        "no_content",
        "presale_none",
        "presale_over",
        "code_wrong",
        "code_taken",
        "code_withdrawn",
        "too_many_attempts",
    ),
)
def use_code(request: Request, body: CodeRequest) -> PresaleState:
    """Buy early with this code: it is the account's from now on. It can be used before the presale opens, and twice is once.

    Who has used another code already may buy early all the same, and this one stays free.
    """
    at, buyer = house.current(), request.principal.id
    presale.check_takes_codes(at)
    with callers.guesses.guess(request, buyer):
        presale.use(body.code, buyer)
    return presale.state(at, buyer)


@endpoint(auth=staff("summary"), returns={200: CodesInfo})
def read_codes(request: Request) -> CodesInfo:
    """How many codes were given out, and how many of them used."""
    return presale.figures()


@endpoint(auth=staff("content"), body=CodesRequest, returns={201: CodesInfo}, problems=("codes_changed", "too_many_codes"))
def give_out_codes(request: Request, body: CodesRequest) -> Reply:
    """More codes. They are those of the next numbers, and can be listed at any time."""
    presale.give_out(body.count, body.after)
    return Reply(presale.figures(), status=201)


@endpoint(auth=staff("content"), query=CodesQuery, returns={200: CodeList})
def list_codes(request: Request, query: CodesQuery) -> CodeList:
    """The codes themselves. Whoever has one may buy early."""
    return presale.listed(query.first, query.count)


@endpoint(auth=staff("content"), body=CodeRequest, returns={200: Withdrawn}, problems=("code_wrong",))
def withdraw_code(request: Request, body: CodeRequest) -> Withdrawn:
    """Take a code back: nobody buys early with it any more. What was held or bought with it stays. Twice is once."""
    number, was_used = presale.withdraw(body.code)
    return Withdrawn(number, was_used)
