"""A column that this service has of its own."""

from __future__ import annotations

from typing import Any

from django.db import models


class ExactCharField(models.CharField):
    """Text that every database compares to the letter, as SQLite does.

    The usual collation of MariaDB and MySQL takes `a-1` for `A-1`: of two such seats the second could never be sold while the first stood.
    """

    def db_parameters(self, connection: Any) -> Any:
        parameters = super().db_parameters(connection)
        return {**parameters, "collation": "utf8mb4_bin"} if connection.vendor == "mysql" else parameters
