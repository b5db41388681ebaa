"""Animations: the same picture over the epochs, its time on a strip of paper below it."""

import importlib
import io
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from PIL import Image

from kerasviz.errors import SettingError, near
from kerasviz.pictures.colormaps import DIVERGING, rows_of, table
from kerasviz.pictures.lettering import NOTE, Lettering
from kerasviz.pictures.overlays import ground_of, opacity_of
from kerasviz.pictures.papers import RGB, paper

FORMATS = ("webp", "gif", "mp4")
LARGEST = 512  # pixels of the longer side, without the strip
STRIP, MARGIN, BASELINE, APART = 24, 8, 16, 10
FRAME_MS, LAST_MS = 400, 1600
# Measured over frames of 512 x 512: 9 ms and 19 kB each, 3 grey levels off. Method 4 takes 20 ms for 4 % less. The
# encoder of animations saves another third by keeping blocks that changed little, and slow changes then show blocks.
WEBP: dict[str, Any] = {"quality": 75, "method": 2}
X264 = {"preset": "veryfast", "crf": "20"}
LEVELS = 2048  # steps of a share: neighbouring ones differ by at most 4 grey levels, and only next to nothing

Draw = Callable[[int], np.ndarray]


class Overlays:
    """Many maps over one photograph: what `overlay` draws, to 2 grey levels, in a third of its time.

    The ground is made once, and colour times opacity is looked up in one table.
    """

    def __init__(self, photo: np.ndarray, *, colormap: str = "inferno", alpha: float = 0.65, signed: bool = False):
        share = np.linspace(-1 if signed else 0, 1, (2 if signed else 1) * LEVELS + 1, dtype=np.float32)
        opacity = opacity_of(share, alpha, signed)
        colours = table(colormap)[rows_of(share, halved=signed or colormap in DIVERGING, signed=signed)]
        self._colours = (colours * opacity[:, None]).astype(np.float32)
        self._kept = (1 - opacity).astype(np.float32)
        self._ground, self._low = ground_of(photo), share[0]

    def draw(self, share: np.ndarray) -> np.ndarray:
        """uint8 (H, W, 3) of shares of the limit, float32 (H, W), -1..1; NaN where the network never looked."""
        share = np.where(np.isnan(share), np.float32(0), share) if np.isnan(share).any() else share
        level = ((np.clip(share, self._low, 1) - self._low) * np.float32(LEVELS) + np.float32(0.5)).astype(np.intp)
        kept = self._kept.take(level, mode="clip")
        ground = cv2.multiply(self._ground, cv2.merge([kept, kept, kept]))
        return cv2.convertScaleAbs(cv2.add(ground, self._colours.take(level, axis=0, mode="clip")))


def noted(picture: np.ndarray, left: str, right: str = "", *, more: str = "", bad: bool = False) -> np.ndarray:
    """A picture with a strip of paper below it, 24 high.

    Args:
        picture: uint8 (h, w, 3).
        left: its time, in ink, and `more` dim after it; `bad`: what failed.
        right: what is known at that time, as far as there is room.
    """
    colors, letters = paper("white"), Lettering(1)
    strip = np.full((STRIP, picture.shape[1], 3), colors.paper, np.uint8)
    room = strip.shape[1] - 2 * MARGIN

    def write(text: str, x: float, color: RGB, wide: float) -> float:
        return letters.draw(strip, letters.shorten(text, wide, NOTE), round(x), BASELINE, NOTE, color) if text else x

    end = write(left, MARGIN, colors.ink, room)
    right = letters.shorten(right, room - end - APART, NOTE) if room - end - APART > 4 * NOTE.size else ""
    start = strip.shape[1] - MARGIN - letters.width(right, NOTE)
    write(right, start, colors.ink, room)
    if (between := start - end - 2 * APART) > 4 * NOTE.size:
        write(more, end + APART, colors.bad if bad else colors.dim, between)
    return np.concatenate([picture, strip])


