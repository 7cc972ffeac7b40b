"""Loads FILE.weights.h5 into the model that FILE.json describes, and fails unless its logits of FILE.input are FILE.logits
within 1e-5 of the largest; prints the first image's: python tests/golden/keras_logits.py FILE..."""

import json
import sys

import keras
import numpy as np
from keras_model import model

for name in sys.argv[1:]:
    with open(name + ".json") as file:
        summary = json.load(file)
    network = model(summary)
    network.load_weights(name + ".weights.h5")
    size = summary["input_size"]
    x = np.fromfile(name + ".input", "<f4").reshape(-1, size, size, 3)
    ours = np.fromfile(name + ".logits", "<f4").reshape(len(x), -1)
    logits = keras.ops.convert_to_numpy(network(x))
    difference = np.abs(logits - ours).max() / np.abs(ours).max()
    print(name, difference, logits[0].tolist(), flush=True)
    assert difference <= 1e-5, (name, difference)
