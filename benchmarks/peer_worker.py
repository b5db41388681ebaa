"""Prepares the explainers of other tools and times one call on request; alone, it needs no kerasviz beside them.

A line of JSON comes in on standard input, one goes out on standard output:

    {"do": "names"}                                            -> {"names": [...]}
    {"do": "prepare", "technique", "model", "pixels", "layer"} -> {"ready": [...], "failed": {name: error}}
    {"do": "time", "name"}                                     -> {"seconds": ...}

Every explainer is made once and used again, with the class given: the quickest way that each tool offers.
"""

import importlib.util
import json
import os
import sys
import time

MODULES = {"tf-keras-vis": "tf_keras_vis", "tf-explain": "tf_explain", "xplique": "xplique"}
CLASS = 3


def tf_keras_vis(technique, model, pixels, layer):
    """Its Gradcam and Saliency, on the model itself."""
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.utils.scores import CategoricalScore

    score = CategoricalScore([CLASS] * len(pixels))
    if technique == "gradcam":
        gradcam = Gradcam(model, clone=False)
        return lambda: gradcam(score, pixels, penultimate_layer=layer)
    saliency = Saliency(model, clone=False)
    return lambda: saliency(score, pixels)


def tf_explain(technique, model, pixels, layer):
    """Its GradCAM and VanillaGradients, which draw as they explain."""
    from tf_explain.core.grad_cam import GradCAM
    from tf_explain.core.vanilla_gradients import VanillaGradients

    if technique == "gradcam":
        gradcam = GradCAM()
        return lambda: gradcam.explain((pixels, None), model, CLASS, layer_name=layer)
    gradients = VanillaGradients()
    return lambda: gradients.explain((pixels, None), model, CLASS)


def xplique(technique, model, pixels, layer):
    """Its GradCAM and Saliency."""
    import numpy as np
    from xplique.attributions import GradCAM, Saliency

    targets = np.eye(model.output_shape[-1], dtype="float32")[[CLASS] * len(pixels)]
    batch = len(pixels)
    if technique == "gradcam":
        explainer = GradCAM(model, conv_layer=layer, batch_size=batch)
    else:
        explainer = Saliency(model, batch_size=batch)
    return lambda: explainer.explain(pixels, targets).numpy()


PEERS = {"tf-keras-vis": tf_keras_vis, "tf-explain": tf_explain, "xplique": xplique}


class Worker:
    """What has been prepared so far: the model is loaded once, however many questions there are about it."""

    def __init__(self):
        self.path, self.model, self.calls = None, None, {}

    def names(self):
        """The peers that are installed here."""
        return {"names": [name for name, module in MODULES.items() if importlib.util.find_spec(module)]}

    def prepare(self, technique, model, pixels, layer):
        """Load, and call each explainer once: what traces and compiles is not timed."""
        import keras
        import numpy as np

        if self.path != model:
            self.path, self.model, self.calls = model, None, {}
            self.model = keras.models.load_model(model, compile=False)
        batch, failed = np.load(pixels), {}
        self.calls = {}
        for name in self.names()["names"]:
            try:
                call = PEERS[name](technique, self.model, batch, layer)
                call()
                self.calls[name] = call
            except Exception as error:
                failed[name] = f"{type(error).__name__}: {error}"[:300]
        return {"ready": list(self.calls), "failed": failed}

    def time(self, name):
        """The wall-clock seconds of one call."""
        start = time.perf_counter()
        self.calls[name]()
        return {"seconds": time.perf_counter() - start}


def main():
    """Answer until standard input ends."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the tools print must not stand between the answers
    worker = Worker()
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(json.dumps(getattr(worker, request.pop("do"))(**request)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
