"""A Network: what it knows of a model, which layer it explains, how it keeps its functions."""

import copy
import pickle

import keras
import numpy as np
import pytest
from keras import layers as kl
from kind import body, functional, inner, through, top

import kerasviz as kv
from kerasviz.models import compiling
from kerasviz.models.opening import opened

PICTURE = np.linspace(-1, 1, 8 * 8 * 3, dtype="float32").reshape(8, 8, 3)


@pytest.fixture(scope="module")
def network() -> kv.Network:
    return kv.open(functional([inner(), *top()]))


def _conv(units: int, size: int = 3, name: str | None = None, **facts) -> kl.Layer:
    return kl.Conv2D(units, size, padding="same", name=name, **facts)


# --- layers


def test_layers_are_listed_in_the_order_of_their_calls(network: kv.Network) -> None:
    listed = [(layer.index, layer.path, layer.type, layer.shape, layer.parameters) for layer in network.layers]
    assert listed == [
        (0, "inner/first", "Conv2D", (8, 8, 4), 3 * 3 * 3 * 4 + 4),
        (1, "inner/pool", "MaxPooling2D", (4, 4, 4), 0),
        (2, "inner/last", "Conv2D", (4, 4, 6), 3 * 3 * 4 * 6 + 6),
        (3, "inner", "Functional", (4, 4, 6), 112 + 222),
        (4, "gap", "GlobalAveragePooling2D", (6,), 0),
        (5, "scores", "Dense", (5,), 35),
    ]


@pytest.mark.parametrize("name", ["inner/last", "last"])
def test_a_layer_is_found_by_its_path_or_a_unique_ending(network: kv.Network, name: str) -> None:
    assert network.find_layer(name) == "inner/last"
    np.testing.assert_array_equal(network.activations(PICTURE, name), network.activations(PICTURE, "inner"))


def test_an_unknown_layer_is_answered_with_near_ones(network: kv.Network) -> None:
    with pytest.raises(kv.LayerError, match=r"no layer 'lasst'. Did you mean 'inner/last'.*'kerasviz layers"):
        network.find_layer("lasst")


def test_an_ending_of_several_layers_is_refused_with_their_paths() -> None:
    two = kv.open(functional([inner("one"), inner("two", (4, 4, 6), [_conv(3, name="last")]), *top()]))
    with pytest.raises(kv.LayerError, match=r"'last' stands for 2 layers: 'one/last', 'two/last'. Give more"):
        two.find_layer("last")


def test_each_call_of_a_shared_layer_has_its_own_values() -> None:
    shared = _conv(3, name="conv", activation="tanh")
    network = kv.open(functional([shared, shared, *top()]))
    once = shared(PICTURE[None]).numpy()
    np.testing.assert_allclose(network.activations(PICTURE, "conv"), once[0], atol=1e-6)
    np.testing.assert_allclose(network.activations(PICTURE, "conv#1"), shared(once).numpy()[0], atol=1e-6)


# --- the layer that is explained when nobody says


def _vgg():
    return functional([_conv(4, name="block1"), kl.MaxPooling2D(), _conv(6, name="block2"), kl.MaxPooling2D(name="p"),
                       kl.Flatten(), *top()[1:]])  # fmt: skip


def _resnet():
    start = keras.Input((8, 8, 3))
    x = _conv(4, activation="relu")(start)
    y = kl.BatchNormalization()(_conv(4, name="last_conv")(x))
    x = kl.Activation("relu", name="out")(kl.Add(name="add")([x, y]))
    return keras.Model(start, through(top(), x))


def _mobilenet_v3():
    start = keras.Input((8, 8, 3))
    x = kl.Activation("relu", name="last_maps")(kl.BatchNormalization()(_conv(6, 1)(start)))
    x = kl.GlobalAveragePooling2D(keepdims=True)(x)
    x = kl.Dropout(0.2)(kl.Activation("relu", name="after_pool")(_conv(7, 1, name="after")(x)))
    return keras.Model(start, kl.Activation("softmax")(kl.Flatten()(_conv(5, 1, name="logits")(x))))


def _class_maps():
    return functional([_conv(4), _conv(5, name="classes"), kl.GlobalAveragePooling2D(), kl.Softmax()])


def _unet():
    start = keras.Input((8, 8, 3))
    x = _conv(4, activation="relu", name="down")(start)
    y = kl.UpSampling2D(name="up")(_conv(6, activation="relu", name="bottom")(kl.MaxPooling2D()(x)))
    x = _conv(4, activation="relu", name="merged")(kl.Concatenate()([x, y]))
    return keras.Model(start, _conv(3, 1, activation="softmax", name="segments")(x))


