"""The SSIM map that SampDetox steers by: Gaussian window of 11 taps, sigma 1.5, population covariance."""
import torch, torch.nn.functional as F

def ssim_map(a, b, L):
    k = torch.arange(-5, 6).float(); k = torch.exp(-k * k / 4.5); k /= k.sum(); w = (k[:, None] * k[None])[None, None]
    f = lambda x: F.conv2d(F.pad(x, (5,) * 4, mode='reflect').reshape(-1, 1, x.shape[2] + 10, x.shape[3] + 10), w).reshape(x.shape)
    ma, mb = f(a), f(b); va, vb, cv = f(a * a) - ma * ma, f(b * b) - mb * mb, f(a * b) - ma * mb; c1, c2 = (.01 * L) ** 2, (.03 * L) ** 2
    return ((2 * ma * mb + c1) * (2 * cv + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
