"""Records test/golden/training/loss-curve.safetensors: PyTorch trains the five-layer CNN of `small-cnn`, step by step.

  python reference/training/loss_curve.py /usr/share/datasets/fashion-mnist test/golden/training

Initial weights are a hash of name and index (`hashed`; test/support/hashed-weights.ts has the same), so the file holds
only images, labels, the order of the batches and what came out, in float64 and in float32. Needs torch 2.13, safetensors.
"""
import gzip, os, sys
import numpy as np, torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch.optim import SGD, Adam
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "architectures"))
from hashed import hashed

IMAGES, BATCH, STEPS, WIDTH = 256, 64, 40, 8
MEAN, STD, CLIP, DECAY = 0.286, 0.353, 0.5, 0.9


class SmallCNN(torch.nn.Module):
    def __init__(self, width, activation):
        super().__init__()
        layers, before = [], 1
        for after, stride in [(width, 1), (width, 2), (2 * width, 1), (2 * width, 2), (4 * width, 1)]:
            conv = torch.nn.Conv2d(before, after, 3, stride, 1, bias=False)
            layers.append(torch.nn.Sequential(conv, torch.nn.BatchNorm2d(after), activation()))
            before = after
        self.f, self.fc = torch.nn.Sequential(*layers), torch.nn.Linear(before, 10)

    def forward(self, x):
        return self.fc(self.f(x).mean((2, 3)))


def train(dtype, images, labels, order, activation, make, schedule, clip=False, average=False):
    net = SmallCNN(WIDTH, activation).to(dtype).train()
    state = net.state_dict()
    net.load_state_dict({n: v if n.endswith("num_batches_tracked") else hashed(n, tuple(v.shape)).to(dtype) for n, v in state.items()})
    optimiser = make(net.parameters())
    scheduler = schedule(optimiser)
    mean = {n: p.detach().clone() for n, p in net.named_parameters()}
    losses, norms = [], []
    for step, rows in enumerate(order):
        x = (images[rows].to(dtype) / 255 - MEAN) / STD
        loss = F.cross_entropy(net(x), labels[rows])
        optimiser.zero_grad()
        loss.backward()
        if clip:
            norms.append(torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP).detach())
        optimiser.step()
        scheduler.step()
        # diffusers' EMAModel, without warm-up
        decay = 0 if step == 0 else min(DECAY, (1 + step) / (10 + step))
        for n, p in net.named_parameters():
            mean[n] = decay * mean[n] + (1 - decay) * p.detach()
        losses.append(loss.detach())
    out = {"loss": torch.stack(losses), **{f"last.{n}": v for n, v in net.state_dict().items() if not n.endswith("tracked")}}
    if clip:
        out["norm"] = torch.stack(norms)
    if average:
        out |= {f"average.{n}": v for n, v in mean.items()}
    return out


RUNS = {
    # The network itself: every ReLU is a kink, at which two that round differently part.
    "relu": dict(
        activation=torch.nn.ReLU,
        make=lambda p: SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4),
        schedule=lambda o: OneCycleLR(o, 0.05, STEPS, cycle_momentum=False),
    ),
    # Smooth instead: what differs is arithmetic alone.
    "sgd": dict(
        activation=torch.nn.SiLU,
        make=lambda p: SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4),
        schedule=lambda o: OneCycleLR(o, 0.05, STEPS, cycle_momentum=False),
    ),
    "adam": dict(
        activation=torch.nn.SiLU,
        make=lambda p: Adam(p, lr=5e-3),
        schedule=lambda o: CosineAnnealingLR(o, STEPS),
        clip=True,
        average=True,
    ),
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    folder, target = sys.argv[1:3]
    read = lambda name, offset: np.frombuffer(gzip.open(os.path.join(folder, name)).read(), np.uint8, offset=offset)
    pixels = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)[:IMAGES]
    classes = read("train-labels-idx1-ubyte.gz", 8)[:IMAGES]
    images, labels = torch.from_numpy(pixels.copy()), torch.from_numpy(classes.copy()).long()
    generator = torch.Generator().manual_seed(4)
    order = torch.cat([torch.randperm(IMAGES, generator=generator).reshape(-1, BATCH) for _ in range(STEPS * BATCH // IMAGES)])
    tensors = {"images": images, "labels": labels.to(torch.uint8), "order": order.to(torch.uint8)}
    for name, run in RUNS.items():
        exact = train(torch.float64, images, labels, order, **run)
        single = train(torch.float32, images, labels, order, **run)
        tensors |= {f"{name}.{key}": value.float() for key, value in exact.items()}
        tensors |= {f"{name}.f32.loss": single["loss"]}
        off = lambda key: (single[key] - exact[key]).abs().max().item()
        print(f"{name}: loss {exact['loss'][0]:.4f} -> {exact['loss'][-1]:.4f}; float32 is off by {off('loss'):.1e}")
        drift = (single["loss"] - exact["loss"]).abs()
        print("  ", [f"{v:.0e}" for v in drift[::10].tolist()], max(off(k) for k in exact if k not in ("loss", "norm")))
    save_file({n: v.contiguous() for n, v in tensors.items()}, os.path.join(target, "loss-curve.safetensors"))
