"""TensorFlow and Keras, made ready before the first model."""

from kerasviz.errors import KerasvizError
from kerasviz.lazy import tf


def make_ready() -> None:
    """See that Keras runs on TensorFlow, and that GPU memory is taken as it is needed.

    Raises:
        KerasvizError: Keras runs on something else.
    """
    _tensorflow_only()
    _grow_memory()


def _tensorflow_only() -> None:
    import keras

    if keras.backend.backend() != "tensorflow":
        raise KerasvizError(
            f"Expected Keras on TensorFlow, found the backend {keras.backend.backend()!r}. "
            "Type KERAS_BACKEND=tensorflow before the command, or set it in ~/.keras/keras.json."
        )


def _grow_memory() -> None:
    """GPU memory is taken as it is needed, where TensorFlow has not begun yet."""
    for gpu in tf.config.list_physical_devices("GPU"):
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # it has begun: the user's own choice stands
            return
