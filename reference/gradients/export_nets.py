"""Exports small networks of torchvision and timm with both exporters of PyTorch, and their input gradients in float64.

Writes test/golden/exports/<net>.<exporter><opset>.{onnx,safetensors}. Needs torch 2.13, torchvision, timm, onnx,
onnxscript, safetensors. Run: python reference/gradients/export_nets.py
"""
import os
import sys
import warnings

warnings.filterwarnings("ignore")
import torch

if len(sys.argv) > 1 and sys.argv[1] == "--without-torchvision-ops":
    # torchvision's compiled operators do not load beside a CPU build of torch; nothing here needs them.
    _library = torch.library.Library("torchvision", "DEF")
    _library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import onnx
import timm
import torchvision.models as tv
from safetensors.torch import save_file
from timm.models.metaformer import MetaFormer
from timm.models.mlp_mixer import MlpMixer
from torch import nn
from torchvision.models.convnext import CNBlockConfig
from torchvision.models.efficientnet import FusedMBConvConfig, MBConvConfig
from torchvision.models.regnet import BlockParams
from torchvision.models.swin_transformer import PatchMergingV2, SwinTransformerBlockV2

OUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "exports")
SIZE = 32


def nets():
    timm_net = lambda name, **options: timm.create_model(name, pretrained=False, num_classes=5, **options)
    mb = lambda expand, kernel, stride, i, o: MBConvConfig(expand, kernel, stride, i, o, 1)
    return {
        "mobilenet-v2": lambda: tv.MobileNetV2(
            5, width_mult=0.25, inverted_residual_setting=[[1, 8, 1, 1], [6, 16, 2, 2], [6, 24, 1, 2]]
        ),
        "densenet": lambda: tv.DenseNet(4, (2, 2), 8, num_classes=5),
        "shufflenet": lambda: tv.ShuffleNetV2([2, 2, 2], [8, 16, 24, 32, 48], num_classes=5),
        "efficientnet": lambda: tv.EfficientNet(
            [mb(1, 3, 1, 8, 8), FusedMBConvConfig(2, 3, 2, 8, 16, 1), mb(3, 5, 2, 16, 16)], 0.0, num_classes=5, last_channel=48
        ),
        "regnet": lambda: tv.RegNet(BlockParams([1, 1], [16, 32], [8, 8], [1.0, 1.0], [2, 2], 0.25), num_classes=5),
        "convnext": lambda: tv.ConvNeXt([CNBlockConfig(16, 32, 1), CNBlockConfig(32, None, 1)], num_classes=5),
        "vit": lambda: tv.VisionTransformer(SIZE, 8, 2, 2, 16, 32, num_classes=5),
        "swin": lambda: tv.SwinTransformer([4, 4], 8, [2, 1], [2, 2], [4, 4], num_classes=5),
        "swin-v2": lambda: tv.SwinTransformer(
            [4, 4], 8, [2, 1], [2, 2], [4, 4], num_classes=5, block=SwinTransformerBlockV2, downsample_layer=PatchMergingV2
        ),
        "maxvit": lambda: tv.MaxVit((SIZE, SIZE), 8, 4, [8, 16], [1, 1], 8, 0.0, num_classes=5),
        "timm-vit": lambda: timm_net("vit_tiny_patch16_224", img_size=SIZE, patch_size=8, embed_dim=24, depth=2, num_heads=3),
        "timm-eva": lambda: timm_net("eva02_tiny_patch14_224", img_size=28, embed_dim=24, depth=2, num_heads=3),
        "timm-poolformer": lambda: MetaFormer(num_classes=5, depths=(1, 1), dims=(8, 16)),
        "timm-mixer": lambda: MlpMixer(num_classes=5, img_size=SIZE, patch_size=8, embed_dim=24, num_blocks=2),
        "timm-edgenext": lambda: timm_net("edgenext_xx_small", depths=(1, 1, 1, 1), dims=(8, 16, 16, 24), heads=(2, 2, 2, 2)),
    }


EXPORTS = """
mobilenet-v2:ts:9 mobilenet-v2:ts:11 mobilenet-v2:ts:13 mobilenet-v2:dynamo:18
densenet:ts:9 shufflenet:ts:11 shufflenet:dynamo:18 efficientnet:ts:13 efficientnet:dynamo:23 regnet:ts:12
convnext:ts:17 convnext:dynamo:20 vit:ts:14 vit:dynamo:23 swin:ts:17 swin:dynamo:18 swin-v2:dynamo:20 maxvit:dynamo:21
timm-vit:ts:18 timm-vit:dynamo:23 timm-eva:dynamo:23 timm-poolformer:dynamo:22 timm-mixer:ts:16
timm-edgenext:dynamo:20
""".split()


def lively(model):
    """Weights that no initialisation leaves at zero, and statistics that no normalisation ignores."""
    for parameter in model.parameters():
        if parameter.abs().max() == 0 or (parameter == 1).all():
            parameter.data += torch.randn_like(parameter) * 0.2
        if parameter.dim() > 1 and parameter.abs().max() < 0.1:
            parameter.data *= 0.2 / parameter.abs().max()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.6, 1.4)
    return model


def strip(path):
    """Takes away what only describes: source lines, inferred shapes, docstrings."""
    model = onnx.load(path)
    model.doc_string = ""
    for holder in [model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output]:
        del holder.metadata_props[:]
        holder.doc_string = ""
    del model.graph.value_info[:]
    onnx.save(model, path)


def export(net, exporter, opset):
    torch.manual_seed(1)
    model = lively(nets()[net]()).eval()
    size = 28 if net == "timm-eva" else SIZE
    x = torch.rand(2, 3, size, size)
    path = os.path.join(OUT, f"{net}.{exporter}{opset}")
    names = {"input_names": ["x"], "output_names": ["y"]}
    if exporter == "ts":
        axes = {"x": {0: "N"}, "y": {0: "N"}}
        torch.onnx.export(model, (x,), path + ".onnx", opset_version=opset, dynamo=False, dynamic_axes=axes, **names)
    else:
        shapes = ({0: torch.export.Dim("N", min=1, max=64)},)
        torch.onnx.export(
            model, (x,), path + ".onnx", opset_version=opset, dynamo=True, dynamic_shapes=shapes, external_data=False, verbose=False, **names
        )
    strip(path + ".onnx")
    model = model.double()
    exact = x.double().requires_grad_(True)
    y = model(exact)
    cotangent = torch.randn_like(y)
    (y * cotangent).sum().backward()
    tensors = {"x": x, "y": y.detach(), "cotangent": cotangent, "grad.x": exact.grad}
    save_file({name: value.float().contiguous() for name, value in tensors.items()}, path + ".safetensors")
    print(os.path.basename(path), os.path.getsize(path + ".onnx") // 1024, "KB", float(exact.grad.abs().max()))


if __name__ == "__main__":
    torch.set_num_threads(1)
    os.makedirs(OUT, exist_ok=True)
    for spec in EXPORTS:
        net, exporter, opset = spec.split(":")
        try:
            export(net, exporter, int(opset))
        except Exception as error:
            print("failed:", spec, str(error)[:200].replace("\n", " "))
