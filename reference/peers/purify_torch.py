"""The peer that a Python user would write: vectorised PyTorch purifiers over a diffusers-layout prior (1- or 3-channel).

  python purify_torch.py --prior DIR --images X.npy --method sampdetox --set t1=120 t2=120 --threads 2 [--dtype bf16] [--batch 64] [-o OUT.npy]

X.npy: float32 [N,C,H,W] in [0,1]. Prints one JSON line: method, options, n, seconds (best of --repeat), images per second, network calls.
With --serve it loads everything, runs once to warm up, then answers every line on standard input with one timed run: for interleaved benchmarks.
Needs only torch and numpy. It is the algorithms' usual vectorised form, not the papers to the letter; noise comes from torch's generator, so outputs differ draw by draw.
The recommended preset: --method diffpure --set t=200 ddim=4 grid=trail votes=3 (the votes are stacked on the first axis of OUT.npy).
"""
import argparse, json, struct, sys, time
import numpy as np, torch, torch.nn.functional as F
from sampdetox_authors import sampdetox_authors
from ssim import ssim_map
from unet2d import UNet2D

DTYPES = {'F32': np.float32, 'F16': np.float16, 'I64': np.int64}
def load_safetensors(path):
    raw = open(path, 'rb').read(); n = struct.unpack('<Q', raw[:8])[0]; head = json.loads(raw[8:8 + n])
    return {k: torch.from_numpy(np.frombuffer(raw[8 + n + v['data_offsets'][0]: 8 + n + v['data_offsets'][1]], DTYPES[v['dtype']]).reshape(v['shape']).astype(np.float32))
            for k, v in head.items() if k != '__metadata__'}

class Prior:
    def __init__(s, folder, dtype='f32'):
        s.net = UNet2D(json.load(open(f'{folder}/unet/config.json')))
        s.net.load_state_dict(load_safetensors(f'{folder}/unet/diffusion_pytorch_model.safetensors')); s.net.eval()
        c = json.load(open(f'{folder}/scheduler/scheduler_config.json')); s.T = c.get('num_train_timesteps', 1000)
        s.beta = torch.linspace(c.get('beta_start', 1e-4), c.get('beta_end', .02), s.T, dtype=torch.float64)
        s.alpha = 1 - s.beta; s.abar = torch.cumprod(s.alpha, 0); s.bf16 = dtype == 'bf16'; s.calls = 0; s.batch = 64
    def eps(s, x, t):
        s.calls += len(x); out = []
        for b in x.split(s.batch):
            with torch.autocast('cpu', torch.bfloat16, enabled=s.bf16): out.append(s.net(b, torch.full((len(b),), int(t))).float())
        return torch.cat(out)
    def noised(s, x, t, n): return float(s.abar[t]) ** .5 * x + float(1 - s.abar[t]) ** .5 * n
    def ancestral(s, x, t, e, g):
        a, ab, b = float(s.alpha[t]), float(s.abar[t]), float(s.beta[t]); prev = float(s.abar[t - 1]) if t else 1.
        mean = (x - (1 - a) / (1 - ab) ** .5 * e) / a ** .5
        return mean + (b * (1 - prev) / (1 - ab)) ** .5 * torch.randn(x.shape, generator=g) if t else mean
    def reverse(s, x, T, g, start=None):
        for t in reversed(range(T)):
            y = s.ancestral(x, t, s.eps(x, t), g)
            x = y if start is None else torch.where(start > t, y, x)
        return x.clamp(-1, 1)
    def ddim(s, x, T, steps, grid='lin'):
        ts = np.linspace(T - 1, 0, steps) if grid == 'lin' else np.linspace(T - 1, 0, steps + 1)[:-1]   # trail: no call at index 0
        ts = list(dict.fromkeys(ts.round().astype(int).tolist()))
        for i, t in enumerate(ts):
            e, ab = s.eps(x, t), float(s.abar[t]); x0 = ((x - (1 - ab) ** .5 * e) / ab ** .5).clamp(-1, 1)
            e = (x - ab ** .5 * x0) / (1 - ab) ** .5; prev = float(s.abar[ts[i + 1]]) if i + 1 < len(ts) else 1.
            x = prev ** .5 * x0 + (1 - prev) ** .5 * e
        return x.clamp(-1, 1)

