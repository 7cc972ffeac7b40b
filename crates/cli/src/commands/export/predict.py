# Written by `alexnet export`: does with the ONNX file of the same name what `alexnet predict` does.
"""Usage: python NAME.py IMAGE...   (pip install onnxruntime numpy pillow)

Prints a line of JSON for each image: its classes, the most probable first."""

import json
import pathlib
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps


def weights(before, after, antialias):
    """A matrix [after, before] that resizes a row bilinearly; with antialias, as wide as the scale."""
    scale = before / after
    width = max(scale, 1.0) if antialias else 1.0
    centres = (np.arange(after) + 0.5) * scale
    places = np.arange(before) + 0.5
    if not antialias:
        centres = np.clip(centres, 0.5, before - 0.5)
    matrix = np.maximum(0.0, 1.0 - np.abs(places[None, :] - centres[:, None]) / width)
    return matrix / matrix.sum(axis=1, keepdims=True)


def resized(pixels, height, width, antialias=True):
    """[h, w, c] to [height, width, c], in floats."""
    if pixels.shape[:2] == (height, width):
        return pixels.astype(np.float64)
    rows = weights(pixels.shape[0], height, antialias)
    columns = weights(pixels.shape[1], width, antialias)
    return np.einsum("yh,hwc,xw->yxc", rows, pixels.astype(np.float64), columns, optimize=True)


def upright(path, images):
    """The image's pixels [h, w, c] as bytes, with as many channels as the network takes."""
    image = Image.open(path)
    if images["exif_rotation"]:
        image = ImageOps.exif_transpose(image)
    channels = len(images["mean"])
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    if channels == 4:
        return np.asarray(image.convert("RGBA"))
    if has_alpha:
        pixels = np.asarray(image.convert("RGBA")).astype(np.int64)
        alpha = pixels[..., 3:]
        pixels = (pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    else:
        pixels = np.asarray(image.convert("RGB")).astype(np.int64)
    if channels == 1:
        pixels = (pixels @ np.array([2126, 7152, 722]) // 10000)[..., None]
    return pixels.astype(np.uint8)


def brought_to(pixels, images):
    """As `source`, `fit` and `interpolation` say, as bytes."""
    height, width = images["source"]
    if images["fit"] == "crop":
        has_height, has_width = pixels.shape[:2]
        part_width = min(max(has_height * width // height, 1), has_width)
        part_height = min(max(has_width * height // width, 1), has_height)
        top, left = (has_height - part_height) // 2, (has_width - part_width) // 2
        pixels = pixels[top : top + part_height, left : left + part_width]
    if pixels.shape[:2] == (height, width):
        return pixels
    kind = images["interpolation"]
    if kind in ("nearest", "bicubic"):
        method = Image.Resampling.NEAREST if kind == "nearest" else Image.Resampling.BICUBIC
        planes = [Image.fromarray(pixels[..., c]).resize((width, height), method) for c in range(pixels.shape[2])]
        return np.stack([np.asarray(plane) for plane in planes], axis=-1)
    values = resized(pixels, height, width, kind == "bilinear-antialias")
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def prepared(path, images):
    """The network's input [1, c, h, w]: resized, its centre, minus the mean, divided by the standard deviation."""
    pixels = brought_to(upright(path, images), images)
    size = images["input_size"]
    height, width = size if isinstance(size, list) else (size, size)
    has_height, has_width = pixels.shape[:2]
    side, shorter = images.get("resize"), min(has_height, has_width)
    if side:
        new = [(whole * side + shorter // 2) // shorter for whole in (has_height, has_width)]
    else:
        new = [height, width]
    values = resized(pixels, *new)
    top, left = (new[0] - height) // 2, (new[1] - width) // 2
    values = values[top : top + height, left : left + width] / 255.0
    values = (values - np.array(images["mean"])) / np.array(images["std"])
    return values.transpose(2, 0, 1)[None].astype(np.float32)


def main():
    session = onnxruntime.InferenceSession(str(pathlib.Path(__file__).with_suffix(".onnx")), providers=["CPUExecutionProvider"])
    about = session.get_modelmeta().custom_metadata_map
    if "images" not in about:
        sys.exit("error: the ONNX file does not say how images are prepared")
    images = json.loads(about["images"])
    (output,) = session.get_outputs()
    for path in sys.argv[1:]:
        (row,) = session.run([output.name], {"input": prepared(path, images)})[0].astype(np.float64)
        if output.name == "logits":
            row = np.exp(row - row.max())
            row /= row.sum()
        names = json.loads(about["classes"]) if "classes" in about else [f"class {i}" for i in range(len(row))]
        order = np.argsort(-row, kind="stable")
        classes = [{"class": names[i], "index": int(i), "probability": float(row[i])} for i in order]
        print(json.dumps({"image": path, "predictions": classes}, ensure_ascii=False))


if __name__ == "__main__":
    main()
