#!/usr/bin/env python3
"""PyTorch beside `alexnet bench --peers`: training and inference throughput, on the CPU and on CUDA where there is any.

This one script and the `alexnet` binary are all that a comparison with PyTorch needs:

    alexnet bench --peers path/to/this/folder --python path/to/python3

`alexnet` starts it twice over: with --variants it says what this interpreter can run, as a JSON list; with --network and the
arguments of one variant it measures that, and prints one JSON object. By hand:

    python3 torch_bench.py --network alexnet-small --batch-size 128 --device cpu --layout nhwc
"""

import argparse
import json
import time


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", action="store_true", help="list what can be measured here, and stop")
    parser.add_argument("--network", choices=["alexnet-small", "alexnet-ungrouped"], default="alexnet-small")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=20, help="steps that are timed, at most")
    parser.add_argument("--seconds", type=float, default=30.0, help="stop timing after this long")
    return parser


def measure(step, steps, seconds):
    """Seconds of each of `steps` steps, or of as many as fit; up to three go before, untimed."""
    began = time.perf_counter()
    for _ in range(3):
        step()
        if time.perf_counter() - began > seconds / 2:
            break
    times, began = [], time.perf_counter()
    while len(times) < steps and (not times or time.perf_counter() - began < seconds):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return times


def report(parameters, first_step_s, train, infer, peak_device_bytes=None):
    """Prints what `alexnet` reads."""
    try:
        import resource

        peak_host_bytes = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    except ImportError:  # Windows
        peak_host_bytes = None
    print(json.dumps({
        "parameters": parameters, "first_step_s": first_step_s, "train": {"seconds": train}, "infer": {"seconds": infer},
        "peak_host_bytes": peak_host_bytes, "peak_device_bytes": peak_device_bytes,
    }))


def variants(torch):
    """Both layouts everywhere. On CUDA also the three precisions: f32 throughout, PyTorch's default (convolutions in
    TF32), and automatic mixed precision. On the CPU also a malloc that keeps what is freed, which PyTorch gains by."""
    version = f"PyTorch {torch.__version__}"
    layouts = [("nchw", ""), ("nhwc", ", channels last")]
    keep = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 36)}
    for layout, text in layouts:
        yield {"name": version + text, "device": "cpu", "args": ["--layout", layout]}
    yield {"name": f"{version}, channels last, tuned malloc", "device": "cpu", "args": ["--layout", "nhwc"], "env": keep}
    if torch.cuda.is_available():
        for precision, what in [("f32", "strict f32"), ("tf32", "default TF32"), ("amp", "AMP")]:
            for layout, text in layouts:
                args = ["--device", "cuda", "--precision", precision, "--layout", layout]
                yield {"name": f"{version} CUDA, {what}{text}", "device": "gpu", "args": args}


def build(nn, network):
    """The networks as `alexnet summary` has them, with LRN. nn.LocalResponseNorm divides alpha by the window."""
    relu, drop = lambda: nn.ReLU(inplace=True), lambda: nn.Dropout(0.5)
    lrn = lambda: nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)
    conv = lambda *sizes: [nn.Conv2d(*sizes), relu()]
    if network == "alexnet-small":
        pool = lambda: nn.MaxPool2d(3, 2, 1)
        layers = [
            *conv(3, 48, 7, 2, 3), lrn(), pool(),
            *conv(48, 128, 5, 1, 2), lrn(), pool(),
            *conv(128, 192, 3, 1, 1), *conv(192, 192, 3, 1, 1), *conv(192, 192, 3, 1, 1),
        ]
        flat, hidden = 3072, 512
    else:
        pool = lambda: nn.MaxPool2d(3, 2)
        layers = [
            *conv(3, 96, 11, 4), lrn(), pool(),
            *conv(96, 256, 5, 1, 2), lrn(), pool(),
            *conv(256, 384, 3, 1, 1), *conv(384, 384, 3, 1, 1), *conv(384, 256, 3, 1, 1), pool(),
        ]
        flat, hidden = 9216, 4096
    dense = [nn.Flatten(), nn.Linear(flat, hidden), relu(), drop(), nn.Linear(hidden, hidden), relu(), drop()]
    return nn.Sequential(*layers, *dense, nn.Linear(hidden, 10))


def main():
    parser = arguments()
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--layout", choices=["nchw", "nhwc"], default="nchw")
    parser.add_argument("--precision", choices=["f32", "tf32", "amp"], default="f32")
    args = parser.parse_args()
    import torch

    if args.variants:
        print(json.dumps(list(variants(torch))))
        return
    if args.precision == "f32":
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(0)
    layout = torch.channels_last if args.layout == "nhwc" else torch.contiguous_format
    is_small = args.network == "alexnet-small"
    side = 32 if is_small else 227
    net = build(torch.nn, args.network).to(args.device, memory_format=layout)
    x = torch.randn(args.batch_size, 3, side, side, device=args.device).contiguous(memory_format=layout)
    y = torch.arange(args.batch_size, device=args.device) % 10
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3) if is_small else \
        torch.optim.SGD(net.parameters(), lr=1e-2, momentum=0.9, weight_decay=5e-4)
    mixed = lambda: torch.autocast(args.device, torch.float16, enabled=args.precision == "amp")
    scaler = torch.amp.GradScaler(args.device, enabled=args.precision == "amp")

    def train():
        optimizer.zero_grad(set_to_none=True)
        with mixed():
            loss = torch.nn.functional.cross_entropy(net(x), y)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return loss.item()

    def infer():
        with torch.inference_mode(), mixed():
            return net(x).sum().item()

    start = time.perf_counter()
    train()
    first_step_s = time.perf_counter() - start
    train_s = measure(train, args.steps, args.seconds)
    net.eval()
    infer_s = measure(infer, args.steps, args.seconds)
    device_bytes = torch.cuda.max_memory_allocated() if args.device == "cuda" else None
    report(sum(p.numel() for p in net.parameters()), first_step_s, train_s, infer_s, device_bytes)


if __name__ == "__main__":
    main()
