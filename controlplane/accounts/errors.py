"""What can be refused about an account.

AccountError
├── EmailTaken         somebody signed up with this address already
├── SystemsStanding    the account still has booking systems; `names` lists them
├── AdminStays         an admin's account is not closed by its owner
├── TooManyTokens      the account has as many API tokens as it may
├── NoSuchToken        no API token of this account has this id
└── NotOneself         admins do not change their own role, nor lock themselves out
"""

from __future__ import annotations

from collections.abc import Sequence


class AccountError(Exception):
    """Base of all."""


class EmailTaken(AccountError):
    pass


class SystemsStanding(AccountError):
    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = tuple(names)


class AdminStays(AccountError):
    pass


class TooManyTokens(AccountError):
    pass


class NoSuchToken(AccountError):
    pass


class NotOneself(AccountError):
    pass
