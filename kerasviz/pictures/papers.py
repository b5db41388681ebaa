"""The two papers pictures are drawn on, and the few colours that are not data."""

from dataclasses import dataclass

from kerasviz.errors import SettingError, near

RGB = tuple[int, int, int]


@dataclass(frozen=True)
class Paper:
    """Colours 0..255 of everything that is neither photograph nor map."""

    paper: RGB
    ink: RGB  # what is read first
    dim: RGB  # labels, units, small print: contrast above 5.5 : 1
    rule: RGB  # hairlines
    void: RGB  # where there is nothing to show
    bad: RGB  # what failed


PAPERS = {
    "white": Paper((255, 255, 255), (27, 30, 34), (98, 106, 115), (214, 218, 222), (242, 244, 246), (163, 42, 31)),
    "black": Paper((21, 23, 26), (230, 232, 235), (152, 161, 171), (46, 51, 57), (29, 32, 36), (242, 139, 126)),
}


def paper(background: str) -> Paper:
    """The colours of `white` or `black` paper; SettingError for another word."""
    if background not in PAPERS:
        raise SettingError(
            f"The background must be white or black, found {background!r}.{near(background, PAPERS)} "
            "The default is white."
        )
    return PAPERS[background]
