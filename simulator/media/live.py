"""Live HLS: a few pre-made fMP4 segments of a talking and a listening presenter, put in any order without a seam.

A segment holds exactly 24 pictures and 90 AAC frames (1.92 s), so that segments fit behind each other once their
`tfdt` is moved to the place where they are played; no discontinuity is needed.
"""

from __future__ import annotations

import array
import math
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image

from simulator.identifiers import number

from . import film, sound
from .portraits import Person, Portrait

PICTURES = 24
AUDIO_FRAMES = 90
RATE = 48_000
SECONDS = AUDIO_FRAMES * 1024 / RATE
FPS = Fraction(PICTURES * 10, round(SECONDS * 10 * 100)) * 100
TALKING = 6
LISTENING = 2
# Encoders begin and end unevenly: the outermost segments are thrown away.
LEAD = 1
WINDOW = 6
AHEAD = 3
SIZE = (640, 360)


def write_parts(folder: Path, person: Person, pitch: float) -> None:
    """`init.mp4` and the segments `0.m4s` … of one presenter in `folder`: first the talking ones, then the listening."""
    count = LEAD + TALKING + LISTENING + 1
    openings = [
        sound.syllables(SECONDS, f"{person.look}{place}")
        if LEAD <= place < LEAD + TALKING
        else [0.0] * round(SECONDS * 100)
        for place in range(count)
    ]
    whole = folder / "whole.mp4"
    encode(whole, Portrait(person, *SIZE), openings, pitch, person.look)
    init, segments = split(whole.read_bytes())
    (folder / "init.mp4").write_bytes(init)
    for place, segment in enumerate(segments[LEAD : LEAD + TALKING + LISTENING]):
        (folder / f"{place}.m4s").write_bytes(segment)
    whole.unlink()


def encode(path: Path, portrait: Portrait, openings: list[list[float]], pitch: float, seed: str) -> None:
    faces: dict[tuple[int, bool], Image.Image] = {}
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "use_editlist": "0"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        x264 = {"preset": "veryfast", "profile": "main", "crf": "25", "bf": "0", "sc_threshold": "0"}
        x264 |= {"g": str(PICTURES), "keyint_min": str(PICTURES)}
        video = container.add_stream("libx264", rate=FPS, options=x264)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        video.thread_count = 1
        audio = container.add_stream("aac", rate=RATE, layout="mono")
        audio.bit_rate = 48_000
        samples = array.array("h")
        for opening in openings:
            samples.extend(sound.voice(opening, pitch, RATE)[: AUDIO_FRAMES * 1024])
        track = film.Track(container, audio, samples)
        for picture in range(PICTURES * len(openings)):
            opening, inside = openings[picture // PICTURES], picture % PICTURES
            level = round(5 * max(opening[inside * len(opening) // PICTURES :][:8], default=0.0))
            blink = number(seed, "blink", picture // 3, below=14) == 0
            if (level, blink) not in faces:
                faces[level, blink] = portrait.face(level / 5, blink=blink)
            sway = 4 * math.sin(2 * math.pi * inside / PICTURES)
            box = (8 + sway, 4, SIZE[0] - 8 + sway, SIZE[1] - 5)
            image = faces[level, blink].resize(SIZE, Image.Resampling.BILINEAR, box=box)
            container.mux(video.encode(film.frame_of(image, picture, 1 / FPS)))
            track.play_until(float((picture + 1) / FPS))
        film.flush(container, video, audio)


def boxes(data: bytes, begin: int = 0, end: int | None = None) -> list[tuple[bytes, int, int]]:
    """Name, begin and end of the boxes between two places."""
    found = []
    end = len(data) if end is None else end
    while begin + 8 <= end:
        size, name = struct.unpack(">I4s", data[begin : begin + 8])
        if size < 8:
            break
        found.append((name, begin, begin + size))
        begin += size
    return found


def split(data: bytes) -> tuple[bytes, list[bytes]]:
    """A fragmented file as its beginning and its fragments."""
    init, segments = b"", []
    for name, begin, end in boxes(data):
        if name in (b"ftyp", b"moov"):
            init += data[begin:end]
        elif name == b"moof":
            segments.append(data[begin:end])
        elif name == b"mdat" and segments:
            segments[-1] += data[begin:end]
    return init, segments


def timescales(init: bytes) -> dict[int, int]:
    """Ticks per second of each track."""
    found: dict[int, int] = {}

    def walk(begin: int, end: int, track: dict[str, int]) -> None:
        for name, start, stop in boxes(init, begin, end):
            wide = start + 8 < stop and init[start + 8] == 1
            if name in (b"moov", b"mdia"):
                walk(start + 8, stop, track)
            elif name == b"trak":
                walk(start + 8, stop, {})
            elif name == b"tkhd":
                at = start + (28 if wide else 20)
                track["id"] = struct.unpack(">I", init[at : at + 4])[0]
            elif name == b"mdhd":
                at = start + (28 if wide else 20)
                found[track["id"]] = struct.unpack(">I", init[at : at + 4])[0]

    walk(0, len(init), {})
    return found


def placed(segment: bytes, place: int, scales: dict[int, int], origin: int) -> bytes:
    """The segment as number `place` of a stream; `origin` is its number in the file it was cut from."""
    data = bytearray(segment)

    def walk(begin: int, end: int) -> None:
        track = 0
        for name, start, stop in boxes(segment, begin, end):
            if name in (b"moof", b"traf"):
                walk(start + 8, stop)
            elif name == b"tfhd":
                track = struct.unpack(">I", segment[start + 12 : start + 16])[0]
            elif name == b"tfdt":
                form, wide = (">Q", 8) if segment[start + 8] == 1 else (">I", 4)
                old = struct.unpack(form, segment[start + 12 : start + 12 + wide])[0]
                moved = old + round((place - origin) * SECONDS * scales[track])
                data[start + 12 : start + 12 + wide] = struct.pack(form, moved)
            elif name == b"mfhd":
                data[start + 12 : start + 16] = struct.pack(">I", (place + 1) & 0xFFFFFFFF)

    walk(0, len(segment))
    return bytes(data)


def playlist(elapsed: float, *, ended_at: float | None) -> str:
    """The live playlist `elapsed` seconds after the stream began to play.

    The first `AHEAD` segments are there from the start, as a lead-in, so that a player can begin at once.
    """
    until = elapsed if ended_at is None else min(elapsed, ended_at)
    last = AHEAD + int(max(0.0, until) / SECONDS)
    first = max(0, last - WINDOW)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{math.ceil(SECONDS)}",
        f"#EXT-X-MEDIA-SEQUENCE:{first}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="init.mp4"',
    ]
    for place in range(first, last):
        lines += [f"#EXTINF:{SECONDS:.5f},", f"{place}.m4s"]
    if ended_at is not None and elapsed >= ended_at:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def part_for(place: int, talking: Callable[[float, float], bool]) -> int:
    """Which of the made segments is played as number `place`."""
    begin = (place - AHEAD) * SECONDS
    if place >= AHEAD and talking(begin, begin + SECONDS):
        return place % TALKING
    return TALKING + place % LISTENING
