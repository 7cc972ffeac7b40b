"""Runs FILE.onnx on FILE.input (float32, [N, 3, H, W]) with onnxruntime and writes FILE.logits:
python tests/golden/onnx_logits.py FILE N H"""

import sys

import numpy as np
import onnxruntime

name, n, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
x = np.fromfile(name + ".input", "<f4").reshape(n, 3, size, size)
session = onnxruntime.InferenceSession(name, providers=["CPUExecutionProvider"])
assert [(i.name, i.type) for i in session.get_inputs()] == [("input", "tensor(float)")]
metadata = session.get_modelmeta().custom_metadata_map
assert {"network", "classes", "mean", "deviation"} <= set(metadata), metadata
(logits,) = session.run(["logits"], {"input": x})
logits.astype("<f4").tofile(name + ".logits")
