"""SampDetox in the structure of its authors' published sampler (easywood0204/SampDetox: SampDetox.py, diffusion/Diffusion/Diffusion.py),
for speed comparisons only: one image at a time; coefficients gathered by a tensor t in every step; per-pixel, per-channel
noising and copying by Python loops with chained tensor indices, levels and t as tensors; a NaN check in every step.
Same network and steps as `sampdetox` in purify_torch.py."""
import torch
from ssim import ssim_map

def sampdetox_authors(p, x, g, t1=120, t2=120, range_=255.):
    return torch.cat([one(p, image[None], g, int(t1), int(t2), range_) for image in x])

def one(p, x, g, t1, t2, data_range):
    noise = torch.randn(x.shape, generator=g)
    first = chain(p, p.noised(2 * x - 1, t1, noise), t1, g, None) / 2 + .5
    d = ssim_map(x, first, data_range).mean(1)[0]
    d = (d - d.min()) / (d.max() - d.min() + 1e-8)
    _, channels, height, width = x.shape
    level = ((1 - d) * t2).to(torch.int64)
    base, state = 2 * first - 1, torch.zeros_like(x)
    for i in range(height):
        for j in range(width):
            abar = torch.gather(p.abar, 0, level[i][j].unsqueeze(0)).float().squeeze()
            a, b = torch.sqrt(abar), torch.sqrt(1 - abar)
            for k in range(channels):
                state[0][k][i][j] = base[0][k][i][j] * a + noise[0][k][i][j] * b
    return chain(p, state, t2, g, level) / 2 + .5

def chain(p, state, steps, g, level):
    prev = torch.cat([torch.ones(1, dtype=torch.float64), p.abar[:-1]])
    c1, c2 = torch.sqrt(1 / p.alpha), (1 - p.alpha) / torch.sqrt(1 - p.abar) / torch.sqrt(p.alpha)
    posterior = p.beta * (1 - prev) / (1 - p.abar)
    _, channels, height, width = state.shape
    for step in reversed(range(steps)):
        t = state.new_ones([1], dtype=torch.long) * step
        pick = lambda v: torch.gather(v, 0, t).float().view(1, 1, 1, 1)
        variance = pick(torch.cat([posterior[1:2], p.beta[1:]]))
        mean = pick(c1) * state - pick(c2) * p.eps(state, step)
        after = mean + torch.sqrt(variance) * (torch.randn(state.shape, generator=g) if step > 0 else 0)
        if level is None: state = after
        else:
            for i in range(height):
                for j in range(width):
                    if level[i][j] > t:
                        for k in range(channels): state[0][k][i][j] = after[0][k][i][j]
        assert torch.isnan(state).int().sum() == 0
    return state.clamp(-1, 1)
