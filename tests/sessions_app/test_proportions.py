"""The proportions of pictures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from sessions_app.proportions import STEPS, size_of, step_of
from tests.installation import ROOT


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif"])
def test_the_size_of_a_picture(tmp_path: Path, kind: str):
    Image.new("RGB", (90, 160)).save(tmp_path / "x", kind)
    assert size_of(tmp_path / "x", f"image/{kind}") == (90, 160)


def test_what_is_no_picture_has_none(tmp_path: Path):
    (tmp_path / "x").write_bytes(b"\x89PNG\r\n\x1a\n half a picture")
    assert size_of(tmp_path / "x", "image/png") is None
    assert size_of(tmp_path / "x", "video/mp4") is None
    assert size_of(tmp_path / "missing", "image/png") is None


@pytest.mark.parametrize(
    ("size", "step"),
    [
        ((1280, 720), 178),
        ((720, 1280), 56),
        ((500, 500), 100),
        ((9000, 10), 240),
        ((0, 10), None),
        ((None, None), None),
    ],
)
def test_the_nearest_step(size: tuple[int | None, int | None], step: int | None):
    assert step_of(*size) == step


def test_the_stylesheet_knows_every_step():
    css = (ROOT / "static/css/components/media.css").read_text()
    assert [int(step) for step in re.findall(r'\[data-ratio="(\d+)"\]', css)] == list(STEPS)
