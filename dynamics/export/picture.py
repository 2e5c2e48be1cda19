"""Picture: one chart as a file; ``python -m dynamics.export.picture FILE`` draws it.

This command is a process of its own. It reads ``{"form", "chart", "print"}`` as JSON from its
input, or, in place of ``chart``, ``asked``: which runs it shows, as ``chart.Asked`` has it. It
writes the file; beside a PDF it also writes a picture of its page, FILE.png. It reports an error as
one sentence on stderr and status 2.
"""

import io
import json
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from dynamics.draw import panel
from dynamics.export import formats, tikz
from dynamics.export.caption import About
from dynamics.export.chart import Asked, Chart
from dynamics.export.formats import FORMATS
from dynamics.export.layout import space
from dynamics.export.layout.layout import dressed
from dynamics.export.layout.sizes import Print
from dynamics.export.layout.thinning import thinned
from dynamics.export.render import chrome, film, html
from dynamics.export.render.chrome import PictureError
from dynamics.runs.run import Run, RunError

SEEN = 600  # points, the width of a preview
SHARP = 2  # pixels for each of these points


def picture(chart: Chart, form: str, how: Print) -> bytes:
    """The chart as a file of one of the formats ``CHARTS``.

    Raises:
        PictureError: with one sentence, if it cannot be drawn here.
        RunError: if a film's run is damaged.
    """
    figure = dict(chart.figure)
    about = chart.about
    refused, why = formats.refused(figure)
    if form in refused:
        raise PictureError(why)
    if form == "html":
        return _html(space.turnable(dressed(figure, how)), about)
    if form == "tikz":
        comments = "".join(f"% {line}\n" for line in _lines(about))
        few = thinned(figure, tikz.MOST_POINTS)
        return (comments + tikz.tikz(dressed(few, how), how)).encode()
    if FORMATS[form].kind == "film":
        moments = [figure]
        if chart.run:
            moments = panel.moments(Run(Path(chart.run)), chart.panel)
        return film.film([dressed(moment, how) for moment in moments], form, how, about)
    scale = how.inches.dots / 96 if form == "png" else 1.0
    (content,) = chrome.draw([(space.lettered(dressed(figure, how)), form, scale)])
    finish = {"pdf": _pdf, "svg": _svg, "png": _png}[form]
    return finish(content, how, about)


def _lines(about: About) -> list[str]:
    return [about.title, about.caption, *about.bibtex.splitlines()]


def _pdf(pdf: bytes, _: Print, about: About) -> bytes:
    """The PDF with title, caption, source and the paper's entry in the document's own fields."""
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=io.BytesIO(pdf))
    fields = {"Title": about.title, "Subject": about.caption, "Keywords": about.bibtex}
    fields |= {"Creator": "DLN Explorer", "Source": about.source}
    writer.add_metadata({f"/{name}": value for name, value in fields.items()})
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def _svg(svg: bytes, _: Print, about: About) -> bytes:
    """The SVG in inches, with title and description."""
    head, rest = svg.decode().split(">", 1)
    for side in ("width", "height"):
        head = re.sub(rf' {side}="([\d.]+)"', partial(_inches, side), head, count=1)
    words = escape("\n".join(_lines(about)[1:]))
    title = f"<title>{escape(about.title)}</title><desc>{words}</desc>"
    return f"{head}>{title}{rest}".encode()


def _inches(side: str, pixels: re.Match[str]) -> str:
    return f' {side}="{float(pixels[1]) / 96:.6g}in"'


def _png(png: bytes, how: Print, about: About) -> bytes:
    """The PNG with its dots per inch and its text fields."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    fields = {"Title": about.title, "Description": about.caption, "Source": about.source}
    for name, value in (fields | {"BibTeX": about.bibtex, "Software": "DLN Explorer"}).items():
        info.add_itxt(name, value)
    file = io.BytesIO()
    dots = how.inches.dots
    Image.open(io.BytesIO(png)).convert("RGB").save(
        file, "PNG", pnginfo=info, dpi=(dots, dots), optimize=True
    )
    return file.getvalue()


def _html(figure: dict[str, Any], about: About) -> bytes:
    """One page that needs no network."""
    words = f"<p>{escape(about.caption)}</p><pre>{escape(about.bibtex)}</pre>"
    return html.page(about.title, html.chart(figure) + words).encode()


def look(pdf: bytes) -> bytes:
    """The PDF's page as a PNG, drawn from the file itself."""
    import pypdfium2

    page = pypdfium2.PdfDocument(pdf)[0]
    file = io.BytesIO()
    page.render(scale=SHARP * SEEN / page.get_width()).to_pil().save(file, "PNG")
    return file.getvalue()


def main() -> int:
    """Draw the chart on the input; returns the exit status."""
    job = json.load(sys.stdin)
    file = Path(sys.argv[1])
    try:
        chart = Asked(**job["asked"]).chart() if "asked" in job else Chart.from_dict(job["chart"])
        content = picture(chart, job["form"], Print(**job["print"]))
    except (RunError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    file.write_bytes(content)
    if job["form"] == "pdf":
        file.with_name(f"{file.name}.png").write_bytes(look(content))
    return 0


if __name__ == "__main__":
    sys.exit(main())