def _dropped():
    dropped = [_conv(4, activation="relu", name="maps"), kl.SpatialDropout2D(0.5), kl.GaussianNoise(0.1)]
    return functional([*dropped, kl.ZeroPadding2D(), *top()])


class Block(kl.Layer):
    """Pads by an operation of Keras, then computes by itself."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(3, 3, shape[-1], 4), name="kernel")

    def call(self, x):
        return keras.ops.relu(keras.ops.conv(keras.ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), self.kernel))


def _by_itself():
    return functional([_conv(4), Block(name="block"), *top()])


@pytest.mark.parametrize(
    ("build", "wanted"),
    [
        (_by_itself, "block"),
        (_vgg, "block2"),
        (_resnet, "out"),
        (_mobilenet_v3, "last_maps"),
        (_class_maps, "classes"),
        (_unet, "merged"),
        (_dropped, "maps"),
    ],
)
def test_the_default_layer_has_the_last_maps_before_pooling(build, wanted: str) -> None:
    assert kv.open(build()).default_layer == wanted


def test_a_network_without_maps_says_so() -> None:
    with pytest.raises(kv.LayerError, match=r"Expected a layer with maps.*saliency"):
        _ = kv.open(functional([kl.Flatten(), *top()[1:]])).default_layer


# --- compiled functions


def test_the_cache_of_functions_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_MOST_FUNCTIONS", 3)
    network = kv.open(functional([*body(), *top()]))
    for name in ("first", "pool", "last", "gap", "first"):
        network.activations(PICTURE, name)
    assert network.traces == 5  # the fourth pushed the first out, so the fifth is traced again
    network.activations(PICTURE, "gap")
    assert network.traces == 5


def test_another_class_batch_or_precision_is_no_new_trace(network: kv.Network) -> None:
    kv.Saliency()(network, PICTURE, target=0)
    before = network.traces
    kv.Saliency()(network, np.stack([PICTURE] * 3), target=4)
    kv.Saliency()(network, PICTURE.astype("float64"), target="1")
    assert network.traces == before


@pytest.mark.parametrize("act", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_network_cannot_be_copied_or_pickled(network: kv.Network, act) -> None:
    with pytest.raises(kv.ModelError, match="cannot be pickled or copied; open the model again"):
        act(network)


def test_a_network_is_opened_as_it_is(network: kv.Network) -> None:
    assert kv.open(network) is network


def test_options_that_could_do_nothing_are_refused(network: kv.Network) -> None:
    with pytest.raises(kv.SettingError, match="for labels, fit, found a Network"):
        kv.open(network, labels=["a"], fit="crop")
    with pytest.raises(kv.SettingError, match="for size, found a Network"):
        kv.explain(network, np.zeros((8, 8, 3), "float32"), size=(8, 8))


def test_a_live_model_that_is_explained_twice_is_opened_once() -> None:
    model = functional([kl.Conv2D(2, 3), kl.GlobalAveragePooling2D(), kl.Dense(2)], (8, 8, 3))
    for _ in range(2):
        kv.explain(model, np.ones((8, 8, 3), "float32"))
    assert opened(model).traces == 1


@pytest.mark.parametrize(
    "option",
    [{"fit": "stretch"}, {"fast": "yes"}, {"size": 8}, {"size": (8, 0)}, {"size": "8x8"}, {"preprocess": None}],
)
def test_an_option_that_means_nothing_is_a_sentence(network: kv.Network, option) -> None:
    (name,) = option
    with pytest.raises(kv.SettingError, match=f"Expected {name}.*found"):
        kv.open(network.model, **option)


@pytest.mark.parametrize("size", [0, -3])
def test_a_batch_of_no_pictures_is_refused(network: kv.Network, size: int) -> None:
    with pytest.raises(kv.SettingError, match=f"batch_size of 1 or more, found {size}"):
        kv.Saliency()(network, np.zeros((2, 8, 8, 3), "float32"), batch_size=size)


@pytest.mark.parametrize("thing", [None, 3, 1.5])
def test_what_is_no_picture_is_a_sentence(network: kv.Network, thing) -> None:
    with pytest.raises(kv.ImageError, match=r"Expected a picture \(height, width, channels\), found"):
        network.predict(thing)


def test_layers_exchanged_in_a_live_model_are_noticed() -> None:
    model = keras.Sequential([keras.Input((8, 8, 3)), *body(), *top()])
    before = kv.Saliency()(model, PICTURE, target=0)
    model.pop()
    model.add(kl.Dense(2, name="other"))
    after = kv.Saliency()(model, PICTURE, target=0)
    assert (len(before.predictions), len(after.predictions)) == (5, 2)


def test_an_activation_exchanged_in_a_live_model_is_noticed() -> None:
    model = functional([*body(), *top()])
    assert kv.GradCAM()(model, PICTURE).target.scale == "logit"
    model.layers[-1].activation = keras.activations.linear
    assert kv.GradCAM()(model, PICTURE).target.scale == "output"


def test_the_device_and_the_model_must_be_there() -> None:
    with pytest.raises(kv.SettingError, match="device cpu or gpu:N of those present, found 'gpu:99'"):
        kv.open(functional([*body(), *top()]), device="gpu:99")
    with pytest.raises(kv.ModelError, match=r"Expected a Keras model or the path of a model file, found int"):
        opened(3)
    with pytest.raises(kv.SettingError, match="fit squash, crop or pad, found 'stretch'"):
        kv.open(functional([*body(), *top()]), fit="stretch")


# --- predictions and sizes


def test_one_picture_loses_the_batch_axis(network: kv.Network) -> None:
    one, many = network.predict(PICTURE), network.predict(PICTURE[None])
    assert (one.shape, many.shape, one.dtype) == ((5,), (1, 5), np.float32)
    np.testing.assert_array_equal(one, many[0])


def test_no_picture_at_all_is_a_sentence(network: kv.Network) -> None:
    with pytest.raises(kv.KerasvizError, match="at least one picture"):
        network.predict(np.zeros((0, 8, 8, 3), "float32"))


@pytest.mark.parametrize(
    ("photo", "wanted"),
    [((600, 1000), (320, 512)), ((1000, 600), (320, 512)[::-1]), ((200, 100), (192, 96)), ((20, 300), (32, 288))],
)
def test_any_size_networks_take_at_most_512_in_multiples_of_32(photo, wanted) -> None:
    """307.2 x 512 is 320 x 512: the nearest multiples; 100 is 96; nothing is below 32."""
    network = kv.open(functional([kl.Rescaling(1 / 255), kl.GlobalAveragePooling2D(), kl.Dense(2)], (None, None, 3)))
    given, single = network.prepare(np.zeros((*photo, 3), "uint8"))
    assert single
    assert given[0].pixels.shape == (*wanted, 3)
    assert kv.open(network.model, size=(64, 96)).prepare(np.zeros((*photo, 3), "uint8"))[0][0].pixels.shape[:2] == (
        64,
        96,
    )


def test_float_inputs_of_any_size_are_taken_as_they_are() -> None:
    network = kv.open(functional([kl.GlobalAveragePooling2D(), kl.Dense(2)], (None, None, 3)))
    picture = np.random.default_rng(0).normal(size=(7, 11, 3)).astype("float32")
    np.testing.assert_allclose(network.predict(picture), network.model(picture[None]).numpy()[0], atol=1e-6)


def test_a_float_input_of_the_wrong_size_is_refused(network: kv.Network) -> None:
    with pytest.raises(kv.ImageError, match=r"float \(8, 8, 3\), found \(9, 8, 3\)"):
        network.predict(np.zeros((9, 8, 3), "float32"))


def test_a_file_without_weights_is_refused(tmp_path) -> None:
    keras.Sequential([kl.Conv2D(4, 3), kl.GlobalAveragePooling2D(), kl.Dense(3)]).save(tmp_path / "unbuilt.keras")
    with pytest.raises(kv.ModelError, match="saved before it was built and holds none"):
        kv.open(tmp_path / "unbuilt.keras")


def test_an_unbuilt_sequential_is_not_bound_to_the_number_of_pictures_that_it_met() -> None:
    model = keras.Sequential([kl.Conv2D(4, 3), kl.GlobalAveragePooling2D(), kl.Dense(3)])
    kv.GradCAM()(model, np.zeros((8, 8, 3), "float32"))
    assert model.input_shape == (None, 8, 8, 3)


def test_a_network_that_answers_nan_guesses_nothing() -> None:
    model = functional([kl.Conv2D(4, 3), kl.GlobalAveragePooling2D(), kl.Dense(3, activation="softmax")], (8, 8, 3))
    model.layers[-1].set_weights([np.full((4, 3), np.nan), np.zeros(3)])
    result = kv.GradCAM()(model, np.ones((8, 8, 3), "float32"))
    assert (result.status, result.predictions) == ("failed", [])