def animation(draw: Draw, count: int, form: str) -> bytes:
    """The file of an animation that begins again at its end: 400 ms a frame, 1.6 s the last.

    Args:
        draw: number of a frame, 0 to count - 1 -> uint8 (h, w, 3), all of one size; asked for one after the other,
            so that no more than a few are ever held.
        count: frames, at least 1.
        form: `webp`, `gif`, or `mp4` (H.264, which needs the package `av`).

    Raises:
        SettingError: another form, or the package is missing.
    """
    refuse_form(form)
    return {"webp": _webp, "gif": _gif, "mp4": _mp4}[form](draw, count)


def refuse_form(form: str) -> None:
    """SettingError where there is no such form, or it cannot be written here."""
    if form not in FORMATS:
        raise SettingError(
            f"Expected animation as {', '.join(FORMATS)} or none, found {form!r}.{near(form, (*FORMATS, 'none'))} "
            "The default is webp."
        )
    if form == "mp4":
        _av()


def evenly(count: int, most: int) -> list[int]:
    """At most `most` of the numbers 0 to count - 1, evenly spaced, with the first and the last."""
    return np.unique(np.rint(np.linspace(0, count - 1, min(count, most)))).astype(int).tolist() if count else []


def _webp(draw: Draw, count: int) -> bytes:
    """Whole frames, one after the other: https://developers.google.com/speed/webp/docs/riff_container."""
    frames = []
    for frame, duration in enumerate(_durations(count)):
        image, buffer = Image.fromarray(draw(frame)), io.BytesIO()
        image.save(buffer, "WEBP", **WEBP)
        size = _three(image.width - 1) + _three(image.height - 1)
        # at 0, 0; over what was there before, without blending; the picture without its 12 bytes of file header
        frames.append(_chunk(b"ANMF", bytes(6) + size + _three(duration) + b"\x02" + buffer.getvalue()[12:]))
    extended = _chunk(b"VP8X", b"\x02" + bytes(3) + size)  # is an animation; size of the canvas
    for_ever = _chunk(b"ANIM", b"\xff" * 4 + bytes(2))  # on white
    return _chunk(b"RIFF", b"WEBP" + extended + for_ever + b"".join(frames))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")


def _gif(draw: Draw, count: int) -> bytes:
    """One palette for all frames, so that nothing flickers: made from some of them. Frames are held as bytes."""
    some = [draw(frame)[::3, ::3] for frame in evenly(count, 8)]
    palette = Image.fromarray(np.concatenate(some)).quantize(256, method=Image.Quantize.FASTOCTREE)
    frames = [Image.fromarray(draw(frame)).quantize(palette=palette) for frame in range(count)]
    buffer = io.BytesIO()
    frames[0].save(
        buffer, "GIF", save_all=True, append_images=frames[1:], duration=_durations(count), loop=0, optimize=False
    )
    return buffer.getvalue()


def _mp4(draw: Draw, count: int) -> bytes:
    """H.264 in yuv420p, which every browser plays; the last frame stands four times."""
    av, buffer = _av(), io.BytesIO()
    with av.open(buffer, "w", format="mp4") as video:
        stream = video.add_stream("libx264", rate=_fraction(1000, FRAME_MS), options=X264)
        for frame in range(count):
            pixels = _even(draw(frame))
            if frame == 0:
                stream.height, stream.width, stream.pix_fmt = *pixels.shape[:2], "yuv420p"
            for _ in range(LAST_MS // FRAME_MS if frame == count - 1 else 1):
                video.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")))
        video.mux(stream.encode())
    return buffer.getvalue()


def _fraction(over: int, under: int) -> Any:
    from fractions import Fraction

    return Fraction(over, under)


def _even(picture: np.ndarray) -> np.ndarray:
    """With an even height and width, as colours of half the resolution need: its edge goes on for a pixel."""
    height, width = picture.shape[:2]
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), "edge")


def _durations(count: int) -> Sequence[int]:
    return [FRAME_MS] * (count - 1) + [LAST_MS]


def _av() -> Any:
    try:
        return importlib.import_module("av")
    except ImportError as error:
        raise SettingError(
            "An animation as mp4 needs the package 'av', found none. "
            "Type pip install 'kerasviz[video]', or choose webp or gif."
        ) from error
