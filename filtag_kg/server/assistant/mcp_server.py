"""``filtag mcp``: a KG's answers as tools for assistants, in the Model Context Protocol over stdin and stdout.

Source: *Model Context Protocol*, https://modelcontextprotocol.io/specification/2025-11-25/server/tools. The official
SDK speaks it; here are the tools, what they answer, and the texts.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from filtag_kg.errors import FiltagError, MissingExtraError
from filtag_kg.graph import resource_folder
from filtag_kg.kg import KG, runs_of
from filtag_kg.query import LocalEndpoint, RemoteEndpoint
from filtag_kg.server.assistant.answers import Reply, rows_reply, terms_reply, view_reply
from filtag_kg.server.assistant.facts import facts_of
from filtag_kg.server.assistant.instructions import instructions_of
from filtag_kg.server.assistant.remote import RemoteAnswers
from filtag_kg.server.assistant.rows import Rows
from filtag_kg.server.assistant.tools import Tool, tools_of
from filtag_kg.server.assistant.vocabulary import ONTOLOGY_FILE
from filtag_kg.server.jobs import Answer, Job
from filtag_kg.server.limits import Limits
from filtag_kg.server.pool import Pool
from filtag_kg.server.request_error import shorten_all
from filtag_kg.views import glossary_markdown

if TYPE_CHECKING:
    from mcp import types
    from mcp.server import Server, ServerRequestContext

Ask = Callable[[Job], Awaitable[Answer]]
_CHUNK = 1 << 16


def run_mcp(source: KG | RemoteEndpoint, limits: Limits, on_start: Callable[[], None] = lambda: None) -> None:
    """Serve a KG to one assistant until it closes stdin, or SIGINT or SIGTERM.

    Parameters
    ----------
    source : KG or RemoteEndpoint
        An endpoint answers named queries and SPARQL alone, within limits of its own.
    on_start : callable
        Called when the assistant may ask.

    Raises
    ------
    FiltagError
        If the extra ``mcp`` is not installed, the KG's store is damaged, or the endpoint does not answer.
    """
    _check_sdk()
    facts = facts_of(LocalEndpoint(source), runs_of(source)) if isinstance(source, KG) else facts_of(source)
    tools = tools_of(facts, views=isinstance(source, KG))
    try:
        asyncio.run(_serve(source, limits, tools, instructions_of(facts, limits), on_start))
    except* BrokenPipeError:
        pass  # The assistant is gone, and reads no more.


def _check_sdk() -> None:
    try:
        from mcp.server import ServerRequestContext  # noqa: F401 - version 1 has no such thing
    except ImportError:
        raise MissingExtraError("mcp 2", "mcp") from None


async def _serve(
    source: KG | RemoteEndpoint, limits: Limits, tools: Sequence[Tool], instructions: str, on_start: Callable[[], None]
) -> None:
    from mcp.server.stdio import stdio_server

    lines = _StdinLines(asyncio.get_running_loop())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, lines.end)
    # While this block runs, what is printed goes to stderr, in this process and all that it starts.
    async with stdio_server(stdin=lines) as (incoming, outgoing), _answering(source, limits) as ask:
        server = create_mcp_server(tools, instructions, ask)
        on_start()
        await server.run(incoming, outgoing, server.create_initialization_options())


class _StdinLines:
    """The lines of stdin, read by a thread that does not keep the process from ending, as it may wait for ever."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    def _read(self) -> None:
        rest = b""
        # Not by sys.stdin, whose lock the interpreter needs when it ends.
        while chunk := _read_chunk():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._put(line.decode("utf-8", "replace"))
        self._put(None)

    def end(self) -> None:
        """Say that there are no more lines."""
        self._lines.put_nowait(None)

    def _put(self, line: str | None) -> None:
        with suppress(RuntimeError):  # The loop is closed: nobody reads on.
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line)

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        line = await self._lines.get()
        if line is None:
            raise StopAsyncIteration
        return line


def _read_chunk() -> bytes:
    try:
        return os.read(0, _CHUNK)
    except OSError:
        return b""


@asynccontextmanager
async def _answering(source: KG | RemoteEndpoint, limits: Limits) -> AsyncIterator[Ask]:
    """Yield what answers jobs, at once: an assistant does not wait until a large KG was read."""
    if isinstance(source, RemoteEndpoint):
        yield RemoteAnswers(source, limits).ask
        return
    pool, is_open = Pool(source.path / "store", limits, source.path), asyncio.Event()

    async def keep_open() -> None:
        async with pool.open():
            is_open.set()
            await asyncio.Event().wait()

    async def ask(job: Job) -> Answer:
        await is_open.wait()
        return await pool.ask(job)

    keeping = asyncio.ensure_future(keep_open())
    # If that fails, no worker is ever free, which is then the answer.
    keeping.add_done_callback(lambda _: is_open.set())
    try:
        yield ask
    finally:
        pool.stop()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


