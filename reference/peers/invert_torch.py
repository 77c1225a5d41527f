"""The peer of `npm run bench -- invert`: one step of SmoothInv and of Neural Cleanse for ten classes, in vectorised PyTorch.

  python invert_torch.py --network small-cnn --weights W.safetensors --images X.npy --method smoothinv --noise N.npy --copies 4
  python invert_torch.py --network resnet-18 --weights W.safetensors --images X.npy --method neural-cleanse

Networks are frozen, in evaluation mode, with BatchNorm folded into convolutions. Classes are stacked on the batch axis. How
many of them one pass takes, and whether tensors are channels_last, is tried at the start; the fastest form is raced.
Prints {"losses": [...], "form": ...}: the losses of all classes at the first step, then for every line it is sent one
step's {"seconds": ...}. Needs torch and numpy.
"""
import argparse
import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from purify_torch import Prior, load_safetensors
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

CLASSES = 10


class SmallCnn(nn.Module):
    """The classifier of models/fashion-mnist-badnets, whose file has BatchNorm folded already."""

    def __init__(self):
        super().__init__()
        widths = [(1, 32, 1), (32, 32, 2), (32, 64, 1), (64, 64, 2), (64, 128, 1)]
        self.convs = nn.ModuleList(nn.Conv2d(i, o, 3, stride, 1) for i, o, stride in widths)
        self.fc = nn.Linear(128, CLASSES)

    def forward(self, x):
        for conv in self.convs:
            x = F.relu(conv(x), inplace=True)
        return self.fc(x.mean((2, 3)))


