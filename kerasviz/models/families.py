"""The networks of keras.applications, recognised by their kernels: how many of which size and stride, and how wide."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kerasviz.models.heads import Head

IMAGENET = 1000  # classes

# member: (scaling, kernels without those of the head, sum of their widths or "", kernels of the head).
# A kernel is c (convolution) or d (one for each channel), its size, its stride where that is not 1, and how often it
# stands there. Widths of MobileNets vary. `m1` in the head is one Dense layer. EfficientNets were published with their
# scaling inside: where it is missing, the file is of somebody else, and there is no name to give.
_TABLE = """
MobileNet         -1..1 | c1:13 c3/2:1 d3:9 d3/2:4                                     |        | c1:1
MobileNetV2       -1..1 | c1:34 c3/2:1 d3:13 d3/2:4                                    |        | m1
MobileNetV3Small  -1..1 | c1:40 c3/2:1 d3:1 d3/2:2 d5:6 d5/2:2                         |        | c1:2
MobileNetV3Large  -1..1 | c1:46 c3/2:1 d3:7 d3/2:2 d5:4 d5/2:2                         |        | c1:2
VGG16             caffe | c3:13                                                        | 4224   | m3
VGG19             caffe | c3:16                                                        | 5504   | m3
ResNet50          caffe | c1:30 c1/2:6 c3:16 c7/2:1                                    | 26560  | m1
ResNet101         caffe | c1:64 c1/2:6 c3:33 c7/2:1                                    | 52672  | m1
ResNet152         caffe | c1:98 c1/2:6 c3:50 c7/2:1                                    | 75712  | m1
ResNet50V2        -1..1 | c1:36 c3:13 c3/2:3 c7/2:1                                    | 26560  | m1
ResNet101V2       -1..1 | c1:70 c3:30 c3/2:3 c7/2:1                                    | 52672  | m1
ResNet152V2       -1..1 | c1:104 c3:47 c3/2:3 c7/2:1                                   | 75712  | m1
DenseNet121       torch | c1:61 c3:58 c7/2:1                                           | 10240  | m1
DenseNet169       torch | c1:85 c3:82 c7/2:1                                           | 14208  | m1
DenseNet201       torch | c1:101 c3:98 c7/2:1                                          | 17024  | m1
Xception          -1..1 | c1:34 c1/2:4 c3:1 c3/2:1 d3:34                               | 50312  | m1
InceptionV3       -1..1 | c1:40 c1x3:4 c1x7:13 c3:12 c3/2:5 c3x1:4 c5:3 c7x1:13        | 17216  | m1
InceptionResNetV2 -1..1 | c1:140 c1x3:10 c1x7:20 c3:37 c3/2:6 c3x1:10 c5:1 c7x1:20     | 76032  | m1
NASNetMobile      -1..1 | c1:195 c3/2:1 d3:80 d5:56 d5/2:8 d7:8 d7/2:8                 | 33722  | m1
NASNetLarge       -1..1 | c1:267 c3/2:1 d3:116 d5:80 d5/2:8 d7:8 d7/2:8                | 180396 | m1
EfficientNetB0    ?     | c1:64 c3/2:1 d3:5 d3/2:2 d5:7 d5/2:2                         | 30348  | m1
EfficientNetB1    ?     | c1:91 c3/2:1 d3:9 d3/2:2 d5:10 d5/2:2                        | 45184  | m1
EfficientNetB2    ?     | c1:91 c3/2:1 d3:9 d3/2:2 d5:10 d5/2:2                        | 49194  | m1
EfficientNetB3    ?     | c1:103 c3/2:1 d3:10 d3/2:2 d5:12 d5/2:2                      | 63728  | m1
EfficientNetB4    ?     | c1:127 c3/2:1 d3:12 d3/2:2 d5:16 d5/2:2                      | 91640  | m1
EfficientNetB5    ?     | c1:154 c3/2:1 d3:16 d3/2:2 d5:19 d5/2:2                      | 126688 | m1
EfficientNetB6    ?     | c1:178 c3/2:1 d3:18 d3/2:2 d5:23 d5/2:2                      | 164816 | m1
EfficientNetB7    ?     | c1:217 c3/2:1 d3:23 d3/2:2 d5:28 d5/2:2                      | 228560 | m1
EfficientNetV2B0  -1..1 | c1:69 c3:3 c3/2:3 d3:14 d3/2:2                               | 43824  | m1
EfficientNetV2B1  -1..1 | c1:83 c3:6 c3/2:3 d3:17 d3/2:2                               | 51364  | m1
EfficientNetV2B2  -1..1 | c1:87 c3:6 c3/2:3 d3:18 d3/2:2                               | 59558  | m1
EfficientNetV2B3  -1..1 | c1:103 c3:6 c3/2:3 d3:22 d3/2:2                              | 79350  | m1
EfficientNetV2S   -1..1 | c1:129 c3:8 c3/2:3 d3:28 d3/2:2                              | 112128 | m1
EfficientNetV2M   -1..1 | c1:187 c3:11 c3/2:3 d3:42 d3/2:2                             | 213836 | m1
EfficientNetV2L   -1..1 | c1:259 c3:16 c3/2:3 d3:59 d3/2:2                             | 375840 | m1
"""


@dataclass(frozen=True)
class Member:
    """A network of keras.applications.

    Attributes:
        scaling: what it was published with outside of it, or "" where that is always inside.
        head: the kernels after the last that its trunk has.
    """

    name: str
    scaling: str
    trunk: Counter
    width: int | None
    head: Counter


@dataclass(frozen=True)
class Family:
    """What was recognised, and whether the head is there that was trained on ImageNet's classes."""

    member: Member
    original: bool

    @property
    def name(self) -> str:
        """As keras.applications calls it."""
        return self.member.name


