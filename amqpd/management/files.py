"""The web page's files, read once and kept; a path names one of them or nothing."""

from __future__ import annotations

import mimetypes
from functools import cache
from pathlib import Path
from typing import Final

INDEX: Final = "index.html"


class File:
    """One file."""

    def __init__(self, path: Path) -> None:
        kind = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0]
        self.content_type: Final = kind or "application/octet-stream"
        self.charset: Final = "utf-8" if self.content_type.startswith("text/") else None
        self.body: Final = path.read_bytes()


@cache
def _all(folder: Path) -> dict[str, File]:
    """Every file in the folder and below by its path, which is how no other file can be reached."""
    return {path.relative_to(folder).as_posix(): File(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def find(folder: Path, segments: list[str]) -> File | None:
    """The file of this path below the folder; the index for the folder itself."""
    return _all(folder).get("/".join(segments) or INDEX)
