"""Presenters: a drawn face for each look, whose mouth can move."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, ImageDraw

from simulator.identifiers import digest, number, pick

from .palettes import EVERYDAY, PALETTES
from .pictures import Color, jpeg, mixed, rgb

SKINS: tuple[Color, ...] = (
    (246, 212, 184),
    (232, 190, 156),
    (205, 151, 116),
    (161, 108, 78),
    (112, 74, 55),
    (84, 56, 44),
)
HAIRS: tuple[Color, ...] = (
    (38, 30, 28),
    (70, 46, 34),
    (112, 72, 44),
    (176, 128, 74),
    (60, 60, 66),
    (150, 150, 154),
    (128, 52, 36),
)


@dataclass(frozen=True, slots=True)
class Person:
    """What a face depends on. `group` decides the person, `look` the clothes and the room."""

    group: str
    look: str
    gender: str


class Portrait:
    """A presenter on a canvas of a given size, drawn twice as large."""

    def __init__(self, person: Person, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.person = person
        self.skin = pick(SKINS, person.group, "skin")
        self.hair = pick(HAIRS, person.group, "hair")
        palette = PALETTES[pick(EVERYDAY, person.look, "room")]
        self.wall, self.floor, self.far, self.near, self.accent = (rgb(color) for color in palette[:5])
        self.unit = min(width, height) * 2
        self.center = width
        self.top = height - 0.02 * self.unit
        self.base = self._room()

    def face(self, openness: float = 0.0, *, blink: bool = False) -> Image.Image:
        """The portrait with the mouth open (0 to 1)."""
        image = self.base.copy()
        draw = ImageDraw.Draw(image)
        unit, x, y = self.unit, self.center, self.top
        for side in (-1, 1):
            eye = x + side * 0.066 * unit
            if blink:
                draw.line(
                    (eye - 0.02 * unit, y, eye + 0.02 * unit, y),
                    fill=(40, 30, 28),
                    width=max(2, int(0.008 * unit)),
                )
            else:
                self._disc(draw, eye, y, 0.021, (252, 252, 250))
                self._disc(draw, eye, y, 0.0135, (52, 40, 34))
                self._disc(draw, eye + 0.004 * unit, y - 0.004 * unit, 0.004, (255, 255, 255))
            brow = y - 0.045 * unit
            draw.line(
                (eye - 0.026 * unit, brow, eye + 0.026 * unit, brow - 0.004 * unit),
                fill=self.hair,
                width=max(2, int(0.01 * unit)),
            )
        mouth = y + 0.115 * unit
        lips = mixed(self.skin, (170, 50, 60), 0.5)
        if openness < 0.08:
            box = (x - 0.05 * unit, mouth - 0.04 * unit, x + 0.05 * unit, mouth + 0.02 * unit)
            draw.arc(box, 20, 160, fill=lips, width=max(3, int(0.011 * unit)))
        else:
            wide, tall = (0.034 + 0.014 * (1 - openness)) * unit, (0.008 + 0.036 * openness) * unit
            box = (x - wide, mouth - tall * 0.6, x + wide, mouth + tall)
            draw.ellipse(box, fill=(88, 30, 36), outline=lips, width=max(2, int(0.008 * unit)))
            draw.rectangle(
                (x - wide * 0.55, mouth - tall * 0.5, x + wide * 0.55, mouth - tall * 0.5 + 0.009 * unit),
                fill=(250, 248, 244),
            )
        return image.resize((self.width, self.height), Image.Resampling.LANCZOS)

    def _room(self) -> Image.Image:
        size = (self.width * 2, self.height * 2)
        column = Image.new("RGB", (1, 32))
        for row in range(32):
            column.putpixel((0, row), mixed(self.wall, self.floor, row / 31))
        image = column.resize(size, Image.Resampling.BICUBIC)
        draw = ImageDraw.Draw(image)
        unit, x, y = self.unit, self.center, self.top
        look = self.person.look
        for index in range(3):
            left = size[0] * number(look, "frame", index, below=80) / 100
            top = size[1] * (5 + number(look, "high", index, below=30)) / 100
            wide = unit * (12 + number(look, "wide", index, below=16)) / 100
            draw.rounded_rectangle(
                (left, top, left + wide, top + wide * 1.2),
                0.02 * unit,
                fill=mixed(self.floor, self.far, 0.28),
            )
        self._disc(draw, x, y, 0.4, mixed(self.wall, self.accent, 0.3))
        long_hair = self.person.gender == "female" and number(self.person.group, "long", below=3) > 0
        if long_hair:
            draw.rounded_rectangle(
                (x - 0.19 * unit, y - 0.12 * unit, x + 0.19 * unit, y + 0.3 * unit),
                0.15 * unit,
                fill=self.hair,
            )
        shoulders = y + 0.3 * unit
        draw.rounded_rectangle(
            (x - 0.33 * unit, shoulders, x + 0.33 * unit, size[1] + unit), 0.16 * unit, fill=self.near
        )
        shirt = mixed(self.wall, (255, 255, 255), 0.6)
        draw.polygon(
            [(x - 0.09 * unit, shoulders), (x, shoulders + 0.2 * unit), (x + 0.09 * unit, shoulders)],
            fill=shirt,
        )
        draw.rounded_rectangle(
            (x - 0.065 * unit, y + 0.1 * unit, x + 0.065 * unit, shoulders + 0.05 * unit),
            0.05 * unit,
            fill=mixed(self.skin, (60, 20, 10), 0.16),
        )
        self._oval(draw, x, y - 0.035 * unit, 0.178, 0.2, self.hair)
        for side in (-1, 1):
            self._disc(
                draw, x + side * 0.15 * unit, y + 0.02 * unit, 0.03, mixed(self.skin, (60, 20, 10), 0.08)
            )
        self._oval(draw, x, y + 0.015 * unit, 0.15, 0.185, self.skin)
        fringe = number(self.person.group, "fringe", below=3)
        box = (x - 0.155 * unit, y - 0.19 * unit, x + 0.155 * unit, y + 0.02 * unit)
        draw.chord(box, (180, 195, 170)[fringe], (360, 345, 350)[fringe], fill=self.hair)
        for side in (-1, 1):
            self._disc(
                draw, x + side * 0.095 * unit, y + 0.075 * unit, 0.026, mixed(self.skin, (226, 110, 96), 0.22)
            )
        nose = mixed(self.skin, (60, 20, 10), 0.18)
        draw.arc(
            (x - 0.018 * unit, y + 0.03 * unit, x + 0.018 * unit, y + 0.068 * unit),
            20,
            160,
            fill=nose,
            width=max(2, int(0.008 * unit)),
        )
        if number(self.person.group, "beard", below=4) == 0 and self.person.gender == "male":
            draw.chord(
                (x - 0.135 * unit, y - 0.02 * unit, x + 0.135 * unit, y + 0.205 * unit),
                28,
                152,
                fill=self.hair,
            )
        if number(self.person.group, "glasses", below=4) == 0:
            for side in (-1, 1):
                eye = x + side * 0.066 * unit
                draw.rounded_rectangle(
                    (eye - 0.045 * unit, y - 0.036 * unit, eye + 0.045 * unit, y + 0.036 * unit),
                    0.022 * unit,
                    outline=(40, 40, 46),
                    width=max(2, int(0.008 * unit)),
                )
            draw.line(
                (x - 0.021 * unit, y, x + 0.021 * unit, y), fill=(40, 40, 46), width=max(2, int(0.008 * unit))
            )
        return image

    def _disc(self, draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, color: Color) -> None:
        self._oval(draw, x, y, radius, radius, color)

    def _oval(
        self, draw: ImageDraw.ImageDraw, x: float, y: float, wide: float, tall: float, color: Color
    ) -> None:
        unit = self.unit
        draw.ellipse((x - wide * unit, y - tall * unit, x + wide * unit, y + tall * unit), fill=color)


def picture(person: Person, orientation: str) -> bytes:
    """A look's preview as JPEG."""
    size = {"landscape": (640, 360), "portrait": (360, 640)}.get(orientation, (480, 480))
    return jpeg(Portrait(person, *size).face(0.0))


def logo(kit_id: str, colors: tuple[str, ...]) -> bytes:
    """A brand mark as PNG with a transparent ground."""
    image = Image.new("RGBA", (512, 512))
    draw = ImageDraw.Draw(image)
    first, second, third = ((*rgb(color), 255) for color in (colors * 3)[:3])
    draw.rounded_rectangle((16, 16, 496, 496), 120, fill=first)
    turn = number(digest(kit_id), "turn", below=3)
    draw.pieslice((96, 96, 416, 416), 120 * turn, 120 * turn + 240, fill=second)
    draw.ellipse((196, 196, 316, 316), fill=third)
    buffer = io.BytesIO()
    image.resize((256, 256), Image.Resampling.LANCZOS).save(buffer, "PNG")
    return buffer.getvalue()
