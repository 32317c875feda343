"""The server: SPARQL 1.1 over HTTP, the named queries, and every IRI of the data; read-only.

What takes work is a *job*: a query, a page or an image to decode. A *worker*, a process that can be killed, answers it.
The *fork server* forks workers, the *worker supply* keeps enough of them, and the *pool* decides which job runs when.
The network that explains images lives in the *explainer process*. Assistants ask over stdin and stdout (`assistant`).
"""

from filtag_kg.server.app import create_app
from filtag_kg.server.assistant.mcp_server import run_mcp
from filtag_kg.server.explorer import Explorer, NetworkChoice
from filtag_kg.server.limits import Limits
from filtag_kg.server.public_address import PublicAddress
from filtag_kg.server.resources import Pages
from filtag_kg.server.uvicorn_server import is_loopback, listen, run_app

__all__ = [
    "Explorer",
    "Limits",
    "NetworkChoice",
    "Pages",
    "PublicAddress",
    "create_app",
    "is_loopback",
    "listen",
    "run_app",
    "run_mcp",
]
