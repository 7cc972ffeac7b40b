"""Records torch_forms/: a small network with torchvision's names, in the forms that people's files have. Run with torch 2
and torchvision: python tests/golden/torch_forms.py. Every parameter's element number i is i / 8 + its place in the state
dict."""

import argparse
import os
import sys

sys.path.pop(0)  # torchvision.py is beside this.

import torch
from torch import nn
from torchvision.models import AlexNet

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch_forms")
os.makedirs(HERE, exist_ok=True)


def small(with_norm=False):
    """torchvision's class, with a convolution and a dense layer where its own have names."""
    model = AlexNet(num_classes=2)
    norm = [nn.BatchNorm2d(2)] if with_norm else []
    model.features = nn.Sequential(nn.Conv2d(3, 2, 1), *norm)
    model.classifier = nn.Sequential(*[nn.Identity() for _ in range(6)], nn.Linear(2, 3))
    with torch.no_grad():
        for at, tensor in enumerate(p for p in model.state_dict().values() if p.is_floating_point()):
            tensor.copy_((torch.arange(tensor.numel()) / 8 + at).reshape(tensor.shape))
    return model


def save(name, value, **options):
    torch.save(value, os.path.join(HERE, name + ".pth"), **options)


def prefixed(prefix, state):
    return {prefix + key: value for key, value in state.items()}


OLD = {"_use_new_zipfile_serialization": False}
model = small()
state = model.state_dict()
save("plain", state)
save("legacy", state, **OLD)
save("double", {key: value.double() for key, value in state.items()})
save("half-legacy", {key: value.half() for key, value in state.items()}, **OLD)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
sum(p.sum() * 0 for p in model.parameters()).backward()
optimizer.step()
parallel = nn.DataParallel(small())
checkpoint = {"epoch": 3, "arch": "alexnet", "best_acc1": torch.tensor(56.5), "optimizer": optimizer.state_dict()}
save("checkpoint", {**checkpoint, "state_dict": parallel.state_dict()})
weird = small()
weird.features = nn.DataParallel(weird.features)
save("features-module-legacy", {**checkpoint, "state_dict": weird.state_dict()}, **OLD)
save("model-key", {"model": state, "args": argparse.Namespace(lr=0.1)})
lightning = prefixed("model.", state) | {"criterion.weight": torch.ones(3)}
save("lightning", {"epoch": 1, "pytorch-lightning_version": "2.5.0", "state_dict": lightning,
                   "hyper_parameters": {"lr": 0.1, "sizes": [1, 2], "name": None}, "callbacks": {}})
save("net-compiled", {"state_dict": prefixed("net._orig_mod.", state)})
save("whole", model)
save("whole-legacy", model, **OLD)
save("whole-parallel", {"net": parallel})
save("norm", small(with_norm=True).state_dict())


class Script(nn.Module):
    def __init__(self):
        super().__init__()
        self.features, self.classifier = model.features, model.classifier

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


torch.jit.script(Script().eval()).save(os.path.join(HERE, "script.pth"))
torch.jit.trace(Script().eval(), torch.ones(1, 3, 6, 6)).save(os.path.join(HERE, "traced.pth"))
save("tensor", torch.ones(2))
