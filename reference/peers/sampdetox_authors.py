"""SampDetox in the structure of its authors' published script, for speed comparisons only: one image at a time, per-pixel
noising and per-pixel copying as Python loops over rows and columns. Same network, same steps as `sampdetox` in purify_torch.py."""
import torch
from ssim import ssim_map

def sampdetox_authors(p, x, g, t1=120, t2=120, range_=255.):
    return torch.cat([one(p, image[None], g, int(t1), int(t2), range_) for image in x])

def one(p, x, g, t1, t2, data_range):
    noise = torch.randn(x.shape, generator=g)
    first = p.reverse(p.noised(2 * x - 1, t1, noise), t1, g) / 2 + .5
    d = ssim_map(x, first, data_range).mean(1)[0]
    d = (d - d.min()) / (d.max() - d.min() + 1e-8)
    height, width = d.shape
    level = [[min(int((1 - float(d[i, j])) * t2), t2 - 1) for j in range(width)] for i in range(height)]
    base, state = 2 * first - 1, torch.zeros_like(x)
    for i in range(height):
        for j in range(width):
            abar = float(p.abar[level[i][j]])
            state[:, :, i, j] = abar ** .5 * base[:, :, i, j] + (1 - abar) ** .5 * noise[:, :, i, j]
    for t in reversed(range(t2)):
        stepped = p.ancestral(state, t, p.eps(state, t), g)
        for i in range(height):
            for j in range(width):
                if level[i][j] > t: state[:, :, i, j] = stepped[:, :, i, j]
    return state.clamp(-1, 1) / 2 + .5
