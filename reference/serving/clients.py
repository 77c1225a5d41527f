"""Ways to ask a model server, each with a client that nobody here wrote: every one takes an address and images, and gives scores.

Clients are used as their users use them: asked for health and metadata first where they can, names of tensors taken from there.
`clients.py CLIENT WAY ADDRESS IMAGES.npy SCORES.npy` asks once: two clients in one process would both register the protocol's
messages, which protobuf refuses.
"""

import asyncio
import http.client
import json
import sys

import numpy as np

MODEL = "fashion"


def triton_over_http(address, images, binary):
    import tritonclient.http as triton_http

    client = triton_http.InferenceServerClient(address)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(MODEL)
    metadata = client.get_model_metadata(MODEL)
    given = triton_http.InferInput(metadata["inputs"][0]["name"], list(images.shape), "FP32")
    given.set_data_from_numpy(images, binary_data=binary)
    name = metadata["outputs"][0]["name"]
    asked = triton_http.InferRequestedOutput(name, binary_data=binary)
    return client.infer(MODEL, [given], outputs=[asked]).as_numpy(name)


def triton_over_grpc(address, images):
    import tritonclient.grpc as triton_grpc

    client = triton_grpc.InferenceServerClient(address)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(MODEL)
    metadata = client.get_model_metadata(MODEL)
    given = triton_grpc.InferInput(metadata.inputs[0].name, list(images.shape), "FP32")
    given.set_data_from_numpy(images)
    return client.infer(MODEL, [given]).as_numpy(metadata.outputs[0].name)


def kserve_request(images, binary):
    from kserve import InferInput, InferRequest

    given = InferInput("pixel_values", list(images.shape), "FP32")
    given.set_data_from_numpy(images, binary_data=binary)
    return InferRequest(MODEL, [given], request_id="7")


def kserve_over_rest(address, images, binary):
    from kserve import InferenceRESTClient, RESTConfig

    async def ask():
        client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=120))
        base = f"http://{address}"
        # Not the server's health: this client reads its body, which the protocol leaves empty in some servers.
        assert await client.is_model_ready(base, MODEL)
        answer = await client.infer(base, kserve_request(images, binary), model_name=MODEL)
        return answer.outputs[0].as_numpy()

    return asyncio.run(ask())


def kserve_over_v1(address, images):
    from kserve import InferenceRESTClient, RESTConfig

    async def ask():
        client = InferenceRESTClient(RESTConfig(protocol="v1", timeout=120))
        answer = await client.infer(f"http://{address}", {"instances": images.tolist()}, model_name=MODEL)
        return np.array(answer["predictions"])

    return asyncio.run(ask())


def kserve_over_grpc(address, images):
    from kserve import InferenceGRPCClient

    async def ask():
        client = InferenceGRPCClient(address, timeout=120)
        try:
            assert await client.is_server_live() and await client.is_server_ready()
            assert await client.is_model_ready(MODEL)
            answer = await client.infer(kserve_request(images, True))
            return answer.outputs[0].as_numpy()
        finally:
            await client.close()

    return asyncio.run(ask())


def plain_bytes(address, images):
    """The body of an answer as it came, to a request that has an id: nothing in it may differ from call to call."""
    given = {"name": "pixel_values", "shape": images.shape, "datatype": "FP32", "data": images.flatten().tolist()}
    connection = http.client.HTTPConnection(address, timeout=600)
    body = json.dumps({"id": "7", "inputs": [given]})
    connection.request("POST", f"/v2/models/{MODEL}/infer", body, {"content-type": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    return body


TRITON = {
    "HTTP, JSON": ("http", lambda address, images: triton_over_http(address, images, False)),
    "HTTP, raw tensors": ("http", lambda address, images: triton_over_http(address, images, True)),
    "gRPC": ("grpc", triton_over_grpc),
}
KSERVE = {
    "HTTP, JSON": ("http", lambda address, images: kserve_over_rest(address, images, False)),
    "HTTP, raw tensors": ("http", lambda address, images: kserve_over_rest(address, images, True)),
    "HTTP, V1": ("http", kserve_over_v1),
    "gRPC": ("grpc", kserve_over_grpc),
}
"""Ways of each client: which address they take, and how they ask."""
CLIENTS = {"tritonclient": TRITON, "kserve": KSERVE}


if __name__ == "__main__":
    client, way, address, given, told = sys.argv[1:]
    _, ask = CLIENTS[client][way]
    np.save(told, np.asarray(ask(address, np.load(given)), np.float32))
