"""Fine-tune the head of a network on a few photographs, and watch where it finds its new classes.

    python examples/finetune_photos.py [LOG_DIR]

The body of the sample network stays as ImageNet taught it; a new last layer learns animals, flowers and food from
nine augmented photographs, in about half a minute. The tenth, roses around a sundial, is watched but never trained on.
Open the printed file in a browser: what speaks for an animal gathers on the bee and on the dog, not on their flowers.
"""

import sys
from pathlib import Path

import cv2
import keras
import numpy as np
from keras import layers

import kerasviz as kv

SAMPLES = Path(__file__).parents[1] / "sample_models"
NAMES = ("animal", "flower", "food")
TRAINED_ON = {
    "bee.jpg": "animal",
    "sheepdog_tulips.jpg": "animal",
    "cat_chelsea.png": "animal",
    "daisy_in_hand.jpg": "flower",
    "daffodil_pond.jpg": "flower",
    "picket_fence.jpg": "flower",
    "pizza.jpg": "food",
    "broccoli.jpg": "food",
    "espresso.jpg": "food",
}
WATCHED = TRAINED_ON | {"sundial.jpg": "flower"}
log_dir = Path(sys.argv[1] if len(sys.argv) > 1 else "finetune_photos")


def photograph(file: str) -> np.ndarray:
    """uint8 (224, 224, 3)."""
    return cv2.resize(kv.read_image(SAMPLES / "photos" / file), (224, 224), interpolation=cv2.INTER_AREA)


keras.utils.set_random_seed(0)
body = keras.models.load_model(SAMPLES / "efficientnet_lite0.keras", compile=False)
body.trainable = False
augmented = inputs = keras.Input((224, 224, 3))
for augment in (layers.RandomFlip("horizontal"), layers.RandomRotation(0.05), layers.RandomZoom(0.2)):
    augmented = augment(augmented)
maps = keras.Model(body.input, body.get_layer("head_activation").output, name="body")(augmented)
features = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(maps))
model = keras.Model(inputs, layers.Dense(len(NAMES), activation="softmax")(features), name="photos")
model.compile(keras.optimizers.Adam(5e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])

logger = kv.VisualizationLogger(
    "gradcam",
    ([str(SAMPLES / "photos" / file) for file in WATCHED], list(WATCHED.values())),
    log_dir,
    labels=NAMES,
)
model.fit(
    np.repeat([photograph(file) for file in TRAINED_ON], 8, axis=0),
    np.repeat([NAMES.index(name) for name in TRAINED_ON.values()], 8),
    batch_size=8,
    epochs=10,
    verbose=2,
    callbacks=[logger],
)
print(f"The page: {(log_dir / 'timeline.html').resolve()}")
