"""Sounds made of sines: a soft pad under films, and a babble that passes for a voice. 16-bit mono samples."""

from __future__ import annotations

import array
import io
import math
import wave

from simulator.identifiers import number

RATE = 24_000
CHORDS = ((220.0, 277.18, 329.63), (196.0, 246.94, 293.66), (174.61, 220.0, 261.63), (196.0, 261.63, 329.63))


def pad(seconds: float, seed: str) -> array.array[int]:
    """Slow chords with a pluck at each change."""
    samples = array.array("h")
    total, scene = int(seconds * RATE), int(1.6 * RATE)
    first = number(seed, "chord", below=len(CHORDS))
    turn = 2 * math.pi / RATE
    for begin in range(0, total, scene):
        low, middle, high = (note * turn for note in CHORDS[(first + begin // scene) % len(CHORDS)])
        length = min(scene, total - begin)
        for place in range(length):
            swell = math.sin(math.pi * place / scene) ** 0.5
            pluck = math.exp(-place / 4_000) * math.sin(high * 2 * place)
            chord = math.sin(low * place) + 0.7 * math.sin(middle * place) + 0.5 * math.sin(high * place)
            samples.append(int(2_600 * swell * chord + 3_200 * pluck))
    fade = min(total, RATE // 2)
    for place in range(fade):
        samples[total - 1 - place] = samples[total - 1 - place] * place // fade
    return samples


def syllables(seconds: float, seed: str) -> list[float]:
    """How far the mouth is open, 0 to 1, in steps of 10 ms; closed at both ends."""
    steps = int(seconds * 100)
    opening = [0.0] * steps
    place, count = 6, 0
    while place < steps - 14:
        length = 11 + number(seed, "length", count, below=11)
        strength = 0.45 + number(seed, "strength", count, below=55) / 100
        for step in range(min(length, steps - 8 - place)):
            opening[place + step] = strength * math.sin(math.pi * step / length)
        pause = 22 if number(seed, "pause", count, below=9) == 0 else 2
        place, count = place + length + pause, count + 1
    return opening


def voice(opening: list[float], pitch: float, rate: int = RATE) -> array.array[int]:
    """A hum whose loudness and colour follow the mouth."""
    samples = array.array("h")
    phase = 0.0
    per_step = rate // 100
    for step, openness in enumerate(opening):
        following = opening[step + 1] if step + 1 < len(opening) else 0.0
        tune = pitch * (1 + 0.06 * math.sin(step / 23) + 0.05 * openness)
        turn = 2 * math.pi * tune / rate
        for place in range(per_step):
            loud = openness + (following - openness) * place / per_step
            phase += turn
            if loud <= 0:
                samples.append(0)
                continue
            tone = (
                math.sin(phase)
                + 0.5 * math.sin(2 * phase)
                + 0.55 * loud * math.sin(4 * phase)
                + 0.3 * math.sin(7 * phase)
            )
            samples.append(int(6_500 * loud * tone))
    return samples


def pitch_of(gender: str, seed: str) -> float:
    """Hertz."""
    base = {"female": 205.0, "male": 118.0}.get(gender, 160.0)
    return base * (0.9 + number(seed, "pitch", below=20) / 100)


def wav(samples: array.array[int], rate: int = RATE) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


def preview(voice_id: str, gender: str) -> bytes:
    """What a voice sounds like, two and a half seconds as WAV."""
    return wav(voice(syllables(2.5, voice_id), pitch_of(gender, voice_id)))
