"""KServe's own model server with one ONNX file behind it, over V1, V2 and gRPC: `kserve_server.py MODEL.onnx HTTP GRPC`."""

import sys
import uuid

import numpy as np
import onnxruntime
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer


class OnnxClassifier(Model):
    def __init__(self, name, path):
        super().__init__(name)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.ready = True

    async def get_input_types(self):
        [given] = self.session.get_inputs()
        return [{"name": given.name, "datatype": "FP32", "shape": [-1, *given.shape[1:]]}]

    async def get_output_types(self):
        [told] = self.session.get_outputs()
        return [{"name": told.name, "datatype": "FP32", "shape": [-1, *told.shape[1:]]}]

    async def predict(self, payload, headers=None, response_headers=None):
        open_inference = isinstance(payload, InferRequest)
        images = payload.inputs[0].as_numpy() if open_inference else np.array(payload["instances"], np.float32)
        [scores] = self.session.run(None, {self.session.get_inputs()[0].name: images})
        if not open_inference:
            return {"predictions": scores.tolist()}
        name = self.session.get_outputs()[0].name
        output = InferOutput(name=name, shape=list(scores.shape), datatype="FP32")
        output.set_data_from_numpy(scores, binary_data=bool(payload.request_outputs) or payload.from_grpc)
        # An answer without an id is none to this version of KServe; the protocol lets clients leave theirs out.
        told = payload.id or str(uuid.uuid4())
        return InferResponse(told, self.name, [output], use_binary_outputs=payload.use_binary_outputs)


if __name__ == "__main__":
    path, http_port, grpc_port = sys.argv[1:]
    ModelServer(http_port=int(http_port), grpc_port=int(grpc_port), workers=1).start([OnnxClassifier("fashion", path)])
