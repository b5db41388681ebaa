"""What a target can be written as, one line a form; `targets.py` reads them, the reference prints them."""

from dataclasses import dataclass

MOST_RANKS = 100  # of topK: each rank is a gradient of its own in one compiled function
_BEYOND = 2**31 - 1  # the largest that a target's numbers, int32, can hold


@dataclass(frozen=True)
class Form:
    """One way to write a target.

    Attributes:
        examples: texts of this form.
        kind: what the record calls such a target: class, map, value, unit or neuron.
        means: what is explained.
    """

    examples: tuple[str, ...]
    kind: str
    means: str


# fmt: off
FORMS = (
    Form(("auto",), "class",
         "by the head: the predicted class, the predicted side of one sigmoid unit, the largest class of a "
         "segmentation, the first value of a regression"),
    Form(("top", "top3"), "class", "the predicted class of each picture; its first three, each explained by itself"),
    Form(("281", "tabby", "tiger cat", "n02123045"), "class",
         "a class by its number from 0, its name (in any case; a beginning is enough where only one begins so), "
         "or its WordNet synset"),
    Form(("281-285", "tabby - tiger cat"), "class", "a contrast: the first score less the second"),
    Form(("true",), "class", "the class that each picture has: in the file `--classes`, else its folder's name"),
    Form(("p(tabby)",), "class", "the probability instead of the logit"),
    Form(("conv2:17",), "unit", "channel 17 of a layer: the mean of its map"),
    Form(("conv2:17@4,9",), "neuron", "one cell of that map: row 4, column 9, from 0"),
    Form(("conv2:17+40", "conv2:17-40"), "unit", "the sum and the difference of channels"),
    Form(("conv2:*",), "unit", "the mean of the squares of all that the layer returns"),
    Form(("out1:3",), "unit", "unit 3 of another output, by its name or its number from 0"),
    Form(("map:car", "map:car@10,20,200,150"), "map",
         "of a segmentation: the sum of a class's logits where that class is predicted; within a box x0,y0,x1,y1 "
         "in pixels of the photograph"),
    Form(("value", "value:2"), "value", "the first value of a regression, or value 2, from 0"),
)
# fmt: on


def whole_number(digits: str | None) -> int:
    """What digits mean, 0 without any; numbers of ten digits and more are one number, which no network reaches."""
    return int(digits or 0) if len((digits or "").lstrip("0")) < 10 else _BEYOND
