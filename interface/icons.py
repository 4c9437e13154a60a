"""Builds the icon sprite from a published set: `python -m interface.icons <folder of single SVG files>`.

Only the icons named here go into `static/icons/sprite.svg`, so a page never carries the whole set.
Source of the pictures: lucide-static 1.62.0 (its licence lies beside the sprite).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

SPRITE = Path(__file__).resolve().parent.parent / "static" / "icons" / "sprite.svg"

NAMES = (
    "archive",
    "arrow-down",
    "arrow-left",
    "arrow-right",
    "audio-lines",
    "bell",
    "blend",
    "bot",
    "building-2",
    "captions",
    "check",
    "check-check",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "chevron-up",
    "circle-alert",
    "circle-check",
    "circle-dashed",
    "circle-question-mark",
    "circle-slash",
    "circle-x",
    "clapperboard",
    "clock",
    "copy",
    "download",
    "ellipsis",
    "eye",
    "file",
    "film",
    "gauge",
    "hand",
    "history",
    "image",
    "images",
    "inbox",
    "info",
    "key-round",
    "keyboard",
    "link",
    "loader",
    "lock",
    "log-out",
    "message-circle",
    "message-circle-question-mark",
    "message-square-text",
    "minus",
    "monitor",
    "moon",
    "paperclip",
    "pencil",
    "picture-in-picture-2",
    "play",
    "plus",
    "radio",
    "refresh-cw",
    "save",
    "search",
    "search-x",
    "send-horizontal",
    "settings",
    "sparkles",
    "square",
    "star",
    "sun",
    "tag",
    "timer",
    "trash-2",
    "triangle-alert",
    "upload",
    "user",
    "user-plus",
    "users",
    "video",
    "volume-2",
    "x",
    "zoom-in",
)


def symbol(name: str, svg: str) -> str:
    """One published SVG file as a `<symbol>` that takes its colour and stroke from the page."""
    found = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
    if found is None:
        raise ValueError(f"{name}: not an SVG file")
    shapes = re.sub(r"\s+", " ", found.group(1)).replace("> <", "><").strip()
    return f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>'


def build(folder: Path) -> str:
    """The sprite's text; raises FileNotFoundError for a name that the set does not have."""
    symbols = "\n".join(symbol(name, (folder / f"{name}.svg").read_text()) for name in NAMES)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n'


if __name__ == "__main__":
    SPRITE.write_text(build(Path(sys.argv[1])))
