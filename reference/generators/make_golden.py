"""Records test/golden/generators: what PyTorch's networks answer, for those of src/nn/generators.

  python reference/generators/make_golden.py test/golden/generators

Written here after the papers and the implementations that the source files name, with timm's own blocks in the masked
auto-encoder, which leaves hidden tokens out as the paper does. Weights are a hash of their name and index (`hashed` of
reference/architectures/make_golden.py; test/support/hashed-weights.ts has the same). Outputs are computed in float64 and
stored as float32. Needs torch 2.13, timm, safetensors.
"""
import json, math, os, sys
import numpy as np, torch
import torch.nn.functional as F
from torch import nn

if "--without-torchvision-ops" in sys.argv:
    # torchvision's compiled operators do not load beside a CPU build of torch; nothing here needs them.
    _library = torch.library.Library("torchvision", "DEF")
    _library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from functools import partial

from safetensors.numpy import save_file
from timm.models.vision_transformer import Block


def hashed(name, shape):
    size = math.prod(shape)
    scale = len(shape) == 1 and name.endswith((".weight", ".running_var"))
    factor, shift = (math.sqrt(6 * shape[0] / size), 0) if len(shape) > 1 else (0.5, 1) if scale else (0.25, 0)
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = (seed ^ byte) * 0x01000193 & 0xFFFFFFFF
    with np.errstate(over="ignore"):
        h = np.uint32(seed) + np.arange(size, dtype=np.uint32) * np.uint32(0x9E3779B1)
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    u = (h ^ (h >> np.uint32(16))).astype(np.float64) / 2**31 - 1
    return torch.from_numpy((u * factor + shift).astype(np.float32).reshape(shape))


