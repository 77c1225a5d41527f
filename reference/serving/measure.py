"""Model servers that nobody here wrote, asked by clients that nobody here wrote, directly and through two gateways.

One gateway passes: its answers must be the server's, number for number and byte for byte. One purifies: a backdoor's trigger
must have lost its power. A row of JSON a client and way goes to standard output (`docs/results/serving-clients.jsonl`).
Run from the root of the repository; README.md two folders up says with which packages.
"""

import argparse
import contextlib
import gzip
import importlib.metadata
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import numpy as np

from clients import CLIENTS, plain_bytes

HERE = pathlib.Path(__file__).parent
MODEL = pathlib.Path("models/fashion-mnist-badnets")
TARGET = 0
UNTRIGGER = ["node", "--import", "tsx", "--conditions=untrigger-source", "src/cli/main.ts", "serve", "--threads", "1"]
"""What the model was trained on: the servers take prepared pixels, and the gateway is told how they were prepared."""
PREPARED = json.loads((MODEL / "preprocessor_config.json").read_text())
MEAN, STD = PREPARED["image_mean"][0], PREPARED["image_std"][0]


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@contextlib.contextmanager
def running(command, http, env=None):
    """Starts a server and waits until it is ready; ends it behind."""
    process = subprocess.Popen(command, stdout=sys.stderr, env={**os.environ, **(env or {})})
    try:
        for _ in range(600):
            assert process.poll() is None, f"{command[0]} ended with {process.returncode} before it was ready"
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                if urllib.request.urlopen(f"http://127.0.0.1:{http}/v2/health/ready").status == 200:
                    break
            time.sleep(0.5)
        else:
            raise TimeoutError(f"{command[0]} was not ready within 300 s")
        yield
    finally:
        process.terminate()
        process.wait(60)


def mlserver(python, http, grpc):
    env = {"MLSERVER_HTTP_PORT": str(http), "MLSERVER_GRPC_PORT": str(grpc)}
    return running([str(pathlib.Path(python).parent / "mlserver"), "start", str(HERE / "mlserver")], http, env)


def kserve(python, http, grpc):
    return running([python, str(HERE / "kserve_server.py"), str(MODEL / "model.onnx"), str(http), str(grpc)], http)


"""Servers, and the ways in which clients can ask them directly: MLServer takes no raw tensors over HTTP, KServe no JSON
without a content type, which tritonclient leaves out."""
SERVERS = {
    "mlserver": (mlserver, {"tritonclient": {"HTTP, JSON", "gRPC"}, "kserve": {"HTTP, JSON", "gRPC"}}),
    "kserve": (kserve, {"tritonclient": {"HTTP, raw tensors", "gRPC"}, "kserve": set(CLIENTS["kserve"])}),
}


def gateway(folder, upstream, policy):
    """A gateway in front of a server, on ports of its own."""
    http, grpc = free_port(), free_port()
    guard = {"prior": os.path.abspath("models/fashion-mnist-prior"), "layout": "NCHW", "mean": MEAN, "std": STD}
    config = {
        "listen": {"port": http, "grpcPort": grpc},
        "upstreams": {"server": f"http://127.0.0.1:{upstream['http']}"},
        "grpcUpstreams": {"server": f"127.0.0.1:{upstream['grpc']}"},
        "models": {"*": {"upstream": "server", "policy": policy, **({} if policy == "pass" else guard)}},
        "limits": {"deadlineMs": 600000},
    }
    file = pathlib.Path(folder) / f"{policy}.yaml"
    file.write_text(json.dumps(config))
    return {"http": http, "grpc": grpc}, running([*UNTRIGGER, "--log-level", "warn", "--config", str(file)], http)


def triggered(images, labels, count):
    """Test images that do not show the target, with the trigger: float32 [N, 1, 28, 28] as the model takes them."""
    with gzip.open(images) as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(labels) as file:
        shown = np.frombuffer(file.read(), np.uint8, offset=8)
    clean = pixels[shown != TARGET][:count] / 255
    mask, pattern = np.load(MODEL / "trigger/mask.npy"), np.load(MODEL / "trigger/pattern.npy")
    return ((((1 - mask) * clean + mask * pattern) - MEAN) / STD).astype(np.float32)


def ask(client, way, place, images, folder):
    """The scores that one client gets in one way."""
    kind, _ = CLIENTS[client][way]
    given, told = f"{folder}/images.npy", f"{folder}/scores.npy"
    np.save(given, images)
    address = f"127.0.0.1:{place[kind]}"
    subprocess.run([sys.executable, str(HERE / "clients.py"), client, way, address, given, told], check=True)
    return np.load(told)


def measure(server, python, images, folder):
    """Rows of one server, run by the interpreter of an environment that has it."""
    start, known = SERVERS[server]
    ports = {"http": free_port(), "grpc": free_port()}
    with contextlib.ExitStack() as stack:
        stack.enter_context(start(python, **ports))
        told = json.load(urllib.request.urlopen(f"http://127.0.0.1:{ports['http']}/v2"))
        places = {"direct": ports}
        for policy in ("pass", "purify"):
            places[policy], up = gateway(folder, ports, policy)
            stack.enter_context(up)
        # The gateway remembers what it purified: clients with a time limit of their own then need not wait for slow machines.
        bodies = {name: plain_bytes(f"127.0.0.1:{place['http']}", images) for name, place in places.items()}
        assert bodies["pass"] == bodies["direct"], f"{server}: expected the server's bytes through the gateway"
        for client, ways in CLIENTS.items():
            for way in ways:
                if way not in known[client]:
                    continue
                scores = {name: ask(client, way, at, images, folder) for name, at in places.items()}
                hit = {name: int((found.argmax(1) == TARGET).sum()) for name, found in scores.items()}
                same = bool(np.array_equal(scores["pass"], scores["direct"]))
                assert same, f"{server}, {client}, {way}: expected the server's numbers through the gateway"
                assert hit["direct"] > 0.9 * len(images), f"{server}: expected the trigger to work, got {hit}"
                assert hit["purify"] < 0.3 * len(images), f"{server}, {client}, {way}: expected purified answers, got {hit}"
                yield {
                    "schema": "untrigger/serving-clients@1",
                    "server": f"{told['name']} {told['version']}",
                    "client": f"{client} {importlib.metadata.version(client)}",
                    "way": way,
                    "images": len(images),
                    "target": hit,
                    "identical": same,
                }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", required=True, help="t10k-images-idx3-ubyte.gz")
    parser.add_argument("--labels", required=True, help="t10k-labels-idx1-ubyte.gz")
    parser.add_argument("--count", type=int, default=32)
    for server in SERVERS:
        parser.add_argument(f"--{server}", metavar="PYTHON", help=f"interpreter of an environment that has {server}")
    args = parser.parse_args()
    images = triggered(args.images, args.labels, args.count)
    with tempfile.TemporaryDirectory() as folder:
        for server in SERVERS:
            python = getattr(args, server)
            for row in measure(server, python, images, folder) if python else []:
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
