"""Stands in for modules that prometheus_client imports, that Python has not inside a plugin, and that a plugin does not need: it
serves no HTTPS and has no worker processes."""

import sys
import types

for name in ("ssl", "mmap"):
    sys.modules[name] = types.ModuleType(name)
# Named in signatures.
ssl = sys.modules["ssl"]
ssl.SSLContext = ssl.PROTOCOL_TLS_SERVER = ssl.PROTOCOL_TLS_CLIENT = object
