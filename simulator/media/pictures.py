"""Storyboard pictures, drawn with Pillow from nothing but a frame.

Everything is drawn twice as large and scaled down, which gives soft edges. The same frame gives the same bytes.
"""

from __future__ import annotations

import io
import math
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from simulator.agent import Frame
from simulator.identifiers import digest, number

from .palettes import PALETTES

Color = tuple[int, int, int]


def rgb(color: str) -> Color:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def mixed(first: Color, second: Color, share: float) -> Color:
    """`share` of the second colour in the first."""
    return (
        round(first[0] + (second[0] - first[0]) * share),
        round(first[1] + (second[1] - first[1]) * share),
        round(first[2] + (second[2] - first[2]) * share),
    )


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The typeface that Pillow itself carries, so that every machine draws the same."""
    return ImageFont.load_default(size)


def palette_of(frame: Frame) -> tuple[Color, Color, Color, Color, Color, Color]:
    if frame.palette.startswith("kit:"):
        colors = [rgb(color) for color in frame.palette[len("kit:") :].split(",")]
        dark, bright, light = (colors * 3)[:3]
        return (
            light,
            mixed(light, bright, 0.35),
            mixed(dark, bright, 0.6),
            dark,
            bright,
            mixed(dark, (0, 0, 0), 0.3),
        )
    sky, horizon, far, near, accent, ink = PALETTES.get(frame.palette, PALETTES["north"])
    return rgb(sky), rgb(horizon), rgb(far), rgb(near), rgb(accent), rgb(ink)


class Canvas:
    """A picture in the making: numbers from 0 to 1 across and down, and choices that depend on the frame."""

    def __init__(self, frame: Frame, width: int, height: int) -> None:
        self.frame = frame
        self.width, self.height = width * 2, height * 2
        self.sky, self.horizon, self.far, self.near, self.accent, self.ink = palette_of(frame)
        column = Image.new("RGB", (1, 64))
        for row in range(64):
            column.putpixel((0, row), mixed(self.sky, self.horizon, (row / 63) ** 1.3))
        self.image = column.resize((self.width, self.height), Image.Resampling.BICUBIC)
        self.draw = ImageDraw.Draw(self.image, "RGBA")

    def chance(self, *what: object) -> float:
        """A number from 0 to 1 that belongs to this frame and purpose."""
        return number(self.frame.picture, *what, below=10_000) / 10_000

    def at(self, x: float, y: float) -> tuple[float, float]:
        return x * self.width, y * self.height

    def disc(self, x: float, y: float, radius: float, color: Color, alpha: int = 255) -> None:
        """`radius` in shares of the shorter side."""
        center_x, center_y = self.at(x, y)
        size = radius * min(self.width, self.height)
        self.draw.ellipse(
            (center_x - size, center_y - size, center_x + size, center_y + size), fill=(*color, alpha)
        )

    def block(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        color: Color,
        *,
        round_: float = 0.02,
        alpha: int = 255,
    ) -> None:
        box = (*self.at(left, top), *self.at(right, bottom))
        self.draw.rounded_rectangle(box, round_ * min(self.width, self.height), fill=(*color, alpha))

    def shape(self, points: list[tuple[float, float]], color: Color, alpha: int = 255) -> None:
        self.draw.polygon([self.at(x, y) for x, y in points], fill=(*color, alpha))

    def glow(self, x: float, y: float, radius: float, color: Color) -> None:
        """Light around a point."""
        layer = Image.new("L", (160, 90))
        spot = ImageDraw.Draw(layer)
        spot.ellipse(
            ((x - radius) * 160, (y - radius * 1.7) * 90, (x + radius) * 160, (y + radius * 1.7) * 90),
            fill=150,
        )
        mask = layer.filter(ImageFilter.GaussianBlur(14)).resize(
            (self.width, self.height), Image.Resampling.BICUBIC
        )
        self.image.paste(Image.new("RGB", (self.width, self.height), color), (0, 0), mask)
        self.draw = ImageDraw.Draw(self.image, "RGBA")

    def ridge(self, base: float, height: float, color: Color, seed: str, steps: int = 48) -> None:
        """A soft line of hills that fills everything below it."""
        phase, pace = self.chance(seed, "phase") * 6.3, 1.5 + 2.5 * self.chance(seed, "pace")
        points = [(0.0, 1.0)]
        for step in range(steps + 1):
            x = step / steps
            wave = math.sin(phase + x * pace * 3.1) * 0.6 + math.sin(phase * 2.3 + x * pace * 7.7) * 0.25
            points.append((x, base - height * wave))
        points.append((1.0, 1.0))
        self.shape(points, color)


def hills(canvas: Canvas) -> None:
    x, y = 0.2 + 0.6 * canvas.chance("sun x"), 0.22 + 0.16 * canvas.chance("sun y")
    canvas.glow(x, y, 0.2, canvas.accent)
    canvas.disc(x, y, 0.1 + 0.05 * canvas.chance("sun"), canvas.accent)
    canvas.ridge(0.58, 0.1, mixed(canvas.far, canvas.horizon, 0.55), "far")
    canvas.ridge(0.68, 0.08, canvas.far, "middle")
    canvas.ridge(0.8, 0.06, mixed(canvas.far, canvas.near, 0.6), "near")
    for index in range(5):
        left = canvas.chance("tree", index)
        canvas.shape([(left, 0.86), (left + 0.018, 0.7), (left + 0.036, 0.86)], canvas.near)


def city(canvas: Canvas) -> None:
    canvas.glow(0.5, 0.5, 0.35, canvas.accent)
    for row, color in enumerate((mixed(canvas.far, canvas.horizon, 0.5), canvas.far, canvas.near)):
        x = -0.02
        while x < 1.0:
            wide = 0.05 + 0.06 * canvas.chance("wide", row, int(x * 100))
            top = 0.34 + 0.14 * row + 0.22 * canvas.chance("top", row, int(x * 100))
            canvas.block(x, top, x + wide - 0.006, 1.1, color, round_=0.006)
            if row == 2:
                for window in range(8):
                    if canvas.chance("lit", int(x * 100), window) > 0.55:
                        at_x, at_y = x + 0.012 + 0.02 * (window % 2), top + 0.04 + 0.05 * (window // 2)
                        canvas.block(
                            at_x, at_y, at_x + 0.01, at_y + 0.022, canvas.accent, round_=0.002, alpha=220
                        )
            x += wide


def desk(canvas: Canvas) -> None:
    canvas.block(0, 0.74, 1, 1.1, mixed(canvas.far, canvas.near, 0.3), round_=0)
    canvas.glow(0.5, 0.42, 0.28, canvas.accent)
    lean = 0.04 * (canvas.chance("lean") - 0.5)
    canvas.block(0.27 + lean, 0.2, 0.73 + lean, 0.7, canvas.near, round_=0.03)
    canvas.block(
        0.285 + lean, 0.225, 0.715 + lean, 0.67, mixed(canvas.sky, (255, 255, 255), 0.4), round_=0.015
    )
    canvas.block(0.3 + lean, 0.25, 0.42 + lean, 0.645, canvas.horizon, round_=0.012)
    for row in range(4):
        wide = 0.1 + 0.14 * canvas.chance("line", row)
        canvas.block(
            0.445 + lean, 0.27 + 0.055 * row, 0.445 + lean + wide, 0.292 + 0.055 * row, canvas.far, alpha=200
        )
    for bar in range(6):
        tall = 0.03 + 0.09 * canvas.chance("bar", bar)
        left = 0.45 + lean + 0.04 * bar
        color = canvas.accent if bar == 3 else canvas.near
        canvas.block(left, 0.635 - tall, left + 0.026, 0.635, color, round_=0.006)
    canvas.shape(
        [(0.2 + lean, 0.76), (0.27 + lean, 0.7), (0.73 + lean, 0.7), (0.8 + lean, 0.76)],
        mixed(canvas.near, (255, 255, 255), 0.18),
    )
    canvas.block(0.86, 0.66, 0.91, 0.78, canvas.accent, round_=0.02)
    canvas.disc(0.12, 0.6, 0.075, canvas.far)
    canvas.block(0.105, 0.66, 0.135, 0.78, canvas.near, round_=0.01)


def person(canvas: Canvas) -> None:
    canvas.disc(0.5, 0.5, 0.42, mixed(canvas.horizon, canvas.accent, 0.35))
    x = 0.42 + 0.16 * canvas.chance("stand")
    skin = ((240, 200, 170), (198, 140, 104), (141, 92, 66), (92, 60, 46))[
        number(canvas.frame.picture, "skin", below=4)
    ]
    short = min(canvas.width, canvas.height) / canvas.width
    canvas.block(x - 0.24 * short, 0.62, x + 0.24 * short, 1.2, canvas.near, round_=0.2)
    canvas.block(x - 0.055 * short, 0.52, x + 0.055 * short, 0.68, mixed(skin, (0, 0, 0), 0.12), round_=0.05)
    canvas.disc(x, 0.4, 0.165, mixed(canvas.ink, canvas.near, 0.4))
    canvas.disc(x, 0.43, 0.14, skin)
    canvas.shape(
        [(x - 0.06 * short, 0.62), (x, 0.75), (x + 0.06 * short, 0.62)],
        mixed(canvas.sky, (255, 255, 255), 0.5),
    )
    canvas.disc(x - 0.05 * short, 0.42, 0.014, canvas.ink)
    canvas.disc(x + 0.05 * short, 0.42, 0.014, canvas.ink)
    center_x, center_y = canvas.at(x, 0.475)
    size = 0.05 * min(canvas.width, canvas.height)
    canvas.draw.arc(
        (center_x - size, center_y - size, center_x + size, center_y + size),
        25,
        155,
        fill=canvas.ink,
        width=10,
    )
    # What the person says, on the side with more room.
    wide = 0.26 * short
    left = x + wide if x < 0.5 else x - wide - 0.22
    canvas.block(left, 0.2, left + 0.22, 0.36, (255, 255, 255), round_=0.04, alpha=225)


def waves(canvas: Canvas) -> None:
    canvas.disc(0.25 + 0.5 * canvas.chance("moon"), 0.3, 0.14, canvas.accent)
    for row in range(6):
        share = row / 5
        canvas.ridge(
            0.5 + 0.085 * row,
            0.045,
            mixed(mixed(canvas.horizon, canvas.far, 0.6), canvas.near, share),
            f"wave {row}",
        )


def paper(canvas: Canvas) -> None:
    for index in range(7):
        x, y = canvas.chance("x", index), 0.1 + 0.75 * canvas.chance("y", index)
        size = 0.1 + 0.2 * canvas.chance("size", index)
        color = (canvas.far, canvas.accent, canvas.near, canvas.horizon)[index % 4]
        if index % 3 == 0:
            canvas.disc(x, y, size, color, 235)
        elif index % 3 == 1:
            turn = canvas.chance("turn", index) * 6.3
            corners = [
                (x + size * 0.6 * math.cos(turn + k * 1.57), y + size * math.sin(turn + k * 1.57))
                for k in range(4)
            ]
            canvas.shape(corners, color, 235)
        else:
            canvas.block(
                x - size * 0.7, y - size * 0.25, x + size * 0.7, y + size * 0.25, color, round_=0.5, alpha=235
            )


def chart(canvas: Canvas) -> None:
    canvas.block(0.14, 0.14, 0.86, 0.76, mixed(canvas.sky, (255, 255, 255), 0.55), round_=0.04)
    value, points = 0.62, []
    for step in range(9):
        value -= 0.065 * canvas.chance("rise", step) - 0.012
        points.append((0.2 + 0.075 * step, value))
    canvas.shape([(0.2, 0.7), *points, (0.8, 0.7)], canvas.horizon)
    canvas.draw.line([canvas.at(x, y) for x, y in points], fill=canvas.near, width=14, joint="curve")
    for index, (x, y) in enumerate(points):
        canvas.disc(x, y, 0.016 if index < 8 else 0.032, canvas.near if index < 8 else canvas.accent)
    for row in range(3):
        canvas.block(
            0.2,
            0.2 + 0.05 * row,
            0.3 + 0.16 * canvas.chance("label", row),
            0.222 + 0.05 * row,
            canvas.far,
            alpha=150,
        )


MOTIFS = (hills, city, desk, person, waves, paper, chart)


def drawing(frame: Frame, width: int = 1280, height: int = 720, *, caption: bool = True) -> Image.Image:
    """The picture of a frame with its title in the corner, and the caption or the room for one below it."""
    if frame.portrait and width > height:
        width, height = height, width
    canvas = Canvas(frame, width, height)
    MOTIFS[frame.motif % len(MOTIFS)](canvas)
    shade = Image.new("L", (1, 32))
    for row in range(32):
        shade.putpixel((0, row), round(228 * min(1.0, max(0.0, (row - 14) / 12))) if row > 14 else 0)
    mask = shade.resize((canvas.width, canvas.height), Image.Resampling.BICUBIC)
    dark = mixed(canvas.near if sum(canvas.near) < 300 else canvas.ink, (8, 10, 14), 0.55)
    canvas.image.paste(Image.new("RGB", canvas.image.size, dark), (0, 0), mask)
    draw = ImageDraw.Draw(canvas.image)
    margin, large = round(0.045 * canvas.width), round(0.072 * min(canvas.width, canvas.height))
    small = round(large * 0.56)
    lines = wrapped(draw, frame.caption, small, canvas.width - 2 * margin)[:2]
    top = canvas.height - margin - len(lines) * round(small * 1.35)
    draw.text((margin, top - round(large * 1.4)), frame.title, font=font(large), fill=(255, 255, 255))
    for index, line in enumerate(lines if caption else ()):
        draw.text((margin, top + index * round(small * 1.35)), line, font=font(small), fill=(226, 228, 232))
    return canvas.image.resize((width, height), Image.Resampling.LANCZOS)


def wrapped(draw: ImageDraw.ImageDraw, text: str, size: int, width: int) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and draw.textlength(longer, font=font(size)) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line] if line else lines


def jpeg(image: Image.Image, quality: int = 88) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, optimize=False)
    return buffer.getvalue()


def key_of(frame: Frame) -> str:
    """The same for two frames that look the same."""
    return digest(frame.picture, frame.title, frame.caption, frame.palette, frame.portrait, frame.motif)


def picture(frame: Frame) -> bytes:
    return jpeg(drawing(frame))


def thumbnail(frame: Frame) -> bytes:
    image = drawing(frame, 640, 360)
    image.thumbnail((480, 480), Image.Resampling.LANCZOS)
    return jpeg(image, 82)
