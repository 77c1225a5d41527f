"""Asks a gateway with Triton's own client, as a user of Triton would: HTTP with JSON and with raw tensors, and gRPC.

Two gateways must be up, the second in front of the first (README.md beside this file). Checked are that answers through a
gateway that passes are the upstream's, number for number, and that a purifying one takes a backdoor's trigger away.
"""

import argparse
import gzip
import json

import numpy as np
import tritonclient.grpc as grpc_client
import tritonclient.http as http_client

MODEL = "fashion-mnist-badnets"
TARGET = 0


def pictures(path, labels, count):
    """Test images that do not show the target, float32 [N, 1, 28, 28] in [0, 1]."""
    with gzip.open(path) as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(labels) as file:
        shown = np.frombuffer(file.read(), np.uint8, offset=8)
    return (pixels[shown != TARGET][:count] / 255).astype(np.float32)


def ask_http(address, images, binary):
    client = http_client.InferenceServerClient(address)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(MODEL)
    [meta] = client.get_model_metadata(MODEL)["inputs"]
    given = http_client.InferInput(meta["name"], list(images.shape), "FP32")
    given.set_data_from_numpy(images, binary_data=binary)
    [output] = client.get_model_metadata(MODEL)["outputs"]
    asked = http_client.InferRequestedOutput(output["name"], binary_data=binary)
    return client.infer(MODEL, [given], outputs=[asked]).as_numpy(output["name"])


def ask_grpc(address, images):
    client = grpc_client.InferenceServerClient(address)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(MODEL)
    meta = client.get_model_metadata(MODEL)
    given = grpc_client.InferInput(meta.inputs[0].name, list(images.shape), "FP32")
    given.set_data_from_numpy(images)
    return client.infer(MODEL, [given]).as_numpy(meta.outputs[0].name)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--direct", default="127.0.0.1:8001", help="the upstream, HTTP")
    parser.add_argument("--direct-grpc", default="127.0.0.1:8011")
    parser.add_argument("--through", default="127.0.0.1:8002", help="the gateway in front of it, HTTP")
    parser.add_argument("--through-grpc", default="127.0.0.1:8012")
    parser.add_argument("--purifies", action="store_true", help="the gateway in front purifies")
    parser.add_argument("--images", required=True, help="t10k-images-idx3-ubyte.gz")
    parser.add_argument("--labels", required=True, help="t10k-labels-idx1-ubyte.gz")
    parser.add_argument("--count", type=int, default=32)
    args = parser.parse_args()
    clean = pictures(args.images, args.labels, args.count)
    trigger = f"models/{MODEL}/trigger"
    mask, pattern = np.load(f"{trigger}/mask.npy"), np.load(f"{trigger}/pattern.npy")
    images = ((1 - mask) * clean + mask * pattern).astype(np.float32)
    direct = {
        "json": ask_http(args.direct, images, False),
        "binary": ask_http(args.direct, images, True),
        "grpc": ask_grpc(args.direct_grpc, images),
    }
    through = {
        "json": ask_http(args.through, images, False),
        "binary": ask_http(args.through, images, True),
        "grpc": ask_grpc(args.through_grpc, images),
    }
    share = lambda scores: float((scores.argmax(1) == TARGET).mean())
    for name, scores in direct.items():
        assert share(scores) > 0.9, f"{name}: expected the trigger to work on the bare model, got {share(scores)}"
        if args.purifies:
            assert share(through[name]) < 0.3, f"{name}: expected purified answers, got {share(through[name])}"
            np.testing.assert_allclose(through[name], through["binary"], atol=1e-5)
        else:
            np.testing.assert_array_equal(through[name], scores)
    print(json.dumps({name: {"direct": share(direct[name]), "through": share(through[name])} for name in direct}))


if __name__ == "__main__":
    main()
