"""Layers as a tree: what stands inside what, and how long chains are folded."""

from kerasviz.examining.trees import Block, Branch, folded, tree_of
from kerasviz.models.describing import LayerInfo
from kerasviz.models.receptive import Field


def layers(*rows, size=8):
    """(path, type[, side[, parameters]]) -> LayerInfo, in the order of the calls."""
    found = []
    for k, (path, kind, *more) in enumerate(rows):
        side, parameters = [*more, *[size, 10][len(more) :]]
        shape = (side, side, 4) if side else (4,)
        found.append(LayerInfo(path, k, kind, shape, parameters, None, side not in (0, 1)))
    return found


def outline(branches):
    return [(one.name, outline(one.inside)) if one.inside else one.name for one in branches]


def lines(found):
    return [(one.name, one.type) for one in found]


def test_layers_inside_another_are_its_branches():
    calls = [("a", "Conv2D"), ("net/b", "Conv2D"), ("net/deep/c", "Conv2D"), ("net/deep", "Sequential")]
    tree = tree_of(layers(*calls, ("net", "Functional"), ("end", "Dense", 0)))
    assert outline(tree) == ["a", ("net", ["b", ("deep", ["c"])]), "end"]


def test_each_call_of_a_shared_model_has_its_own_layers():
    calls = [("net/b", "Conv2D"), ("net", "Functional"), ("net/b#1", "Conv2D"), ("net#1", "Functional")]
    assert outline(tree_of(layers(*calls))) == [("net", ["b"]), ("net#1", ["b#1"])]


def test_a_slash_in_a_name_is_no_model():
    calls = [("conv/bn", "BatchNormalization"), ("block", "Conv2D"), ("block/conv", "Conv2D"), ("end", "Dense")]
    assert outline(tree_of(layers(*calls))) == ["conv/bn", "block", "block/conv", "end"]


def test_a_short_chain_is_shown_as_it_is():
    branches = tree_of(layers(*[(f"conv{k}", "Conv2D") for k in range(6)]))
    assert folded(branches, most=6) == list(branches)
    assert all(isinstance(one, Branch) for one in folded(branches, most=6))


def residual(number, side=8):
    names = [("conv", "Conv2D"), ("bn", "BatchNormalization"), ("add", "Add"), ("out", "Activation")]
    return [(f"block{number}_{name}", kind, side) for name, kind in names]


def test_equal_blocks_are_counted_and_end_where_branches_join():
    chain = [("stem", "Conv2D"), *residual(1), *residual(2), *residual(3), ("gap", "GlobalAveragePooling2D", 0)]
    found = folded(tree_of(layers(*chain)), most=5)
    assert lines(found) == [
        ("… block1_out", "5 layers"),
        ("… block3_out", "2 x 4 layers"),
        ("gap", "GlobalAveragePooling2D"),
    ]
    block = found[1]
    assert isinstance(block, Block)
    assert (block.count, len(block.layers), block.parameters) == (2, 8, 80)
    assert block.last.path == "block3_out"
    assert block.holds("block2_add")
    assert not block.holds("stem")


def test_a_chain_without_joins_is_cut_where_the_maps_become_smaller_for_good():
    first = [(f"a{k}", "Conv2D", 16) for k in range(5)]
    then = [("pad", "ZeroPadding2D", 17), *((f"b{k}", "Conv2D", 8) for k in range(5)), ("gap", "Pooling", 1)]
    assert lines(folded(tree_of(layers(*first, *then)), most=5)) == [
        ("… a4", "5 layers"),
        ("… b4", "6 layers"),  # padding belongs to what it is for
        ("gap", "Pooling"),
    ]


def test_where_sizes_are_open_the_step_of_the_cells_tells_them():
    def one(k, step):
        return LayerInfo(f"c{k}", k, "Conv2D", (None, None, 4), 1, Field((3, 3), (step, step), (0.0, 0.0)), True)

    chain = [one(k, 1) for k in range(5)] + [one(k, 2) for k in range(5, 10)]
    assert lines(folded(tree_of(chain), most=5)) == [("… c4", "5 layers"), ("… c9", "5 layers")]


def test_a_model_inside_a_long_chain_stays_a_branch():
    inside = [*((f"net/c{k}", "Conv2D") for k in range(4)), ("net", "Functional")]
    around = [(f"a{k}", "Conv2D") for k in range(3)]
    found = folded(tree_of(layers(*around, *inside, *((f"b{k}", "Conv2D") for k in range(3)))), most=5)
    assert "net" in [one.name for one in found if isinstance(one, Branch)]


def test_cells_that_add_many_times_are_told_by_their_concatenations():
    cells = []
    for cell in range(4):
        for k in range(5):
            cells += [(f"c{cell}_{k}_{kind}", kind) for kind in ("Conv2D", "Activation", "BatchNormalization", "Pool")]
            cells.append((f"c{cell}_add{k}", "Add" if k % 2 else "Average"))
        cells.append((f"c{cell}_concat", "Concatenate"))
    assert lines(folded(tree_of(layers(*cells)), most=6)) == [("… c3_concat", "4 x 26 layers")]
