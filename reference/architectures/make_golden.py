"""Records test/golden/architectures: what PyTorch's networks answer, for the architectures of src/nn/architectures.

  python reference/architectures/make_golden.py test/golden/architectures

Networks are torchvision's and timm's own where they have them, otherwise written here after the named implementation.
Weights are a hash of their name and index (`hashed.py`; test/support/hashed-weights.ts has the same), so files hold only
`pixel_values` and `logits` (computed in float64, stored as float32) with the architecture's options as metadata.
Needs torch 2.13, torchvision, timm, safetensors.
"""
import json, os, sys
import torch
import torch.nn.functional as F
from torch import nn

if "--without-torchvision-ops" in sys.argv:
    # torchvision's compiled operators do not load beside a CPU build of torch; nothing here needs them.
    _library = torch.library.Library("torchvision", "DEF")
    _library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import timm
import torchvision.models as tv
from hashed import hashed
from safetensors.numpy import save_file


class SmallCNN(nn.Module):
    def __init__(self, channels, width, classes):
        super().__init__()
        layers, before = [], channels
        for after, stride in [(width, 1), (width, 2), (2 * width, 1), (2 * width, 2), (4 * width, 1)]:
            layers.append(nn.Sequential(nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()))
            before = after
        self.f, self.fc = nn.Sequential(*layers), nn.Linear(before, classes)

    def forward(self, x):
        return self.fc(self.f(x).mean((2, 3)))


class PreActBlock(nn.Module):
    """kuangliu/pytorch-cifar, models/preact_resnet.py; SCLBD/BackdoorBench has the same."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(before), nn.BatchNorm2d(after)
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        if stride != 1 or before != after:
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False))

    def forward(self, x):
        even = F.relu(self.bn1(x))
        shortcut = self.shortcut(even) if hasattr(self, "shortcut") else x
        return self.conv2(F.relu(self.bn2(self.conv1(even)))) + shortcut


class PreActResNet18(nn.Module):
    def __init__(self, channels, width, classes):
        super().__init__()
        self.conv1, before = nn.Conv2d(channels, width, 3, 1, 1, bias=False), width
        for i in range(4):
            after = width * 2**i
            setattr(self, f"layer{i + 1}", nn.Sequential(PreActBlock(before, after, 1 if i == 0 else 2), PreActBlock(after, after, 1)))
            before = after
        self.linear = nn.Linear(before, classes)

    def forward(self, x):
        return self.linear(self.layer4(self.layer3(self.layer2(self.layer1(self.conv1(x))))).mean((2, 3)))


def resnet18(channels, classes, stem):
    net = tv.resnet18(num_classes=classes)
    net.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    if stem == "cifar":
        net.conv1, net.maxpool = nn.Conv2d(channels, 64, 3, 1, 1, bias=False), nn.Identity()
    return net


class VGG(nn.Module):
    """torchvision's features, kuangliu's head. Below 32 pixels the last pool has nothing left to do."""

    def __init__(self, channels, depth, classes, last_pool=True):
        super().__init__()
        self.features = getattr(tv, f"vgg{depth}_bn")().features
        self.features[0] = nn.Conv2d(channels, 64, 3, 1, 1)
        if not last_pool:
            self.features[-1] = nn.Identity()
        self.classifier = nn.Linear(512, classes)

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


def mobilenet_v2(channels, width, classes, strides):
    setting = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]]
    if strides == "cifar":
        setting[1][3] = 1
    net = tv.MobileNetV2(classes, width, setting)
    first = net.features[0][0]
    net.features[0][0] = nn.Conv2d(channels, first.out_channels, 3, 1 if strides == "cifar" else 2, 1, bias=False)
    return net


def vit(dims, classes, patch, depth, width, heads):
    size = dict(img_size=dims[1:], in_chans=dims[0], num_classes=classes, patch_size=patch)
    return timm.create_model("vit_small_patch16_224", depth=depth, embed_dim=width, num_heads=heads, **size)


def nets():
    """Architecture, options, classes, [channels, height, width] and the network."""
    return {
        "small-cnn": ("small-cnn", {"width": 32}, 10, [1, 28, 28], SmallCNN(1, 32, 10)),
        "small-cnn.odd": ("small-cnn", {"width": 5}, 3, [3, 13, 18], SmallCNN(3, 5, 3)),
        "resnet-18.cifar": ("resnet-18", {}, 10, [3, 32, 32], resnet18(3, 10, "cifar")),
        "resnet-18.imagenet": ("resnet-18", {"stem": "imagenet"}, 7, [1, 67, 45], resnet18(1, 7, "imagenet")),
        "preact-resnet-18": ("preact-resnet-18", {}, 10, [3, 32, 32], PreActResNet18(3, 64, 10)),
        "preact-resnet-18.narrow": ("preact-resnet-18", {"width": 12}, 4, [1, 28, 28], PreActResNet18(1, 12, 4)),
        "vgg-bn.11": ("vgg-bn", {}, 10, [1, 28, 28], VGG(1, 11, 10, last_pool=False)),
        "vgg-bn.13": ("vgg-bn", {"depth": "13"}, 5, [3, 32, 32], VGG(3, 13, 5)),
        "vgg-bn.16": ("vgg-bn", {"depth": "16"}, 5, [3, 40, 64], VGG(3, 16, 5)),
        "mobilenet-v2.cifar": ("mobilenet-v2", {}, 10, [3, 32, 32], mobilenet_v2(3, 1.0, 10, "cifar")),
        "mobilenet-v2.narrow": ("mobilenet-v2", {"width": 0.3}, 4, [1, 28, 28], mobilenet_v2(1, 0.3, 4, "cifar")),
        "mobilenet-v2.imagenet": (
            "mobilenet-v2", {"strides": "imagenet", "width": 1.4}, 6, [3, 96, 64], mobilenet_v2(3, 1.4, 6, "imagenet")),
        "vit-small": (
            "vit-small", {"depth": 3, "width": 96, "heads": 3}, 10, [3, 32, 32], vit([3, 32, 32], 10, 4, 3, 96, 3)),
        "vit-small.oblong": (
            "vit-small", {"patch": 7, "depth": 2, "width": 48, "heads": 4}, 4, [1, 28, 21], vit([1, 28, 21], 4, 7, 2, 48, 4)),
    }


if __name__ == "__main__":
    folder, torch_threads = sys.argv[1], torch.set_num_threads(1)
    for case, (architecture, options, classes, dims, net) in nets().items():
        net = net.eval()
        state = {name: value if name.endswith("num_batches_tracked") else hashed(name, tuple(value.shape)) for name, value in net.state_dict().items()}
        net.load_state_dict(state)
        parameters = sum(p.numel() for p in net.parameters())
        # The second image is faint, so that what is added to variances shows.
        x = torch.randn(3, *dims, generator=torch.Generator().manual_seed(4)) * torch.tensor([1, 0.01, 1]).reshape(3, 1, 1, 1)
        with torch.inference_mode():
            f32 = net(x)
            logits = net.double()(x.double()).float()
        error = ((f32 - logits).abs().amax(1) / logits.abs().amax(1)).max()
        print(f"{case}: {parameters} parameters, float32 is {error:.1e} off, logits {logits[0, :3].tolist()}")
        metadata = {"architecture": architecture, "options": json.dumps(options), "parameters": str(parameters)}
        save_file({"pixel_values": x.numpy(), "logits": logits.numpy()}, os.path.join(folder, f"{case}.safetensors"), metadata)
