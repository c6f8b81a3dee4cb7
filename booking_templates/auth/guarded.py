"""HTTPS connections that lead to the open internet alone: looked at when they are made, to the very addresses that were looked at."""

from __future__ import annotations

import socket

import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from booking_templates.auth.addresses import addresses_of, is_public


def manager(*, may_lead_inside: bool, timeout_s: float) -> urllib3.PoolManager:
    """A pool for https alone that refuses hosts with an address of a private network, unless it MAY_LEAD_INSIDE."""

    class Connection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            name = self._dns_host
            failure: Exception = NewConnectionError(self, "no address")
            for address in self._addresses(name):
                # The name comes back before the handshake: the certificate must be its, wherever the connection goes.
                self._dns_host = address
                try:
                    return super()._new_conn()
                except (NewConnectionError, ConnectTimeoutError) as error:
                    failure = error
                finally:
                    self._dns_host = name
            raise failure

        def _addresses(self, name: str) -> list[str]:
            try:
                found = addresses_of(name.strip("[]"), self.port or 443)
                if may_lead_inside or all(map(is_public, found)):
                    return found
            except OSError as error:
                raise NameResolutionError(
                    name, self, error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
                ) from error
            raise NewConnectionError(self, "not on the open internet")

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

    pools = urllib3.PoolManager(maxsize=4, retries=False, timeout=urllib3.Timeout(timeout_s))
    pools.pool_classes_by_scheme = {"https": Pool}
    return pools
