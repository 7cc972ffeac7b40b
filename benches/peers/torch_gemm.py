#!/usr/bin/env python3
"""PyTorch's f32 matrix product beside `cargo bench -p kernels --bench gemm`: prints the seconds of each product.

usage: torch_gemm.py M N K cpu|cuda REPEATS
"""

import sys
import time

import torch

m, n, k = map(int, sys.argv[1:4])
device, repeats = sys.argv[4], int(sys.argv[5])
torch.backends.cuda.matmul.allow_tf32 = False
a, b = torch.randn(m, k, device=device), torch.randn(k, n, device=device)
c = torch.empty(m, n, device=device)
for turn in range(repeats + 3):
    start = time.perf_counter()
    torch.mm(a, b, out=c)
    if device == "cuda":
        torch.cuda.synchronize()
    if turn >= 3:
        print(time.perf_counter() - start)