def diffpure(p, x, g, t=200, ddim=0, grid='lin', votes=1):
    x = x.repeat(int(votes), 1, 1, 1); z = p.noised(2 * x - 1, t - 1 if grid == 'trail' else t, torch.randn(x.shape, generator=g))
    return (p.ddim(z, t, int(ddim), grid) if ddim else p.reverse(z, t, g)) / 2 + .5
def sampdetox(p, x, g, t1=120, t2=120, range=255.):
    n = torch.randn(x.shape, generator=g); r = p.reverse(p.noised(2 * x - 1, t1, n), t1, g) / 2 + .5
    d = ssim_map(x, r, range).mean(1, keepdim=True); lo, hi = d.amin((2, 3), keepdim=True), d.amax((2, 3), keepdim=True)
    start = ((1 - (d - lo) / (hi - lo + 1e-8)) * t2).long().clamp(0, t2 - 1); ab = p.abar[start].float()
    return p.reverse(ab.sqrt() * (2 * r - 1) + (1 - ab).sqrt() * n, t2, g, start) / 2 + .5
def zip_(p, x, g, scale=2, lam=.3, steps=20):
    A = lambda v: F.avg_pool2d(v, int(scale)); up = lambda v: F.interpolate(v, scale_factor=int(scale), mode='nearest'); P = lambda v: up(A(v))
    xa = P(2 * x - 1); ts = np.linspace(p.T - 1, 0, int(steps)).round().astype(int).tolist(); xt = torch.randn(x.shape, generator=g)
    for i, t in enumerate(ts):
        e, ab, xh = p.eps(xt, t), float(p.abar[t]), xt
        if t > lam * p.T: xh = ab ** .5 * xa + xt - P(xt) + P((1 - ab) ** .5 * e)
        x0 = ((xh - (1 - ab) ** .5 * e) / ab ** .5).clamp(-1, 1); prev = float(p.abar[ts[i + 1]]) if i + 1 < len(ts) else 1.
        s = .85 * ((1 - prev) / (1 - ab) * (1 - ab / prev)) ** .5 if i + 1 < len(ts) else 0.
        xt = prev ** .5 * x0 + max(1 - prev - s * s, 0) ** .5 * e + s * torch.randn(x.shape, generator=g)
    return xt.clamp(-1, 1) / 2 + .5
METHODS = dict(diffpure=diffpure, sampdetox=sampdetox, zip=zip_, sampdetox_authors=sampdetox_authors)

if __name__ == '__main__':
    a = argparse.ArgumentParser(); a.add_argument('--prior', required=True); a.add_argument('--images', required=True); a.add_argument('--method', choices=METHODS, required=True)
    a.add_argument('--set', nargs='*', default=[]); a.add_argument('--threads', type=int, default=2); a.add_argument('--dtype', default='f32'); a.add_argument('--batch', type=int, default=64)
    a.add_argument('--repeat', type=int, default=1); a.add_argument('--seed', type=int, default=0); a.add_argument('-o'); a.add_argument('--serve', action='store_true'); a = a.parse_args()
    torch.set_num_threads(a.threads); p = Prior(a.prior, a.dtype); p.batch = a.batch; x = torch.from_numpy(np.load(a.images).astype(np.float32))
    num = lambda v: float(v) if '.' in v else int(v) if v.lstrip('-').isdigit() else v
    opts = {k: num(v) for k, v in (s.split('=') for s in a.set)}; best = 1e9
    def once():
        p.calls = 0; t0 = time.perf_counter(); y = METHODS[a.method](p, x, torch.Generator().manual_seed(a.seed), **opts)
        return y, time.perf_counter() - t0
    def report(seconds):
        print(json.dumps(dict(peer='torch ' + torch.__version__, method=a.method, options=opts, dtype=a.dtype, threads=a.threads, n=len(x), seconds=round(seconds, 6), images_per_second=round(len(x) / seconds, 3), network_calls=p.calls)), flush=True)
    with torch.inference_mode():
        if a.serve:
            once(); print('ready', flush=True)
            for _ in sys.stdin: report(once()[1])
        else:
            best = 1e9
            for _ in range(a.repeat):
                y, seconds = once(); best = min(best, seconds)
            if a.o: np.save(a.o, y.numpy())
            report(best)
