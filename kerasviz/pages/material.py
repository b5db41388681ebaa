"""What every page is made of: templates, data that cannot break out of its place, a policy that forbids requests."""

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@cache
def templates() -> Environment:
    """The templates of all pages; whatever is filled in is escaped."""
    return Environment(loader=PackageLoader("kerasviz.pages"), autoescape=True, undefined=StrictUndefined)


@cache
def source(*names: str) -> Markup:
    """The text of style sheets or scripts one after the other, as they are: nothing is filled into them."""
    loader = templates().loader
    assert loader is not None
    texts = (loader.get_source(templates(), name)[0] for name in names)
    return Markup("\n" + "\n".join(texts))


def embedded(text: str) -> Markup:
    """JSON for the inside of a `<script type="application/json">`, which a `<` in it could end or change.

    In JSON a `<` stands in strings only, so its escape means the same.
    """
    return Markup(text.replace("<", "\\u003c"))


def policy(style: str, script: str) -> str:
    """A Content-Security-Policy: this style, this script, pictures from the page itself, and nothing else."""
    return (
        f"default-src 'none'; img-src data: blob:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
