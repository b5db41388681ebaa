"""Make digits.h5: a small network of the class-map kind that reads handwritten digits, trained in seconds.

    python make_digits.py

Its last convolution has one filter for each digit, averaged straight into the softmax, so that a filter's map says
where the network sees its digit. It takes grey pixels 0..255 of shape (28, 28, 1), light strokes on black. The digits
are scikit-learn's (1797 scans of 8x8 cells), enlarged to 28x28; 360 of them are held out of training, and one of each
class among these goes to digits/ as CLASS_INDEX.png, INDEX being its place in scikit-learn's list. The file is written
in the older .h5 format on purpose, since kerasviz opens both. The one beside this script was made with the oldest
supported set (scripts/test_oldest.sh leaves it in .venv-oldest), since an older Keras does not open what a newer wrote.
"""

import sys
from pathlib import Path

import cv2
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).parent
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
HELD_OUT = 360
LEAST_ACCURACY = 0.97
ROUNDS, BATCH_SIZE = 20, 32


def enlarged_digits() -> tuple[np.ndarray, np.ndarray]:
    """Pictures uint8 (1797, 28, 28) and their classes (1797,)."""
    digits = load_digits()
    cells = (digits.images * (255 / 16)).astype("float32")  # a cell counts 0..16
    pictures = [cv2.resize(picture, (28, 28), interpolation=cv2.INTER_LINEAR) for picture in cells]
    return np.rint(pictures).astype("uint8"), digits.target


def build() -> keras.Model:
    """Grey pixels (N, 28, 28, 1) in 0..255 -> probabilities (N, 10)."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Rescaling(1 / 255, name="rescaling"),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="conv1"),
            layers.MaxPooling2D(name="pool1"),  # 14 x 14
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv2"),
            layers.MaxPooling2D(name="pool2"),  # 7 x 7: a cell of the class maps sees most of a digit
            layers.Conv2D(48, 3, padding="same", activation="relu", name="conv3"),
            layers.Conv2D(len(NAMES), 3, padding="same", name="class_maps"),
            layers.GlobalAveragePooling2D(name="avg_pool"),
            layers.Softmax(name="predictions"),
        ],
        name="digits",
    )


def train(pictures: np.ndarray, classes: np.ndarray) -> keras.Model:
    """The network after all rounds over the pictures, its steps shrinking to nothing."""
    model = build()
    rate = keras.optimizers.schedules.CosineDecay(4e-3, ROUNDS * len(classes) // BATCH_SIZE)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(pictures[..., None], classes, batch_size=BATCH_SIZE, epochs=ROUNDS, verbose=0)
    return model


def write_samples(pictures: np.ndarray, classes: np.ndarray, held_out: np.ndarray) -> None:
    """The first held-out digit of each class, as a grey PNG of 28x28."""
    folder = HERE / "digits"
    folder.mkdir(exist_ok=True)
    for digit in range(len(NAMES)):
        index = held_out[classes[held_out] == digit].min()
        cv2.imwrite(str(folder / f"{digit}_{index:04d}.png"), pictures[index])


def main() -> None:
    keras.utils.set_random_seed(0)
    pictures, classes = enlarged_digits()
    used, held_out = train_test_split(np.arange(len(classes)), test_size=HELD_OUT, random_state=0, stratify=classes)
    model = train(pictures[used], classes[used])
    _, accuracy = model.evaluate(pictures[held_out][..., None], classes[held_out], verbose=0)
    print(f"accuracy on {HELD_OUT} digits held out: {accuracy:.3f}, {model.count_params():,} parameters")
    if accuracy < LEAST_ACCURACY:
        sys.exit(f"Expected an accuracy of {LEAST_ACCURACY} or more, found {accuracy:.3f}. Nothing was written.")
    model.save(HERE / "digits.h5", include_optimizer=False)
    (HERE / "digits.labels.txt").write_text("\n".join(NAMES) + "\n")
    write_samples(pictures, classes, held_out)


if __name__ == "__main__":
    main()
