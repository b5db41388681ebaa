"""Where pictures enter, and what the model's inputs and outputs are called."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as kl
from kind import body, functional, top

import kerasviz as kv
from kerasviz.models.doors import door_of, output_names

PICTURES = np.random.default_rng(5).normal(size=(3, 8, 8, 3)).astype("float32")


def _two_inputs(*shapes: tuple[int, ...]):
    starts = [keras.Input(shape, name=f"in{k}") for k, shape in enumerate(shapes)]
    return keras.Model(starts, kl.Dense(2)(kl.Concatenate()([kl.Flatten()(start) for start in starts])))


@pytest.mark.parametrize(
    ("shapes", "picture"),
    [
        (((4,), (8, 8, 3)), 1),
        (((8, 8, 1), (8, 8, 3)), 1),  # a mask beside a picture
        (((8, 8, 3), (6, 6, 3)), 0),
        (((5, 7), (8, 8, 1)), 1),
    ],
)
def test_the_picture_is_the_input_that_can_hold_one(shapes, picture: int) -> None:
    assert door_of(_two_inputs(*shapes)).picture == picture


def test_a_network_without_pictures_is_refused() -> None:
    with pytest.raises(kv.ModelError, match=r"Expected a network that takes pictures.*takes \(None, 4\)"):
        kv.open(functional([kl.Dense(2)], (4,)))


def test_a_second_input_must_be_given() -> None:
    network = kv.open(_two_inputs((4,), (8, 8, 3)))
    assert network.inputs == ["in1", "in0"]
    with pytest.raises(kv.ModelError, match=r"another input, 'in0'.*Pass a dict"):
        network.predict(PICTURES)


def test_a_sequential_built_by_a_call_takes_any_number_of_pictures() -> None:
    model = keras.Sequential([*body(), *top()])
    model(PICTURES[:1])
    assert door_of(model).batch is None
    np.testing.assert_allclose(kv.open(model).predict(PICTURES), model(PICTURES).numpy(), atol=1e-6)
    assert door_of(keras.Sequential([*body(), *top()])).known is False


def test_an_unbuilt_model_explains_a_batch_first_of_all() -> None:
    model = keras.Sequential([*body(), *top()])
    results = kv.GradCAM()(model, PICTURES)
    np.testing.assert_allclose(
        [result.predictions[0].probability for result in results], model(PICTURES).numpy().max(1), atol=1e-6
    )


def test_an_unbuilt_model_does_not_know_its_layers() -> None:
    with pytest.raises(kv.ModelError, match=r"has not been built.*explain a picture first"):
        _ = kv.open(keras.Sequential([*body(), *top()])).layers


def test_outputs_of_one_name_are_numbered() -> None:
    start, shared = keras.Input((8, 8, 3)), kl.Dense(2, name="shared")
    model = keras.Model(start, [shared(kl.GlobalAveragePooling2D()(start)), shared(kl.GlobalMaxPooling2D()(start))])
    found = kv.open(model).predict(PICTURES)
    assert list(found) == ["out0", "out1"]
    for got, wanted in zip(found.values(), model(PICTURES), strict=True):
        np.testing.assert_allclose(got, wanted.numpy(), atol=1e-6)


def test_nested_outputs_and_what_is_no_tensor_are_passed_over() -> None:
    class Odd(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = kl.Dense(2)

        def call(self, x):
            scores = self.dense(keras.ops.mean(x, (1, 2)))
            return {"scores": scores, "note": None, "weight": 0.5}

    model = Odd()
    model(PICTURES)
    np.testing.assert_allclose(kv.open(model).predict(PICTURES), model(PICTURES)["scores"].numpy(), atol=1e-6)


def test_names_are_the_keys_of_a_dict_in_their_order() -> None:
    tensors = {"b": tf.zeros(1), "a": tf.zeros(1)}
    assert output_names(None, tensors, 2) == ["a", "b"]
    assert output_names(None, [tf.zeros(1)] * 2, 2) == ["out0", "out1"]
    assert output_names(None, {"a": [tf.zeros(1)] * 2, "b": tf.zeros(1)}, 3) == ["out0", "out1", "out2"]


def test_integer_inputs_have_no_pixel_gradient_and_say_so() -> None:
    start = keras.Input((8, 8, 3), dtype="uint8")
    parts = [kl.Rescaling(1 / 255), *body(), *top()]
    model = functional(parts, (8, 8, 3))
    model = keras.Model(start, model(kl.Rescaling(1.0)(start)))
    photos = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype("uint8")
    np.testing.assert_allclose(kv.open(model).predict(photos), model(photos).numpy(), atol=1e-6)
    with pytest.raises(kv.TechniqueError, match=r"the network takes integers.*gradcam"):
        kv.Saliency()(model, photos)


# --- what Keras does not say of a model


class Sized(keras.Model):
    """Takes pictures of any size, though Keras remembers only the one that it was built with."""

    def __init__(self):
        super().__init__()
        self.conv, self.dense = kl.Conv2D(4, 3), kl.Dense(2)

    def call(self, x):
        return self.dense(keras.ops.mean(self.conv(x), (1, 2)))


class Named(keras.Model):
    """Takes a dict, and is not functional."""

    def __init__(self):
        super().__init__()
        self.dense = kl.Dense(2)

    def call(self, inputs):
        return self.dense(keras.ops.mean(inputs["image"], (1, 2)) + inputs["vector"])


class Eager(Sized):
    """Cannot be traced: asks a tensor for its number."""

    def call(self, x):
        return super().call(x * float(keras.ops.convert_to_numpy(x).max()))


def test_float_inputs_of_channels_first_networks_are_taken_as_they_are() -> None:
    parts = [kl.Conv2D(4, 3, data_format="channels_first"), kl.GlobalAveragePooling2D(data_format="channels_first")]
    network = kv.open(functional([*parts, kl.Dense(2)], (3, 8, 12)))
    assert network.predict(np.ones((2, 3, 8, 12), "float32")).shape == (2, 2)


def test_a_subclassed_model_takes_float_pictures_of_another_size() -> None:
    model, larger = Sized(), np.ones((2, 12, 16, 3), "float32")
    model(PICTURES)
    np.testing.assert_allclose(kv.open(model).predict(larger), model(larger).numpy(), atol=1e-6)


def test_the_size_of_a_subclassed_model_is_the_users_to_choose() -> None:
    model = Sized()
    model(PICTURES)
    assert kv.open(model, size=(12, 16)).size == (12, 16)


def test_a_subclassed_model_takes_a_dict() -> None:
    model, inputs = Named(), {"image": PICTURES, "vector": np.ones((3, 3), "float32")}
    model(inputs)
    np.testing.assert_allclose(kv.open(model).predict(inputs), model(inputs).numpy(), atol=1e-6)


def test_a_model_that_cannot_be_traced_is_refused_with_a_sentence() -> None:
    with pytest.raises(kv.ModelError, match="Expected a model that can be traced"):
        kv.open(Eager()).predict(PICTURES)