def create_mcp_server(tools: Sequence[Tool], instructions: str, ask: Ask) -> Server[Any]:
    """Return the server.

    Parameters
    ----------
    ask : callable
        Has a job answered.
    """
    from mcp import types
    from mcp.server import Server
    from mcp.shared.exceptions import MCPError

    named = {tool.name: tool for tool in tools}
    listed = [_listed(tool) for tool in tools]
    resources = _resources()

    async def list_tools(_context: ServerRequestContext[Any], _params: object) -> types.ListToolsResult:
        return types.ListToolsResult(tools=listed)

    async def call_tool(
        _context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        if params.name not in named:
            raise MCPError(code=types.INVALID_PARAMS, message=f"Unknown tool: {params.name[:100]}")
        return _result(await call(named[params.name], params.arguments or {}, ask))

    async def list_resources(_context: ServerRequestContext[Any], _params: object) -> types.ListResourcesResult:
        return types.ListResourcesResult(
            resources=[
                types.Resource(uri=uri, name=name, description=about, mime_type=media_type)
                for uri, (name, about, media_type, _) in resources.items()
            ]
        )

    async def read_resource(
        _context: ServerRequestContext[Any], params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        if params.uri not in resources:
            raise MCPError(code=types.INVALID_PARAMS, message=f"Unknown resource: {params.uri[:200]}")
        _, _, media_type, text = resources[params.uri]
        contents = types.TextResourceContents(uri=params.uri, mime_type=media_type, text=text())
        return types.ReadResourceResult(contents=[contents])

    return Server(
        "filtag",
        title="FilTag-KG",
        version=version("filtag-kg"),
        instructions=instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_read_resource=read_resource,
    )


async def call(tool: Tool, given: Mapping[str, Any], ask: Ask) -> Reply:
    """Return what a tool answers, or what is wrong with its arguments."""
    # Some assistants send what they leave out as null.
    arguments = {name: value for name, value in given.items() if value is not None}
    mistake = _mistake(tool, arguments)
    if mistake is not None:
        return Reply(mistake, is_error=True)
    properties = tool.input_schema["properties"]
    defaults = {name: schema["default"] for name, schema in properties.items() if "default" in schema}
    arguments = defaults | arguments
    job = tool.job(arguments)
    if job is None:
        return terms_reply(arguments.get("words", ""))
    try:
        answer = await _answered(job, ask)
    except FiltagError as error:
        return Reply(shorten_all(str(error), map(str, arguments.values())), is_error=True)
    if tool.answers == "rows":
        return rows_reply(Rows.unpack(answer.body), int(arguments["offset"]), answer.notes)
    return view_reply(*json.loads(answer.body))


async def _answered(job: Job, ask: Ask) -> Answer:
    answer = await ask(job)
    if answer.status == "ok":
        return answer
    raise FiltagError(answer.line or "the tables of the KG cannot be read: validate it, or build it anew")


def _mistake(tool: Tool, arguments: Mapping[str, Any]) -> str | None:
    """Return in one line what is wrong with arguments; None if nothing is."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(tool.input_schema).iter_errors(dict(arguments)))
    if error is None:
        return None
    place = "".join(f"{part}: " for part in error.absolute_path)
    names = ", ".join(tool.input_schema["properties"]) or "nothing"
    why = shorten_all(" ".join(error.message.split()), map(str, arguments.values()))
    return f"{place}{why}: {tool.name} takes {names}"


def _listed(tool: Tool) -> types.Tool:
    from mcp import types

    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=types.ToolAnnotations(
            title=tool.title, read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )


def _result(reply: Reply) -> types.CallToolResult:
    from mcp import types

    pictures = [
        types.ImageContent(type="image", data=data, mime_type=media_type) for media_type, data in reply.pictures
    ]
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=reply.text), *pictures],
        structured_content=reply.structured,
        is_error=reply.is_error,
    )


def _resources() -> dict[str, tuple[str, str, str, Callable[[], str]]]:
    """Return name, description, media type and text of each resource, by its URI."""
    return {
        "filtag://vocabulary": (
            "vocabulary",
            "The vocabulary of the graph: every class and property, with definition, domain, range and example",
            "text/turtle",
            lambda: (resource_folder("ontology") / ONTOLOGY_FILE).read_text(encoding="utf-8"),
        ),
        "filtag://glossary": (
            "glossary",
            "What the words mean: tag, rule, contrast, clear theme, q-value, each with an example",
            "text/markdown",
            glossary_markdown,
        ),
    }
