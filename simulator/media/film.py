"""Films of storyboards: H.264 and AAC in an MP4 that starts at once, slow pans, crossfades, a soft pad."""

from __future__ import annotations

import array
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from PIL import Image, ImageDraw

from simulator.agent import Frame
from simulator.identifiers import number

from . import pictures, sound

FPS = 20
FADE = 0.35
SIZE = (854, 480)


def write_film(
    path: Path, frames: Sequence[Frame], seconds: float, seed: str, *, captions: Sequence[str] = ()
) -> None:
    """An MP4 at `path`. With `captions`, one line for each frame is burnt in."""
    portrait = bool(frames) and frames[0].portrait
    width, height = (SIZE[1], SIZE[0]) if portrait else SIZE
    stills = [pictures.drawing(frame, width * 11 // 10, height * 11 // 10, caption=False) for frame in frames]
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = container.add_stream(
            "libx264", rate=FPS, options={"preset": "superfast", "crf": "24", "g": "40"}
        )
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.thread_count = 1
        audio = container.add_stream("aac", rate=sound.RATE, layout="mono")
        audio.bit_rate = 64_000
        track = Track(container, audio, sound.pad(seconds, seed))
        for place, image in enumerate(moving(stills, seconds, seed, (width, height), captions)):
            container.mux(video.encode(frame_of(image, place, Fraction(1, FPS))))
            track.play_until((place + 1) / FPS)
        track.play_until(seconds)
        flush(container, video, audio)


def moving(
    stills: Sequence[Image.Image], seconds: float, seed: str, size: tuple[int, int], captions: Sequence[str]
) -> Iterator[Image.Image]:
    """The pictures of a film: the view wanders slowly over each still, with short crossfades between."""
    total = max(1, int(seconds * FPS))
    share = total / len(stills)
    labels = [label(line, size) for line in captions]
    for place in range(total):
        index = min(len(stills) - 1, int(place / share))
        inside = place / share - index
        image = panned(stills[index], inside, size, f"{seed}{index}")
        left = (1 - inside) * share / FPS
        if left < FADE and index + 1 < len(stills):
            following = panned(stills[index + 1], 0.0, size, f"{seed}{index + 1}")
            image = Image.blend(image, following, 1 - left / FADE)
        if index < len(labels):
            image.paste(labels[index], (0, size[1] - labels[index].height - size[1] // 45), labels[index])
        yield image


def panned(still: Image.Image, inside: float, size: tuple[int, int], seed: str) -> Image.Image:
    """The part of a still that is seen at a moment (0 to 1). Whole pixels only: a crop costs next to nothing."""
    across, down = still.width - size[0], still.height - size[1]
    forward = number(seed, "forward", below=2) == 0
    along = inside if forward else 1 - inside
    left = round(across * along)
    top = round(down * (0.5 + (along - 0.5) * (number(seed, "slope", below=3) - 1)))
    return still.crop((left, top, left + size[0], top + size[1]))


def label(line: str, size: tuple[int, int]) -> Image.Image:
    """A caption on a dark strip."""
    large = max(16, min(size) // 22)
    image = Image.new("RGBA", (size[0], large * 2))
    draw = ImageDraw.Draw(image)
    text = pictures.wrapped(draw, line, large, int(size[0] * 0.86))[0] if line.strip() else ""
    width = draw.textlength(text, font=pictures.font(large))
    left = (size[0] - width) / 2
    draw.rounded_rectangle(
        (left - large, 0, left + width + large, large * 2 - 1), large * 0.5, fill=(10, 12, 16, 190)
    )
    draw.text((left, large * 0.42), text, font=pictures.font(large), fill=(255, 255, 255, 255))
    return image


class Track:
    """The sound of a film, handed over bit by bit so that pictures and sound lie side by side in the file."""

    def __init__(
        self, container: av.container.OutputContainer, stream: AudioStream, samples: array.array[int]
    ) -> None:
        self._container = container
        self._stream = stream
        self._samples = samples
        self._place = 0

    def play_until(self, seconds: float) -> None:
        rate = self._stream.rate
        while self._place < min(len(self._samples), seconds * rate):
            chunk = self._samples[self._place : self._place + 1024]
            frame = av.AudioFrame(format="s16", layout="mono", samples=len(chunk))
            frame.sample_rate, frame.pts, frame.time_base = rate, self._place, Fraction(1, rate)
            # The plane is padded for alignment, so it is larger than the samples.
            raw = chunk.tobytes()
            frame.planes[0].update(raw + bytes(frame.planes[0].buffer_size - len(raw)))
            self._container.mux(self._stream.encode(frame))
            self._place += len(chunk)


def frame_of(image: Image.Image, place: int, time_base: Fraction) -> av.VideoFrame:
    frame: av.VideoFrame = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
    frame.pts, frame.time_base = place, time_base
    return frame


def flush(container: av.container.OutputContainer, video: VideoStream, audio: AudioStream) -> None:
    container.mux(video.encode(None))
    container.mux(audio.encode(None))


def subtitles(lines: Sequence[str], seconds: float) -> str:
    """SRT with one line for each picture."""
    share = seconds / max(1, len(lines))
    blocks = [
        f"{place + 1}\n{clock(place * share)} --> {clock((place + 1) * share - 0.05)}\n{line}\n"
        for place, line in enumerate(lines)
    ]
    return "\n".join(blocks)


def clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d},{int((seconds - whole) * 1000):03d}"
