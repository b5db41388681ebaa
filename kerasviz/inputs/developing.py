"""A decoded picture, of whatever mode, becomes upright RGB of eight bits in the sRGB colour space."""

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PIL import Image, ImageCms

UPRIGHT = {  # EXIF orientation -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION = 0x0112


def developed(image: Image.Image, notes: list[str]) -> tuple[np.ndarray, np.ndarray | None]:
    """Upright sRGB pixels, uint8 (H, W, 3), of a decoded picture; what was done is added to `notes`.

    Where it is transparent anywhere, also its own colours with their alpha, uint8 (H, W, 4); else None. May raise
    whatever Pillow raises for damaged files.
    """
    if getattr(image, "is_animated", False) and image.format != "MPO":  # MPO: a phone's JPEG with a preview
        image.seek(0)
        notes.append("the first of several frames")
    orientation = _orientation(image)
    if image.mode == "F" or image.mode.startswith("I"):
        own = Image.fromarray(_eight_bits(np.asarray(image), notes)).convert("RGB")
    else:
        own = _to_srgb(image, notes)
    if orientation in UPRIGHT:
        own = own.transpose(UPRIGHT[orientation])
    if own.mode != "RGBA":
        return np.array(own), None
    rgb = np.array(_on_white(own))
    if own.getchannel("A").getextrema() == (255, 255):
        return rgb, None
    notes.append("transparency laid on white")
    return rgb, np.array(own)


def on_white(pixels: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 4) -> (H, W, 3): where a picture is transparent, white shines through, not the hidden colour."""
    return np.array(_on_white(Image.fromarray(np.ascontiguousarray(pixels))))


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1..8; 1 where the EXIF is missing or broken."""
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:  # the pixels are good: a broken footnote costs nothing
        return 1


def _eight_bits(values: np.ndarray, notes: list[str]) -> np.ndarray:
    """Grey of 16 or 32 bits or floats -> uint8 (H, W). Pillow would clip them, which turns most pictures white."""
    grey: Any = values.astype(np.float32 if values.dtype.itemsize <= 2 else np.float64)
    if not np.isfinite(grey).all():
        grey = np.nan_to_num(grey, nan=0.0, posinf=0.0, neginf=0.0)
        notes.append("values that were no numbers made black")
    low, high = float(grey.min()), float(grey.max())
    whole = (1.0, 255.0) if values.dtype.kind == "f" else (65535.0,)
    for limit in whole:
        if low >= 0 and high <= limit:
            notes.append(f"grey values scaled from 0..{limit:g}")
            return np.rint(grey * (255 / limit)).astype(np.uint8)
    notes.append(f"grey values stretched from {low:g}..{high:g}")
    return np.rint((grey - low) * (255 / (high - low or 1))).astype(np.uint8)


def _to_srgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """RGB or RGBA. Follows the embedded profile where it is another one than sRGB and can be followed."""
    profile = image.info.get("icc_profile")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    plain: Callable[[], Image.Image] = partial(image.convert, mode)
    if image.mode == "LAB":
        return _transformed(image, ImageCms.createProfile("LAB"), "RGB")
    if not profile:
        return plain()
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        # Lcms knows grey, RGB and CMYK; palettes and the like are plain RGB underneath.
        known = image if image.mode in ("L", "CMYK") and mode == "RGB" else plain()
        if known.mode in ("RGB", "RGBA") and _is_srgb(source):
            return known
        converted = _transformed(known, source, mode)
        name = ImageCms.getProfileDescription(source).strip() or "unnamed"
    except Exception:  # a profile is advice: the pixels are shown without it
        notes.append("the embedded colour profile could not be used")
        return plain()
    notes.append(f"colours converted from the embedded profile {name!r} to sRGB")
    return converted


def _is_srgb(source: ImageCms.ImageCmsProfile) -> bool:
    """By what it does to 216 colours: names lie, and much of what cameras and sites embed is sRGB by another name."""
    steps = np.arange(0, 256, 51).astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    moved = np.asarray(_transformed(Image.fromarray(colours), source, "RGB")).astype(int) - colours
    return int(np.abs(moved).max()) <= 2


def _transformed(image: Image.Image, source: object, mode: str) -> Image.Image:
    target = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, source, target, outputMode=mode)  # type: ignore[arg-type]
    if converted is None:  # Pillow's answer for a change in place, which was not asked for
        raise ImageCms.PyCMSError("no picture came out")
    return converted


def _on_white(image: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
