"""Makes tests/golden/e25ac3f with the program of commit e25ac3f: python3 make.py PATH/TO/alexnet. Needs nothing else.

The weights that the run starts from are a short pattern, and all layers but the last are frozen, so that they compress.
"""
import hashlib, io, json, os, shutil, struct, subprocess, sys, tarfile, tempfile, zlib

HERE = os.path.dirname(os.path.abspath(__file__))
SHAPES = {
    "conv1": [7, 7, 3, 48], "conv2": [5, 5, 48, 128], "conv3": [3, 3, 128, 192], "conv4": [3, 3, 192, 192],
    "conv5": [3, 3, 192, 192], "fc6": [3072, 512], "fc7": [512, 512], "fc8": [512, 2],
}


def png(width, height, pixel):
    rows = b"".join(b"\0" + bytes(v for x in range(width) for v in pixel(x, y)) for y in range(height))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def images(folder):
    """Two classes: horizontal and vertical stripes, eight images each."""
    for name, along in [("across", 1), ("down", 0)]:
        os.makedirs(os.path.join(folder, name))
        for i in range(8):
            stripe = lambda x, y, i=i: [(x, y)[along] // 4 % 2 * (120 + 10 * i) + 40, 90, 20 * i]
            with open(os.path.join(folder, name, f"{i}.png"), "wb") as file:
                file.write(png(32, 32, stripe))


def weights(path):
    header, data = {"__metadata__": {"network": "alexnet-small classes=2 input_size=32"}}, b""
    for name, shape in SHAPES.items():
        terms = 1
        for size in shape[:-1]:
            terms *= size
        step = 2.0 ** -(terms.bit_length() // 2 + 2)
        for kind, size in [("weight", shape), ("bias", shape[-1:])]:
            n = terms * shape[-1] if kind == "weight" else shape[-1]
            pattern = [(7 * i % 13 - 6) * step if kind == "weight" else 0.125 for i in range(13)]
            bytes_ = (struct.pack("<13f", *pattern) * (n // 13 + 1))[: 4 * n]
            header[f"{name}.{kind}"] = {"dtype": "F32", "shape": size, "data_offsets": [len(data), len(data) + len(bytes_)]}
            data += bytes_
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def run(program, *arguments):
    return subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


program = os.path.abspath(sys.argv[1])
with tempfile.TemporaryDirectory() as root:
    os.chdir(root)
    os.makedirs("old")
    os.chdir("old")
    images("images")
    weights("start.safetensors")
    settings = os.path.join(HERE, "settings.toml")
    run(program, "train", "images", "--config", settings, "--out", "run", "--quiet")
    # What the old program says of its own files; resumed for another epoch, on a copy.
    expected = {"evaluate": json.loads(run(program, "evaluate", "run", "--json", "--device", "cpu"))}
    expected["predict"] = json.loads(run(program, "predict", "run", "images/down/3.png", "--json", "--device", "cpu"))
    shutil.copytree("run", "resumed")
    with open("resumed/config.toml") as file:
        config = file.read()
    with open("resumed/config.toml", "w") as file:
        file.write(config.replace("epochs = 1\n", "epochs = 2\n"))
    run(program, "train", "--resume", "resumed", "--quiet")
    with open("resumed/checkpoints/last/model.safetensors", "rb") as file:
        raw = file.read()
    size = struct.unpack("<Q", raw[:8])[0]
    expected["resumed_tensors_sha256"] = hashlib.sha256(raw[8 + size:]).hexdigest()
    with open(os.path.join(HERE, "expected.json"), "w") as file:
        json.dump(expected, file, indent=1)
        file.write("\n")
    # What evaluation and resuming read: plots, pages and TensorBoard's files are drawn from these.
    keep = lambda info: None if any(part in info.name for part in ("plots", "report.html", "tfevents")) else info
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in ("images", "run", "start.safetensors"):
            tar.add(name, "old/" + name, filter=keep)
    compress = zlib.compressobj(9, zlib.DEFLATED, 31)
    with open(os.path.join(HERE, "run.tar.gz"), "wb") as file:
        file.write(compress.compress(buffer.getvalue()) + compress.flush())
