"""How wide a picture is for its height: a grid that knows leaves room for it before it is there."""

from __future__ import annotations

import warnings
from pathlib import Path

from PIL import Image

# Widths for a height of 100, as the stylesheet knows them (`data-ratio`): a page may not carry styles of its own.
STEPS = (56, 67, 75, 80, 100, 125, 133, 150, 178, 200, 240)


def size_of(path: Path, content_type: str) -> tuple[int, int] | None:
    """Width and height in pixels, by the beginning of the file; None for what is no picture that we can read."""
    if not content_type.startswith("image/"):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "error"
            )  # a picture of a hundred million pixels is not worth a warning in a log
            with Image.open(path) as picture:
                return picture.size
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError):
        return None


def step_of(width: int | None, height: int | None) -> int | None:
    """The nearest of STEPS; None where the size is not known."""
    if not width or not height:
        return None
    return min(STEPS, key=lambda step: abs(step - 100 * width / height))
