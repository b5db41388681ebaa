"""The layer that is explained when nobody names one, stated by hand for each kind of network."""

import keras
import pytest
from keras import layers as kl
from kind import functional, through, top

import kerasviz as kv


def conv(units: int, size: int = 3, name: str | None = None, **facts) -> kl.Layer:
    return kl.Conv2D(units, size, padding="same", name=name, **facts)


def backbone(end: str = "add") -> keras.Model:
    """A network without its head: it returns its last maps."""
    start = keras.Input((8, 8, 3))
    x = conv(4, activation="relu", name="first")(start)
    y = conv(4, name="second")(x)
    if end == "concatenate":
        x = kl.Concatenate(name="mixed")([x, conv(2, activation="relu", name="branch")(x), y])
    elif end == "relu6":
        x = kl.ReLU(6.0, name="out")(kl.BatchNormalization(name="bn")(y))
    elif end == "swish":
        x = kl.Activation("swish", name="out")(kl.BatchNormalization(name="bn")(y))
    elif end == "pool":
        x = kl.MaxPooling2D(name="pool")(conv(4, activation="relu", name="last")(y))
    else:
        x = kl.Activation("relu", name="out")(kl.Add(name="add")([x, y]))
    return keras.Model(start, x, name="backbone")


@pytest.mark.parametrize(
    ("end", "wanted"),
    [("add", "out"), ("relu6", "out"), ("swish", "out"), ("concatenate", "mixed"), ("pool", "last")],
)
def test_a_backbone_alone_is_explained_at_the_maps_that_it_returns(end, wanted):
    assert kv.open(backbone(end)).default_layer == wanted


@pytest.mark.parametrize(("end", "wanted"), [("add", "out"), ("concatenate", "mixed"), ("pool", "last")])
def test_in_a_network_around_it_the_same_layer_has_a_longer_path(end, wanted):
    assert kv.open(functional([kl.RandomFlip(), backbone(end), *top()])).default_layer == f"backbone/{wanted}"


def test_convolutions_behind_a_backbone_come_after_it():
    assert kv.open(functional([backbone(), conv(6, 1, activation="relu", name="neck"), *top()])).default_layer == "neck"


@pytest.mark.parametrize(
    "end",
    [
        [conv(1, 1, name="density", activation="relu")],
        [conv(3, 1, name="scores")],
        [conv(3, 1, name="small"), kl.UpSampling2D(2, interpolation="bilinear", name="large")],
        [conv(3, 1, name="small"), kl.Resizing(16, 16, name="large"), kl.Softmax(name="chances")],
        [kl.Conv2DTranspose(3, 2, 2, name="transposed", activation="sigmoid")],
        [kl.Dense(3, name="every_place")],
        [conv(4, 3, name="grouped", groups=2)],
    ],
    ids=lambda end: end[0].name,
)
def test_maps_that_are_an_answer_are_explained_at_the_maps_before_them(end):
    body = [conv(4, activation="relu", name="first"), conv(4, activation="relu", name="last")]
    assert kv.open(functional([*body, *end])).default_layer == "last"


def test_branches_that_join_late_are_explained_where_they_have_joined():
    start = keras.Input((8, 8, 3))
    x = conv(4, activation="relu")(start)
    x = kl.Concatenate(name="mixed")([conv(2, activation="relu")(x), conv(2, activation="relu", name="late")(x)])
    assert kv.open(keras.Model(start, through(top(), x))).default_layer == "mixed"


def test_squeeze_and_excitation_is_no_end():
    start = keras.Input((8, 8, 3))
    x = conv(4, activation="relu", name="maps")(start)
    squeezed = kl.GlobalAveragePooling2D(keepdims=True)(x)
    excited = conv(4, 1, activation="sigmoid", name="excite")(conv(2, 1, activation="relu")(squeezed))
    model = keras.Model(start, through(top(), kl.Multiply(name="scaled")([x, excited])))
    assert kv.open(model).default_layer == "scaled"


def test_what_has_no_fixed_size_still_ends_at_its_pooling():
    after = [kl.GlobalAveragePooling2D(keepdims=True), conv(7, 1, activation="relu", name="after"), kl.Flatten()]
    model = keras.Sequential([keras.Input((None, None, 3)), conv(4, activation="relu", name="maps"), *after])
    assert kv.open(model).default_layer == "maps"


def test_channels_that_come_first_inside_alone_are_no_places():
    first = {"data_format": "channels_first"}
    layers = [
        kl.Permute((3, 1, 2), name="turn"),
        kl.Conv2D(5, 3, name="conv", **first),
        kl.BatchNormalization(axis=1, name="bn"),
        kl.ReLU(name="maps"),
        kl.GlobalAveragePooling2D(**first),
        *top()[1:],
    ]
    network = kv.open(functional(layers))
    assert network.default_layer == "maps"
    assert {layer.path: layer.shape for layer in network.layers}["maps"] == (6, 6, 5)


WITH_A_HEAD = {  # the last maps before pooling, by hand
    "VGG16": "block5_conv3",
    "ResNet50": "conv5_block3_out",
    "ResNet50V2": "post_relu",
    "MobileNet": "conv_pw_13_relu",
    "MobileNetV2": "out_relu",
    "MobileNetV3Small": "activation_17",  # what follows conv_1_bn; conv_2 comes after the pooling
    "InceptionV3": "mixed10",
    "InceptionResNetV2": "conv_7b_ac",
    "Xception": "block14_sepconv2_act",
    "DenseNet121": "relu",
    "NASNetMobile": "activation_187",  # what follows normal_concat_12
    "EfficientNetB0": "top_activation",
    "EfficientNetV2B0": "top_activation",
    "ConvNeXtTiny": "add_17",  # of the last block; its normalisation comes after the pooling
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "wanted"), WITH_A_HEAD.items())
def test_the_default_layer_of_published_networks(name, wanted):
    keras.backend.clear_session()  # numbers in names count anew
    network = kv.open(getattr(keras.applications, name)(weights=None))
    assert network.default_layer == wanted
    last = network.description.taps[wanted]
    assert last.values.shape[-1] == network.description.last_maps().shape[-1] > 500


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ResNet50", "MobileNetV3Small", "InceptionV3", "NASNetMobile", "EfficientNetB0"])
def test_the_default_layer_of_published_networks_in_another(name):
    keras.backend.clear_session()
    inner = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(224, 224, 3))
    start = keras.Input((224, 224, 3))
    model = keras.Model(start, kl.Dense(3)(kl.GlobalAveragePooling2D()(inner(start))))
    assert kv.open(model).default_layer == f"{inner.name}/{WITH_A_HEAD[name]}"
