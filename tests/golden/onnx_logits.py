"""Runs each FILE.onnx on FILE.onnx.input (float32, [N, 3, H, H]) with onnxruntime and writes FILE.onnx.logits:
python tests/golden/onnx_logits.py FILE.onnx N H ..."""

import sys

import numpy as np
import onnxruntime

arguments = sys.argv[1:]
for at in range(0, len(arguments), 3):
    name, n, size = arguments[at], int(arguments[at + 1]), int(arguments[at + 2])
    x = np.fromfile(name + ".input", "<f4").reshape(n, 3, size, size)
    session = onnxruntime.InferenceSession(name, providers=["CPUExecutionProvider"])
    assert [(i.name, i.type) for i in session.get_inputs()] == [("input", "tensor(float)")]
    metadata = session.get_modelmeta().custom_metadata_map
    assert {"network", "classes", "mean", "deviation"} <= set(metadata), metadata
    (logits,) = session.run(["logits"], {"input": x})
    logits.astype("<f4").tofile(name + ".logits")
