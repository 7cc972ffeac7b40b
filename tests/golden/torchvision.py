"""Records torchvision.json and state_dict.pth: what PyTorch makes of torchvision's alexnet with weights from a formula,
and a small state dict as torch.save writes it. Run with torch 2: python tests/golden/torchvision.py"""

import json
import os

import numpy as np
import torch
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = 10


def values(seed, n, exp2):
    """splitmix64; the upper 24 bits of each word as a float in [-2^exp2, 2^exp2)."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    upper = (z >> np.uint64(40)).astype(np.float64) - 2.0**23
    return (upper * 2.0 ** (exp2 - 23)).astype(np.float32)


def exponent(shape):
    """The largest power of two that keeps activations from growing: 2^exp2 <= sqrt(6 / fan in)."""
    fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 600
    exp2 = 0
    while 4.0**exp2 * fan_in > 6.0:
        exp2 -= 1
    return exp2


class AlexNet(nn.Module):
    """torchvision.models.alexnet, written out."""

    def __init__(self, classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(),
            nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, classes),
        )

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


def main():
    model = AlexNet(CLASSES).eval()
    tensors = []
    for seed, (name, tensor) in enumerate(model.state_dict().items()):
        shape = list(tensor.shape)
        tensor.copy_(torch.from_numpy(values(seed, tensor.numel(), exponent(shape)).reshape(shape)))
        tensors.append([name, shape])
    images = torch.from_numpy(values(99, 2 * 3 * 224 * 224, 1).reshape(2, 3, 224, 224))
    with torch.no_grad():
        logits = model.double()(images.double())
    with open(os.path.join(HERE, "torchvision.json"), "w") as file:
        json.dump({"tensors": tensors, "logits": logits.tolist()}, file, indent=1)
        file.write("\n")

    base = torch.arange(24, dtype=torch.float32) / 4
    module = nn.BatchNorm2d(2)
    state = module.state_dict()
    state["plain"] = base.clone().reshape(2, 3, 4)
    state["shared.1"] = base[2:8].reshape(2, 3)
    state["shared.2"] = base[6:12]
    state["turned"] = base.reshape(4, 6).t()
    state["parameter"] = nn.Parameter(torch.tensor([1.5, -2.0]))
    state["scalar"] = torch.tensor(7.0)
    state["half"] = torch.tensor([1.5, -0.25], dtype=torch.float16)
    state["brain"] = torch.tensor([1.5, -0.25], dtype=torch.bfloat16)
    state["double"] = torch.tensor([0.1], dtype=torch.float64)
    torch.save(state, os.path.join(HERE, "state_dict.pth"))


main()
