"""Runs booking systems on this machine, without containers: a supervisor process, and the adapter that the control plane uses.

`LocalRuntime` writes what is wanted below a home directory; the supervisor (`python -m controlplane.runtime.local`) makes it so.
"""

from controlplane.runtime.local.adapter import LocalRuntime

__all__ = ["LocalRuntime"]