class Block(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        if stride > 1 or i != o:
            self.downsample = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def fold(self):
        self.conv1, self.bn1 = fuse_conv_bn_eval(self.conv1, self.bn1), nn.Identity()
        self.conv2, self.bn2 = fuse_conv_bn_eval(self.conv2, self.bn2), nn.Identity()
        if hasattr(self, "downsample"):
            self.downsample = fuse_conv_bn_eval(*self.downsample)

    def forward(self, x):
        h = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        return F.relu(h + (self.downsample(x) if hasattr(self, "downsample") else x), inplace=True)


class ResNet18(nn.Module):
    """With the stem for small images."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64)
        widths = [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)]
        for k, (i, o, stride) in enumerate(widths, 1):
            setattr(self, f"layer{k}", nn.Sequential(Block(i, o, stride), Block(o, o, 1)))
        self.fc = nn.Linear(512, CLASSES)

    def fold(self):
        self.conv1, self.bn1 = fuse_conv_bn_eval(self.conv1, self.bn1), nn.Identity()
        for block in [b for k in range(1, 5) for b in getattr(self, f"layer{k}")]:
            block.fold()

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return self.fc(self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean((2, 3)))


def open_network(name, weights):
    net = {"small-cnn": SmallCnn, "resnet-18": ResNet18}[name]()
    # What BatchNorm counts is in no file.
    net.load_state_dict({**{k: v for k, v in net.state_dict().items() if "num_batches" in k}, **weights})
    net.eval()
    if hasattr(net, "fold"):
        net.fold()
    return net.requires_grad_(False)


class OneShot(nn.Module):
    """The prior's estimate of the clean image from one call, in front of a classifier."""

    def __init__(self, prior, index, net):
        super().__init__()
        self.unet, self.net, self.index = prior.net.requires_grad_(False), net, index
        self.abar = float(prior.abar[index])
        self.sigma = ((1 - self.abar) / self.abar) ** 0.5 / 2

    def forward(self, x):
        state = self.abar**0.5 * (2 * x - 1)
        eps = self.unet(state, torch.full((len(x),), self.index))
        return self.net((state - (1 - self.abar) ** 0.5 * eps).div(self.abar**0.5).clamp(-1, 1) / 2 + 0.5)


class Normalised(nn.Module):
    def __init__(self, net, mean, std):
        super().__init__()
        self.net, self.mean, self.std = net, mean, std

    def forward(self, x):
        return self.net((x - self.mean) / self.std)


class SmoothInv:
    """The first image towards every class; the copies' noise is that of the step, the same for all classes."""

    def __init__(self, net, images, options):
        self.net, self.image, self.options = net, images[:1], options
        self.change = torch.zeros(CLASSES, *images.shape[1:])
        self.velocity = torch.zeros_like(self.change)

    def step(self, together, layout, noise=None):
        o = self.options
        if noise is None:
            noise = torch.randn(o.copies, *self.image.shape[1:])
        gradient, losses = [], []
        for classes in torch.arange(CLASSES).split(together):
            change = self.change[classes].requires_grad_()
            rows = ((self.image + change)[:, None] + o.sigma * noise).flatten(0, 1)
            logs = F.log_softmax(self.net(rows.contiguous(memory_format=layout)), 1)
            own = logs.gather(1, classes.repeat_interleave(o.copies)[:, None]).view(-1, o.copies)
            loss = np.log(o.copies) - own.logsumexp(1)
            gradient += torch.autograd.grad(loss.sum(), change)
            losses += loss.tolist()
        gradient = torch.cat(gradient)
        self.velocity = 0.9 * self.velocity + gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        change = (self.image + self.change - o.rate * o.eps * self.velocity).clamp(0, 1) - self.image
        self.change = change.flatten(1).renorm(2, 0, o.eps).view_as(change)
        return losses


class NeuralCleanse:
    """One minibatch for every class."""

    def __init__(self, net, images, options):
        self.net, self.images = net, images
        self.mask = torch.ones(CLASSES, 1, *images.shape[2:], requires_grad=True)
        self.pattern = torch.ones(CLASSES, *images.shape[1:], requires_grad=True)
        self.optimiser = torch.optim.Adam([self.mask, self.pattern], lr=0.1, betas=(0.5, 0.9))

    def step(self, together, layout):
        x, losses, hits = self.images[torch.randperm(len(self.images))], [], 0
        self.optimiser.zero_grad()
        for classes in torch.arange(CLASSES).split(together):
            mask, pattern = self.mask[classes].tanh() / 2 + 0.5, self.pattern[classes].tanh() / 2 + 0.5
            rows = ((1 - mask)[:, None] * x + (mask * pattern)[:, None]).flatten(0, 1)
            logits = self.net(rows.contiguous(memory_format=layout))
            targets = classes.repeat_interleave(len(x))
            loss = F.cross_entropy(logits, targets, reduction="none").view(-1, len(x)).mean(1) + 1e-3 * mask.sum((1, 2, 3))
            loss.sum().backward()
            losses += loss.tolist()
            hits += (logits.argmax(1) == targets).sum().item()
        self.optimiser.step()
        return losses


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--images", required=True)
    parser.add_argument("--method", choices=["smoothinv", "neural-cleanse"], required=True)
    parser.add_argument("--noise")
    parser.add_argument("--mean", type=float, default=0)
    parser.add_argument("--std", type=float, default=1)
    parser.add_argument("--copies", type=int, default=4)
    parser.add_argument("--sigma", type=float, default=0.12)
    parser.add_argument("--eps", type=float, default=2)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--prior")
    parser.add_argument("--index", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=["cpu", "wall"], default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    net = Normalised(open_network(options.network, load_safetensors(options.weights)), options.mean, options.std)
    if options.prior is not None:
        net = OneShot(Prior(options.prior), options.index, net)
        options.sigma = net.sigma
    images = torch.from_numpy(np.load(options.images))
    clock = time.process_time if options.clock == "cpu" else time.perf_counter
    make = lambda: {"smoothinv": SmoothInv, "neural-cleanse": NeuralCleanse}[options.method](net, images, options)
    given = {} if options.noise is None else {"noise": torch.from_numpy(np.load(options.noise))}
    losses = make().step(CLASSES, torch.contiguous_format, **given)

    def seconds(search, form):
        net.to(memory_format=form[1])
        start = clock()
        search.step(*form)
        return clock() - start

    layouts = [torch.contiguous_format, torch.channels_last]
    forms = [(together, layout) for together in (1, 5, CLASSES) for layout in layouts]
    tries = {form: min(seconds(search, form) for _ in range(2)) for search in [make()] for form in forms}
    fastest = min(tries, key=tries.get)
    net.to(memory_format=fastest[1])
    name = f"{fastest[0]} of {CLASSES} classes together, {str(fastest[1]).split('.')[1]}"
    print(json.dumps({"losses": losses, "form": name}), flush=True)
    search = make()
    for _ in sys.stdin:
        start = clock()
        search.step(*fastest)
        print(json.dumps({"seconds": clock() - start}), flush=True)


if __name__ == "__main__":
    main()
