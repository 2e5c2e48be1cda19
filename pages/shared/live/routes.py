"""Routes: files and data for the live charts, on the port of Streamlit itself."""

import asyncio
import csv
import functools
import gzip
import hashlib
import io
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from streamlit import config

from dynamics.core.machine import files
from dynamics.export.formats import FORMATS
from dynamics.export.render import plotlyjs
from dynamics.runs import maps, pictures
from dynamics.runs.run import Run, RunError, find, root
from pages.shared.files import media
from pages.shared.live.metrics import metrics
from pages.shared.live.panels import Description, Sent, descriptions
from pages.shared.live.stream import stream

BROWSER = Path(__file__).with_name("browser")
CHARTS = {
    file.relative_to(BROWSER).as_posix(): file
    for file in sorted(BROWSER.rglob("*"))
    if file.is_file()
}
LIBRARY = {f"{part}.js": plotlyjs.FILES[part] for part in ("basic", "cartesian", "gl3d")}
ROWS_AT_ONCE = 1000
BYTES = "application/octet-stream"


def _addresses(files: dict[str, Path]) -> dict[str, str]:
    """``version/name`` of each file; the version is a hash of all files, so browsers may cache."""
    version = hashlib.sha256(b"".join(file.read_bytes() for file in files.values())).hexdigest()
    return {name: f"{version[:12]}/{name}" for name in files}


ADDRESSES = _addresses(CHARTS) | _addresses(LIBRARY)
FILES = {ADDRESSES[name]: file for name, file in (CHARTS | LIBRARY).items()}
MEDIA = {".js": "text/javascript", ".css": "text/css"}


def address(name: str) -> str:
    """The address of a file of the live charts, or of a part of plotly.js (``gl3d.js``)."""
    return beneath(f"/api/assets/{ADDRESSES[name]}")


def beneath(path: str) -> str:
    """The address of what the server has at a path, such as ``/media/…``."""
    return f"{_base()}{path}"


def _base() -> str:
    """The path under which the server has the program, such as ``/dln``; empty for none."""
    base = config.get_option("server.baseUrlPath").strip("/")
    return f"/{base}" if base else ""


@functools.cache
def _packed(path: str) -> bytes:
    file = FILES[path]
    return file.read_bytes() if file.suffix == ".gz" else gzip.compress(file.read_bytes(), 6)


Answer = Callable[[Request], Awaitable[Response]]


def _failure(sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence}, 404)


def _refusing(answer: Answer) -> Answer:
    """The route, with one sentence for what is missing, damaged or refused by the machine."""

    @functools.wraps(answer)
    async def answered(request: Request) -> Response:
        try:
            return await answer(request)
        except RunError as error:
            return _failure(str(error))
        except OSError as error:
            return _failure(f"It cannot be read: {files.refusal(error, request.url.path)}")

    return answered


async def ready(request: Request) -> Response:
    """An answer that shows that the server is up and its routes are mounted."""
    return JSONResponse({"ready": True})


async def asset(request: Request) -> Response:
    """A file for browsers, compressed once in the process's life."""
    path = request.path_params["path"]
    if path not in FILES:  # the address has a different version
        return _failure(f"There is no file {path[:40]!r}.")
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Encoding": "gzip",
        "Vary": "Accept-Encoding",
    }
    body = await asyncio.to_thread(_packed, path)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        del headers["Content-Encoding"]
        body = await asyncio.to_thread(gzip.decompress, body)
    return Response(body, media_type=MEDIA[Path(path).suffix], headers=headers)


async def figures(request: Request) -> Response:
    """A run's panels as Plotly figures without records; empty before the first record."""
    query = request.query_params
    run = find(request.path_params["key"], root())
    names, versus = query.get("panels", ""), query.get("versus", "steps")
    theory = query.get("theory") != "false"
    described = await asyncio.to_thread(descriptions, run, names, versus, theory)
    listed = [
        {"panel": chart.panel, "figure": chart.figure, "lack": chart.lack} for chart in described
    ]
    return JSONResponse({"figures": listed}, headers={"Cache-Control": "no-store"})