def waves(positions, channels):
    """Sines, then cosines, of positions [n] at channels / 2 frequencies."""
    frequencies = 1 / 10000 ** (torch.arange(channels // 2, dtype=torch.float64) / (channels / 2))
    phases = positions[:, None] * frequencies
    return torch.cat([phases.sin(), phases.cos()], 1)


def places(rows, columns, channels):
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    grid = torch.cat([waves(x.flatten().double(), channels // 2), waves(y.flatten().double(), channels // 2)], 1)
    return torch.cat([torch.zeros(1, channels, dtype=torch.float64), grid])[None]


class MaskedAutoencoder(nn.Module):
    """facebookresearch/mae, models_mae.py; one image at a time, so that each may hide as many patches as it likes."""

    def __init__(self, channels, height, width, patch, dim, depth, heads, decoder_dim, decoder_depth, decoder_heads):
        super().__init__()
        self.patch, self.grid, self.channels = patch, (height // patch, width // patch), channels
        block = partial(Block, mlp_ratio=4, qkv_bias=True, norm_layer=partial(nn.LayerNorm, eps=1e-6))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(channels, dim, patch, patch)})
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.blocks = nn.ModuleList(block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.decoder_embed = nn.Linear(dim, decoder_dim)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, decoder_dim))
        self.decoder_blocks = nn.ModuleList(block(decoder_dim, decoder_heads) for _ in range(decoder_depth))
        self.decoder_norm = nn.LayerNorm(decoder_dim, eps=1e-6)
        self.decoder_pred = nn.Linear(decoder_dim, patch * patch * channels)

    def one(self, image, mask):
        tokens = self.patch_embed["proj"](2 * image[None] - 1).flatten(2).transpose(1, 2)
        position = places(*self.grid, tokens.shape[2]).to(tokens)
        seen = torch.nonzero(mask < 0.5).flatten()
        x = torch.cat([self.cls_token, (tokens + position[:, 1:])[:, seen]], 1)
        for layer in self.blocks:
            x = layer(x)
        x = self.decoder_embed(self.norm(x))
        y = self.mask_token.repeat(1, 1 + len(mask), 1)
        y = y.index_copy(1, torch.cat([torch.zeros(1, dtype=torch.long), 1 + seen]), x)
        y = y + places(*self.grid, y.shape[2]).to(y)
        for layer in self.decoder_blocks:
            y = layer(y)
        y = self.decoder_pred(self.decoder_norm(y))[0, 1:]
        pixels = y.reshape(*self.grid, self.patch, self.patch, self.channels)
        return torch.einsum("hwpqc->chpwq", pixels).reshape(image.shape) / 2 + 0.5

    def forward(self, pixel_values, mask):
        prediction = torch.stack([self.one(image, hidden) for image, hidden in zip(pixel_values, mask)])
        shown = F.interpolate(mask.reshape(len(mask), 1, *self.grid), scale_factor=self.patch).expand_as(prediction)
        loss = ((prediction - pixel_values) ** 2 * shown).sum() / shown.sum()
        return {"prediction": prediction, "loss": loss}


class Autoencoder(nn.Module):
    """Trevillie/MagNet, defensive_models.py."""

    def __init__(self, channels, structure, activation):
        super().__init__()
        self.structure, self.bend = structure, {"sigmoid": torch.sigmoid, "relu": F.relu}[activation]
        self.encoder, self.decoder, before = nn.ModuleDict(), nn.ModuleDict(), channels
        for part, layers in ((self.encoder, structure), (self.decoder, structure[::-1])):
            for i, layer in enumerate(layers):
                if isinstance(layer, int):
                    part[str(i)], before = nn.Conv2d(before, layer, 3, padding=1), layer
        self.output = nn.Conv2d(before, channels, 3, padding=1)

    def forward(self, pixel_values):
        x, pools = pixel_values, {"average": F.avg_pool2d, "max": F.max_pool2d}
        for i, layer in enumerate(self.structure):
            x = self.bend(self.encoder[str(i)](x)) if isinstance(layer, int) else pools[layer](x, 2)
        for i, layer in enumerate(self.structure[::-1]):
            x = self.bend(self.decoder[str(i)](x)) if isinstance(layer, int) else F.interpolate(x, scale_factor=2)
        return {"reconstruction": torch.sigmoid(self.output(x))}


class InputAwareGenerator(nn.Module):
    """VinAIResearch/input-aware-backdoor-attack-release, networks/models.py, without biases in front of norms."""

    def __init__(self, channels, out, width, levels):
        super().__init__()
        widths = [width * 2**level for level in range(levels)]
        self.levels, before = levels, channels
        names = [(f"down_{2 * i + j}", after) for i, after in enumerate(widths) for j in (0, 1)]
        names += [("middle", widths[-1])]
        for i, after in enumerate(reversed(widths)):
            names += [(f"up_{2 * i}", after), (f"up_{2 * i + 1}", after // 2 if i < levels - 1 else out)]
        for name, after in names:
            conv = nn.Conv2d(before, after, 3, padding=1, bias=False)
            self.add_module(f"convblock_{name}", nn.ModuleDict({"conv2d": conv, "batch_norm": nn.BatchNorm2d(after)}))
            before = after

    def normed(self, name, x):
        block = getattr(self, f"convblock_{name}")
        return block["batch_norm"](block["conv2d"](x))

    def forward(self, x):
        for i in range(self.levels):
            x = F.relu(self.normed(f"down_{2 * i + 1}", F.relu(self.normed(f"down_{2 * i}", x))))
            x = F.max_pool2d(x, 2)
        x = F.relu(self.normed("middle", x))
        for i in range(self.levels):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = self.normed(f"up_{2 * i + 1}", F.relu(self.normed(f"up_{2 * i}", x)))
            x = F.relu(x) if i < self.levels - 1 else torch.tanh(x) / 2 + 0.5
        return x


class InputAware(nn.Module):
    def __init__(self, channels, width, levels):
        super().__init__()
        self.pattern = InputAwareGenerator(channels, channels, width, levels)
        self.mask = InputAwareGenerator(channels, 1, width, levels)

    def forward(self, pixel_values):
        pattern, mask = self.pattern(pixel_values), torch.tanh(20 * self.mask(pixel_values) - 10) / 2 + 0.5
        return {"pattern": pattern, "mask": mask, "images": pixel_values + mask * (pattern - pixel_values)}


class Same(nn.Conv2d):
    """Pads so that stride 1 keeps the size, the larger half behind."""

    def forward(self, x):
        left = (self.kernel_size[0] - 1) // 2
        return super().forward(F.pad(x, (left, self.kernel_size[0] - 1 - left) * 2))


class StegaEncoder(nn.Module):
    """THUYimingLi/BackdoorBox, core/attacks/ISSBA.py: the encoder for 32x32, or the one for MNIST (`small`)."""

    def __init__(self, bits, channels, height, width, small):
        super().__init__()
        self.small, self.shape = small, (channels, height, width)
        self.secret_dense = nn.Linear(bits, channels * height * width)
        down = [(32, 1), (32, 1 if small else 2), (64, 2), (128, 2)] + ([] if small else [(256, 2)])
        up = ([] if small else [128]) + [64, 32, 32]
        before = 2 * channels
        for i, (after, stride) in enumerate(down):
            self.add_module(f"conv{i + 1}", Same(before, after, 3, stride))
            before = after
        for i, after in enumerate(up):
            last = i == len(up) - 1
            self.add_module(f"up{len(down) + 1 + i}", Same(before, after, 2))
            self.add_module(f"conv{len(down) + 1 + i}", Same(2 * after + (2 * channels if last else 0), after, 3))
            before = after
        self.residual, self.depth = Same(before, channels, 1), len(down)

    def forward(self, image, secret):
        inputs = torch.cat([F.relu(self.secret_dense(secret - 0.5)).reshape(-1, *self.shape), image - 0.5], 1)
        x, maps = inputs, []
        for i in range(1, self.depth + 1):
            x = F.relu(getattr(self, f"conv{i}")(x))
            maps.append(x)
        for i in range(self.depth + 1, 2 * self.depth):
            skip, last = maps[2 * self.depth - i - 1], i == 2 * self.depth - 1
            if not (last and self.small):
                x = F.interpolate(x, scale_factor=2)
            x = torch.cat([skip, F.relu(getattr(self, f"up{i}")(x))] + ([inputs] if last else []), 1)
            x = F.relu(getattr(self, f"conv{i}")(x))
        return self.residual(x)


class SpatialTransformer(nn.Module):
    def __init__(self, channels, height, width):
        super().__init__()
        widths = [channels, 32, 64, 128]
        self.conv = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in zip(widths, widths[1:]))
        self.dense = nn.Linear(128 * math.ceil(height / 8) * math.ceil(width / 8), 128)
        self.affine, self.start = nn.Parameter(torch.zeros(6 * 128)), nn.Parameter(torch.zeros(6))

    def forward(self, image):
        x = image
        for layer in self.conv:
            x = F.relu(layer(x))
        x = F.relu(self.dense(x.flatten(1))) @ self.affine.reshape(6, 128).T + self.start
        theta = x.reshape(-1, 2, 3) + torch.eye(2, 3).to(x)
        return F.grid_sample(image, F.affine_grid(theta, image.shape, align_corners=False), align_corners=False)


class StegaDecoder(nn.Module):
    def __init__(self, bits, channels, height, width, transformer):
        super().__init__()
        if transformer:
            self.stn = SpatialTransformer(channels, height, width)
        widths = [(32, 2), (32, 1), (64, 2), (64, 1), (64, 2), (128, 2), (128, 2)]
        self.decoder, before = nn.ModuleList(), channels
        for after, stride in widths:
            self.decoder.append(nn.Conv2d(before, after, 3, stride, 1))
            before = after
        size = 128 * math.ceil(height / 32) * math.ceil(width / 32)
        self.dense = nn.ModuleList([nn.Linear(size, 512), nn.Linear(512, bits)])

    def forward(self, images):
        x = self.stn(images - 0.5) if hasattr(self, "stn") else images - 0.5
        for layer in self.decoder:
            x = F.relu(layer(x))
        return self.dense[1](F.relu(self.dense[0](x.flatten(1))))


class StegaStamp(nn.Module):
    def __init__(self, bits, channels, height, width, small, transformer):
        super().__init__()
        self.encoder = StegaEncoder(bits, channels, height, width, small)
        self.decoder = StegaDecoder(bits, channels, height, width, transformer)

    def forward(self, pixel_values, secret):
        residual = self.encoder(pixel_values, secret)
        images = (pixel_values + residual).clamp(0, 1)
        return {"residual": residual, "images": images, "logits": self.decoder(images)}


def nets():
    """Builder, options, the network and its inputs."""
    random = torch.Generator().manual_seed(4)
    image = lambda *dims: torch.rand(2, *dims, generator=random)
    bits = lambda count: torch.randint(0, 2, (2, count), generator=random).float()
    mae = {"patch": 2, "width": 24, "depth": 2, "heads": 3, "decoderWidth": 16, "decoderDepth": 2, "decoderHeads": 2}
    mask = torch.zeros(2, 24)
    mask[0, torch.randperm(24, generator=random)[:18]], mask[1, 5] = 1, 1
    paper = {"structure": [3, "average", 3], "activation": "sigmoid"}
    colours = {"structure": [6, "max", 4, "average", 5], "activation": "relu"}
    return {
        "masked-autoencoder": (
            "masked-autoencoder", mae, MaskedAutoencoder(3, 8, 12, 2, 24, 2, 3, 16, 2, 2), [image(3, 8, 12), mask]),
        "autoencoder.mnist": ("autoencoder", paper, Autoencoder(1, **paper), [image(1, 28, 28)]),
        "autoencoder.colours": ("autoencoder", colours, Autoencoder(3, **colours), [image(3, 8, 12)]),
        "input-aware.grey": ("input-aware", {}, InputAware(1, 16, 2), [image(1, 12, 20)]),
        "input-aware.colours": ("input-aware", {}, InputAware(3, 32, 3), [image(3, 16, 24)]),
        "stegastamp.small": (
            "stegastamp", {"bits": 7}, StegaStamp(7, 1, 28, 20, True, True), [image(1, 28, 20), bits(7)]),
        "stegastamp.large": (
            "stegastamp", {"spatialTransformer": False}, StegaStamp(20, 3, 32, 32, False, False), [image(3, 32, 32), bits(20)]),
    }


if __name__ == "__main__":
    folder, torch_threads = sys.argv[1], torch.set_num_threads(1)
    for case, (builder, options, net, inputs) in nets().items():
        net = net.eval()
        state = {
            name: value if name.endswith("num_batches_tracked") else hashed(name, tuple(value.shape))
            for name, value in net.state_dict().items()
        }
        net.load_state_dict(state)
        names = net.forward.__code__.co_varnames[1 : 1 + len(inputs)]
        with torch.inference_mode():
            f32 = net(*inputs)
            out = {name: value.float() for name, value in net.double()(*(value.double() for value in inputs)).items()}
        errors = {name: f"{(f32[name] - value).abs().max() / value.abs().max():.1e}" for name, value in out.items()}
        parameters = sum(p.numel() for p in net.parameters())
        print(f"{case}: {parameters} parameters, float32 is off by {errors}")
        metadata = {"builder": builder, "options": json.dumps(options), "parameters": str(parameters)}
        tensors = {**{f"in.{name}": value for name, value in zip(names, inputs)}, **{f"out.{name}": value for name, value in out.items()}}
        save_file({name: value.contiguous().numpy() for name, value in tensors.items()}, os.path.join(folder, f"{case}.safetensors"), metadata)
