"""Loads priors that write-priors.ts has written with the library diffusers itself and compares.

    node_modules/.bin/tsx --conditions=untrigger-source reference/priors/write-priors.ts OUT
    python check_diffusers.py OUT

Prints, for every folder, the largest difference of the predicted noise relative to its largest value, the same with
diffusers in float64, and the largest difference of alphas_cumprod. Fails above 1e-5.
"""

import sys
from pathlib import Path

import diffusers
import torch
from safetensors.torch import load_file

TOLERANCE = 1e-5


def compare(folder: Path) -> float:
    io = load_file(folder / "io.safetensors")
    pipeline = diffusers.DDPMPipeline.from_pretrained(folder)
    double, info = diffusers.UNet2DModel.from_pretrained(
        folder / "unet", torch_dtype=torch.float64, output_loading_info=True
    )
    left_over = [info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")]
    if any(left_over):
        sys.exit(f"{folder.name}: expected weights of exactly this net, got {left_over}")

    def distance(net: torch.nn.Module) -> float:
        dtype = next(net.parameters()).dtype
        with torch.no_grad():
            theirs = net.eval()(io["sample"].to(dtype), io["timestep"].to(dtype)).sample.double()
        return ((io["out"].double() - theirs).abs().max() / theirs.abs().max()).item()

    errors = [distance(pipeline.unet), distance(double)]
    errors.append((io["alphas_bar"] - pipeline.scheduler.alphas_cumprod.double()).abs().max().item())
    weights = sum(value.numel() for value in double.parameters())
    print(f"| {folder.name} | {weights:,} |", " | ".join(f"{error:.1e}" for error in errors), "|")
    return max(errors)


if __name__ == "__main__":
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    print(f"diffusers {diffusers.__version__}, torch {torch.__version__}")
    worst = max(compare(folder) for folder in sorted(Path(sys.argv[1]).iterdir()))
    sys.exit(0 if worst <= TOLERANCE else f"expected differences of at most {TOLERANCE}, got {worst:.1e}")