async def cells(request: Request) -> Response:
    """The heat maps of a run at a step, as ``maps.at`` returns them."""
    run = find(request.path_params["key"], root())
    given = request.query_params.get("step", "inf")
    try:
        step = float(given)
    except ValueError:
        return _failure(f"A step is a number; {given[:40]!r} was given.")
    row = await asyncio.to_thread(lambda: maps.at(run, step, len(run.layout.shapes)))
    headers = {"Cache-Control": "no-store"}
    return Response(row, media_type=BYTES, headers=headers)


async def picture(request: Request) -> Response:
    """What a run's networks make of its picture at a step, as ``pictures.shown`` returns it."""
    run = find(request.path_params["key"], root())
    query = request.query_params
    step, modes = query.get("step", "inf"), query.get("modes", "0")
    try:
        wanted = float(step), int(modes)
    except ValueError:
        return _failure(
            f"A step is a number, and modes are counted; {step[:40]!r} and {modes[:40]!r} were "
            "given."
        )
    shown = await asyncio.to_thread(pictures.shown, run, wanted[0], max(wanted[1], 0))
    headers = {"Cache-Control": "no-store"}
    return Response(shown, media_type=BYTES, headers=headers)


async def records(request: Request) -> Response:
    """The columns of a run's panels as CSV: all records, full precision, stored units."""
    names = request.query_params.get("panels", "")
    run = find(request.path_params["key"], root())
    described = await asyncio.to_thread(descriptions, run, names)
    await asyncio.to_thread(run.need_records)  # later, the answer can be no sentence any more
    name = f"{names.replace('/', '-').replace(',', '_')[:80]}_{run.key}.csv"
    headers = {
        "Content-Disposition": FileResponse("", filename=name).headers["content-disposition"]
    }
    return StreamingResponse(_csv(run, described), media_type="text/csv", headers=headers)


def _csv(run: Run, described: tuple[Description, ...]) -> Iterator[str]:
    layout = run.layout
    sent = Sent(run, described)
    yield ",".join(sent.names) + "\n"
    count = run.count(layout.width)
    for start in range(0, count, ROWS_AT_ONCE):
        picks = list(range(start, min(count, start + ROWS_AT_ONCE)))
        page = io.StringIO()
        rows = sent.of(run.picked(picks, layout.width))
        csv.writer(page, lineterminator="\n").writerows(rows.tolist())
        yield page.getvalue()


async def made(request: Request) -> Response:
    """A file that a process has made for a visitor, sent from the disk."""
    file = await asyncio.to_thread(media.made, request.path_params["token"])
    if file is None:
        return _failure("There is no such file; it is kept for a day.")
    name = request.path_params["name"]
    kind = next((form.mime for form in FORMATS.values() if name.endswith(f".{form.ending}")), None)
    headers = {"Cache-Control": "no-store"}
    return FileResponse(file, filename=name, media_type=kind or BYTES, headers=headers)


# The answer to every other address, and to every method but GET and HEAD.
NOTHING = _failure("There is nothing to read at this address.")


def _routes(base: str) -> list[BaseRoute]:
    return [
        Route(f"{base}/api/ready", ready),
        Route(f"{base}/api/metrics", _refusing(metrics)),
        Route(f"{base}/api/assets/{{path:path}}", _refusing(asset)),
        Route(f"{base}/api/runs/{{key}}/figures", _refusing(figures)),
        Route(f"{base}/api/runs/{{key}}/records.csv", _refusing(records)),
        Route(f"{base}/api/runs/{{key}}/maps", _refusing(cells)),
        Route(f"{base}/api/runs/{{key}}/picture", _refusing(picture)),
        Route(f"{base}/api/files/{{token}}/{{name}}", _refusing(made)),
        WebSocketRoute(f"{base}/api/runs/{{key}}/stream", stream),
        Route(f"{base}/api/{{rest:path}}", NOTHING),
    ]


# Streamlit puts its own routes under the base path, but not those that it is given.
ROUTES = _routes(_base())
