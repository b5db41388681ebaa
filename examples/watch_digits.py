"""Watch a small network learn to read: the evidence gathers on the strokes of digits that lie somewhere in noise.

    python examples/watch_digits.py [LOG_DIR]

Trains the digits network of sample_models/ from nothing, in under a minute, and ends in a page: open the printed file
in a browser, move the slider or press Play. The curve `inside boxes` says how much of each heatmap lies on the digit,
which takes a quarter of the picture.
"""

import sys
from pathlib import Path

import keras
import numpy as np
from sklearn.model_selection import train_test_split

import kerasviz as kv

sys.path.append(str(Path(__file__).parents[1] / "sample_models"))
from make_digits import NAMES, build, enlarged_digits

SIDE, NOISE = 56, 50  # pixels, grey levels
log_dir = Path(sys.argv[1] if len(sys.argv) > 1 else "watch_digits")

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)
digits, classes = enlarged_digits()  # uint8 (1797, 28, 28), 0..9
pictures = random.integers(0, NOISE, (len(digits), SIDE, SIDE, 1), dtype=np.uint8)
corners = random.integers(0, SIDE - 28 + 1, (len(digits), 2))
for picture, digit, (y, x) in zip(pictures[..., 0], digits, corners, strict=True):
    place = picture[y : y + 28, x : x + 28]
    np.maximum(place, digit, out=place)

used, held_out = train_test_split(np.arange(len(classes)), test_size=360, random_state=0, stratify=classes)
watched = [held_out[classes[held_out] == digit][0] for digit in range(10)]
logger = kv.VisualizationLogger(
    ["gradcam", "saliency"],
    (pictures[watched], classes[watched]),
    log_dir,
    target="true",
    labels=NAMES,
    boxes=[[(x, y, x + 28, y + 28)] for y, x in corners[watched]],
)

model = keras.Sequential([keras.Input((SIDE, SIDE, 1)), *build().layers], name="digits")
model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(
    pictures[used],
    classes[used],
    validation_data=(pictures[held_out], classes[held_out]),
    batch_size=32,
    epochs=14,
    verbose=2,
    callbacks=[logger],
)
print(f"The page: {(log_dir / 'timeline.html').resolve()}")
