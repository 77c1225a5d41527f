"""The peer that `npm run bench -- gradients` and `-- training-step` race: networks in plain PyTorch, as a user has them.

Prints "ready", then one line {"seconds": ...} for every line it is sent. `--task input` computes the gradient of a
cross-entropy by the images in evaluation mode; with `--export DIR` it first writes DIR/net.onnx, DIR/x.f32 and
DIR/gradient.f32, so that the other side runs the same network on the same images and can compare. `--task train` runs a
training step: forward, loss and the gradients of all weights, in training mode. Needs torch 2.13; `--task input` also
torchvision, onnx and onnxscript.
"""
import argparse
import json
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import torch
import torch.nn.functional as F
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = 10


def torchvision_models():
    """torchvision's compiled operators do not load beside a CPU build of torch; nothing here needs them."""
    try:
        import torchvision.models as tv
    except (ImportError, RuntimeError):
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        torchvision_models.library = library
        import torchvision.models as tv
    return tv


class SmallCnn(nn.Module):
    """The classifier of models/fashion-mnist-badnets."""

    def __init__(self):
        super().__init__()
        layers, channels = [], 1
        for width, stride in [(32, 1), (32, 2), (64, 1), (64, 2), (128, 1)]:
            layers += [nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        self.f, self.fc = nn.Sequential(*layers), nn.Linear(channels, CLASSES)

    def forward(self, x):
        return self.fc(self.f(x).mean((2, 3)))


def resnet18(stem):
    net = torchvision_models().resnet18(num_classes=CLASSES)
    if stem == "cifar":
        net.conv1, net.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
    return net


def unet():
    sys.path.insert(0, os.path.join(HERE, "..", "peers"))
    from unet2d import UNet2D

    path = os.path.join(HERE, "..", "..", "models", "fashion-mnist-prior", "unet", "config.json")
    with open(path) as file:
        return UNet2D(json.load(file))


def nets():
    """Networks by name: how to make one, and the dims of its images."""
    tv = torchvision_models
    return {
        "small-cnn": (SmallCnn, (1, 28, 28)),
        "resnet-18-cifar": (lambda: resnet18("cifar"), (3, 32, 32)),
        "resnet-18": (lambda: resnet18("imagenet"), (3, 32, 32)),
        "vgg-11-bn": (lambda: small_vgg(tv()), (3, 32, 32)),
        "mobilenet-v2": (lambda: tv().mobilenet_v2(num_classes=CLASSES, dropout=0.0), (3, 32, 32)),
        "densenet-121": (lambda: tv().densenet121(num_classes=CLASSES), (3, 32, 32)),
        "efficientnet-b0": (lambda: tv().efficientnet_b0(num_classes=CLASSES), (3, 64, 64)),
        "convnext-tiny": (lambda: tv().convnext_tiny(num_classes=CLASSES), (3, 64, 64)),
        "vit-small": (lambda: tv().VisionTransformer(32, 4, 4, 3, 192, 768, num_classes=CLASSES), (3, 32, 32)),
        "swin-tiny": (lambda: tv().swin_t(num_classes=CLASSES), (3, 64, 64)),
        "unet": (unet, (1, 28, 28)),
    }


def small_vgg(tv):
    net = tv.vgg11_bn(num_classes=CLASSES, dropout=0.0)
    net.avgpool, net.classifier = nn.Identity(), nn.Linear(512, CLASSES)
    return net


def export(net, x, gradient, folder):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "net.onnx")
    names = {"input_names": ["x"], "output_names": ["y"]}
    torch.onnx.export(net, (x,), path, opset_version=17, dynamo=False, dynamic_axes={"x": {0: "N"}, "y": {0: "N"}}, **names)
    for name, value in {"x": x, "gradient": gradient}.items():
        value.detach().contiguous().numpy().tofile(os.path.join(folder, f"{name}.f32"))


def input_task(net, x):
    net = net.eval().requires_grad_(False)
    x = x.requires_grad_(True)
    targets = torch.arange(len(x)) % CLASSES

    def work():
        x.grad = None
        F.cross_entropy(net(x), targets, reduction="sum").backward()
        return x.grad

    return work


def train_task(net, x, name):
    net = net.train()
    times = torch.arange(len(x)).float() * 7
    targets = torch.randn(x.shape) if name == "unet" else torch.arange(len(x)) % CLASSES

    def work():
        for parameter in net.parameters():
            parameter.grad = None
        loss = F.mse_loss(net(x, times), targets) if name == "unet" else F.cross_entropy(net(x), targets)
        loss.backward()

    return work


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", choices=["input", "train"], required=True)
    parser.add_argument("--net", choices=nets(), required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=["cpu", "wall"], default="cpu")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--export")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    make, dims = nets()[options.net]
    net, x = make(), torch.rand(options.batch, *dims)
    for parameter in net.parameters():
        if parameter.dim() > 1 and not parameter.any():  # a head that starts at zero passes no gradient
            nn.init.normal_(parameter, std=0.02)
    if options.channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    work = input_task(net, x) if options.task == "input" else train_task(net, x, options.net)
    gradient = work()
    if options.export:
        export(net, x, gradient, options.export)
    clock = time.process_time if options.clock == "cpu" else time.perf_counter
    print("ready", flush=True)
    for _ in sys.stdin:
        start = clock()
        work()
        print(json.dumps({"seconds": clock() - start}), flush=True)


if __name__ == "__main__":
    main()