def _members() -> list[Member]:
    rows = [[cell.strip() for cell in line.split("|")] for line in _TABLE.strip().splitlines()]
    return [
        Member(name, "" if scaling == "?" else scaling, _counted(trunk), int(width) if width else None, _counted(head))
        for name_scaling, trunk, width, head in rows
        for name, scaling in [name_scaling.split()]
    ]


def _counted(text: str) -> Counter:
    """`c3:13 m1` -> {c3: 13, m: 1}."""
    pairs = [part.partition(":") for part in text.split()]
    return Counter({(kind if count else kind[0]): int(count or kind[1:]) for kind, _, count in pairs})


MEMBERS = tuple(_members())


def family(operations: Sequence[Any], heads: Sequence[Head]) -> Family | None:
    """The family of a network whose operations these are; None where it has other kernels than all of them."""
    kernels = [op for op in operations if op.type in ("Conv2D", "DepthwiseConv2dNative")]
    counted, width = Counter(map(_kernel, kernels)), sum(map(_width, kernels))
    dense = sum(op.type == "MatMul" for op in operations)
    for member in MEMBERS:
        top = Counter({kind: count for kind, count in member.head.items() if kind != "m"})
        for extra in (Counter(), top):
            widths = sum(map(_width, kernels[len(kernels) - extra.total() :])) if extra else 0
            if counted == member.trunk + extra and member.width in (None, width - widths):
                whole = extra == top and dense == member.head["m"]
                return Family(member, whole and _imagenet(heads))
    return None


def _kernel(op: Any) -> str:
    """`c3/2` of a convolution 3 x 3 of stride 2."""
    height, width = op.inputs[1].shape.as_list()[:2]
    stride = max(op.get_attr("strides"))
    size = str(height) if height == width else f"{height}x{width}"
    return ("c" if op.type == "Conv2D" else "d") + size + (f"/{stride}" if stride > 1 else "")


def _width(op: Any) -> int:
    return int(op.inputs[1].shape[3 if op.type == "Conv2D" else 2] or 0)


def _imagenet(heads: Sequence[Head]) -> bool:
    return len(heads) == 1 and heads[0].kind == "classes" and heads[0].output.shape[-1] == IMAGENET
