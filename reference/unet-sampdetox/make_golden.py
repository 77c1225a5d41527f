"""Records test/golden/unet-sampdetox: a small U-Net of the layout that src/diffusion/unet/sampdetox.ts reads.

  python reference/unet-sampdetox/make_golden.py test/golden/unet-sampdetox

A re-implementation from the layout's tensor names; needs torch 2.13 and numpy. Weights are random, rounded to float16 (and
stored so), none is left at 0 or 1; `out` is computed in float64 and stored as float32.
"""
import json, math, os, struct, sys
import numpy as np, torch
from torch import nn
import torch.nn.functional as F

STEPS, BASE, MULTIPLIERS, ATTENTION, RESNETS, SIZE = 50, 32, [1, 2], [1], 1, 8


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.group_norm = nn.GroupNorm(32, channels)
        for name in ("proj_q", "proj_k", "proj_v", "proj"):
            setattr(self, name, nn.Conv2d(channels, channels, 1))

    def forward(self, x):
        n, c, h, w = x.shape
        even = self.group_norm(x)
        q, k, v = (layer(even).reshape(n, c, h * w) for layer in (self.proj_q, self.proj_k, self.proj_v))
        shares = torch.softmax(torch.einsum("ncq,nck->nqk", q, k) / math.sqrt(c), dim=-1)
        return x + self.proj(torch.einsum("nqk,nck->ncq", shares, v).reshape(n, c, h, w))


class Block(nn.Module):
    def __init__(self, inner, outer, time, attention):
        super().__init__()
        self.block1 = nn.Sequential(nn.GroupNorm(32, inner), nn.SiLU(), nn.Conv2d(inner, outer, 3, padding=1))
        self.temb_proj = nn.Sequential(nn.SiLU(), nn.Linear(time, outer))
        self.block2 = nn.Sequential(nn.GroupNorm(32, outer), nn.SiLU(), nn.Identity(), nn.Conv2d(outer, outer, 3, padding=1))
        self.shortcut = nn.Conv2d(inner, outer, 1) if inner != outer else nn.Identity()
        self.attn = Attention(outer) if attention else nn.Identity()

    def forward(self, x, time):
        h = self.block2(self.block1(x) + self.temb_proj(time)[:, :, None, None])
        return self.attn(h + self.shortcut(x))


class Resize(nn.Module):
    def __init__(self, channels, up):
        super().__init__()
        self.up, self.main = up, nn.Conv2d(channels, channels, 3, stride=1 if up else 2, padding=1)

    def forward(self, x, time):
        return self.main(F.interpolate(x, scale_factor=2, mode="nearest") if self.up else x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        time, width, last = 4 * BASE, BASE, len(MULTIPLIERS) - 1
        angles = torch.arange(STEPS).double()[:, None] * torch.exp(-math.log(10000) * torch.arange(0, BASE, 2).double() / BASE)
        waves = torch.stack([angles.sin(), angles.cos()], dim=-1).reshape(STEPS, BASE)
        self.time_embedding = nn.ModuleDict({"timembedding": nn.Sequential(
            nn.Embedding.from_pretrained(waves.float()), nn.Linear(BASE, time), nn.SiLU(), nn.Linear(time, time))})
        self.head = nn.Conv2d(3, BASE, 3, padding=1)
        self.downblocks, self.upblocks, widths = nn.ModuleList(), nn.ModuleList(), [BASE]
        for level, multiplier in enumerate(MULTIPLIERS):
            for _ in range(RESNETS):
                self.downblocks.append(Block(width, BASE * multiplier, time, level in ATTENTION))
                width = BASE * multiplier
                widths.append(width)
            if level < last:
                self.downblocks.append(Resize(width, up=False))
                widths.append(width)
        self.middleblocks = nn.ModuleList([Block(width, width, time, True), Block(width, width, time, False)])
        for level in range(last, -1, -1):
            for _ in range(RESNETS + 1):
                self.upblocks.append(Block(width + widths.pop(), BASE * MULTIPLIERS[level], time, level in ATTENTION))
                width = BASE * MULTIPLIERS[level]
            if level > 0:
                self.upblocks.append(Resize(width, up=True))
        self.tail = nn.Sequential(nn.GroupNorm(32, width), nn.SiLU(), nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, x, t):
        time, h = self.time_embedding["timembedding"](t), self.head(x)
        skips = [h]
        for block in self.downblocks:
            h = block(h, time)
            skips.append(h)
        for block in self.middleblocks:
            h = block(h, time)
        for block in self.upblocks:
            h = block(torch.cat([h, skips.pop()], 1) if isinstance(block, Block) else h, time)
        return self.tail(h)


def write_safetensors(path, tensors):
    header, blobs, offset = {}, [], 0
    for name, value in tensors.items():
        raw = np.ascontiguousarray(value).tobytes()
        dtype = {"float32": "F32", "int64": "I64"}[str(value.dtype)]
        header[name] = {"dtype": dtype, "shape": list(value.shape), "data_offsets": [offset, offset + len(raw)]}
        blobs.append(raw)
        offset += len(raw)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


if __name__ == "__main__":
    folder = sys.argv[1]
    generator = torch.Generator().manual_seed(20)
    net = Net().eval()
    state = net.state_dict()
    for name, value in state.items():
        if name.endswith("timembedding.0.weight"):
            state[name] = value.half()
        elif value.dim() == 1:
            base = 1.0 if ("block" in name or "norm" in name or "tail.0" in name) and name.endswith("weight") else 0.0
            state[name] = (base + 0.2 * torch.randn(value.shape, generator=generator)).half()
        else:
            state[name] = (torch.randn(value.shape, generator=generator) / math.sqrt(value[0].numel())).half()
    net.double().load_state_dict(state)
    x = torch.randn(3, 3, SIZE, SIZE, generator=generator)
    t = torch.tensor([0, 17, 49])
    with torch.inference_mode():
        out = net(x.double(), t).float()
        out_f32 = net.float()(x, t)
    torch.save(state, os.path.join(folder, "model.pt"))
    write_safetensors(os.path.join(folder, "io.safetensors"),
                      {"x": x.numpy(), "timesteps": t.numpy(), "out": out.numpy(), "out_f32": out_f32.numpy()})
    error = ((out_f32 - out).abs().amax((1, 2, 3)) / out.abs().amax((1, 2, 3))).max()
    print(f"{sum(v.numel() for v in state.values())} parameters, float32 is {error:.1e} off")
