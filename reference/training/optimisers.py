"""Records test/golden/training/optimisers.safetensors: what PyTorch's optimisers and schedules do with given gradients.

  python reference/training/optimisers.py test/golden/training

Everything is computed in float64 from float32 values. Needs torch 2.13, safetensors.
"""
import json, os, sys
import torch
from safetensors.torch import save_file
from torch.optim import SGD, Adam, AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, MultiStepLR, OneCycleLR, SequentialLR

STEPS, SIZE, RATE = 20, 37, 0.1

# Ours: the optimiser's name and settings; PyTorch's: its class and settings.
OPTIMISERS = {
    "sgd": (SGD, {}),
    "sgd.decay": (SGD, {"weight_decay": 0.03}),
    "sgd.momentum": (SGD, {"momentum": 0.9, "weight_decay": 0.03}),
    "sgd.nesterov": (SGD, {"momentum": 0.8, "nesterov": True, "weight_decay": 5e-4}),
    "adam": (Adam, {}),
    "adam.decay": (Adam, {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.03}),
    "adamw": (AdamW, {}),
    "adamw.decay": (AdamW, {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
}


def warm_cosine(optimiser, total, warmup):
    rise = LinearLR(optimiser, 1 / warmup, 1, warmup - 1)
    return SequentialLR(optimiser, [rise, CosineAnnealingLR(optimiser, total - warmup)], [warmup])


SCHEDULES = {
    "one-cycle": lambda o, n: OneCycleLR(o, 1, n, cycle_momentum=False),
    "one-cycle.rise": lambda o, n: OneCycleLR(o, 1, n, pct_start=0.15, cycle_momentum=False),
    "cosine": lambda o, n: CosineAnnealingLR(o, n),
    "cosine.warmup": lambda o, n: warm_cosine(o, n, 7),
    "step": lambda o, n: MultiStepLR(o, [round(0.5 * n), round(0.75 * n)]),
    "step.factor": lambda o, n: MultiStepLR(o, [round(0.29 * n), round(0.55 * n)], 0.3),
}


def rates_of(schedule, total):
    optimiser = SGD([torch.zeros(1)], lr=1)
    scheduler, rates = schedule(optimiser, total), []
    for _ in range(total):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return torch.tensor(rates, dtype=torch.float64)


if __name__ == "__main__":
    generator = torch.Generator().manual_seed(4)
    weights = torch.randn(SIZE, generator=generator)
    # Some gradients are faint, so that what is added to a root shows; one is never touched.
    gradients = torch.randn(STEPS, SIZE, generator=generator) * torch.logspace(-6, 1, SIZE)
    gradients[:, 5] = 0
    tensors = {"weights": weights, "gradients": gradients, "rates": RATE * rates_of(SCHEDULES["one-cycle"], STEPS)}
    for case, (make, settings) in OPTIMISERS.items():
        w = torch.nn.Parameter(weights.double())
        optimiser, path = make([w], lr=RATE, **settings), []
        for gradient, rate in zip(gradients, tensors["rates"]):
            optimiser.param_groups[0]["lr"] = rate.item()
            w.grad = gradient.double()
            optimiser.step()
            path.append(w.detach().clone())
        tensors[f"path.{case}"] = torch.stack(path)
    for case, schedule in SCHEDULES.items():
        for total in (20, 100, 391):
            tensors[f"rate.{case}.{total}"] = rates_of(schedule, total)
    metadata = {"optimisers": json.dumps({case: {"class": make.__name__, **settings} for case, (make, settings) in OPTIMISERS.items()})}
    save_file(tensors, os.path.join(sys.argv[1], "optimisers.safetensors"), metadata)
