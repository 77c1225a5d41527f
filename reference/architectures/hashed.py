"""Weights that no file has to hold: a hash of a tensor's name and index. test/support/hashed-weights.ts has the same."""
import math
import numpy as np, torch


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
