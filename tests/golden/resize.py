#!/usr/bin/env python3
"""Prints resize.txt: an image of bytes, resized by Pillow, OpenCV and PyTorch.

usage: resize.py > resize.txt
Needs numpy, pillow, opencv-python-headless and torch.
Recorded with Pillow 12.3.0 (13.0.0 differs by 1 here and there), OpenCV 5.0.0, PyTorch 2.15.0.
"""
import cv2
import numpy as np
import torch
from PIL import Image

HEIGHT, WIDTH = 7, 5
SIZES = [(3, 4), (11, 9), (7, 10), (2, 5), (1, 1)]
bytes_ = np.array([(37 * i + 11 * i * i) % 256 for i in range(HEIGHT * WIDTH * 3)], np.uint8)
image = bytes_.reshape(HEIGHT, WIDTH, 3)
planes = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].double()


def pillow(size, method):
    return np.asarray(Image.fromarray(image).resize(size[::-1], method))


def pytorch(size, **options):
    y = torch.nn.functional.interpolate(planes, size=size, **options)
    return (y + 0.5).floor().clamp(0, 255)[0].permute(1, 2, 0).to(torch.uint8).numpy()


for size in SIZES:
    for name, values in [
        ("pillow-nearest", pillow(size, Image.Resampling.NEAREST)),
        ("pillow-bilinear", pillow(size, Image.Resampling.BILINEAR)),
        ("pillow-bicubic", pillow(size, Image.Resampling.BICUBIC)),
        ("opencv-linear", cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)),
        ("torch-bilinear", pytorch(size, mode="bilinear", antialias=False)),
        ("torch-nearest-exact", pytorch(size, mode="nearest-exact")),
    ]:
        print(name, *size, *values.reshape(-1))
