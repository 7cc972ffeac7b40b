"""Runs each FILE.onnx on FILE.onnx.input (float32, [N, C, H, W]) with onnxruntime and writes FILE.onnx.logits:
python tests/golden/onnx_logits.py FILE.onnx ..."""

import sys

import numpy as np
import onnxruntime

for name in sys.argv[1:]:
    session = onnxruntime.InferenceSession(name, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert (given.name, given.type) == ("input", "tensor(float)")
    x = np.fromfile(name + ".input", "<f4").reshape(-1, *given.shape[1:])
    metadata = session.get_modelmeta().custom_metadata_map
    assert {"network", "classes", "mean", "std"} <= set(metadata), metadata
    (logits,) = session.run(["logits"], {"input": x})
    logits.astype("<f4").tofile(name + ".logits")
