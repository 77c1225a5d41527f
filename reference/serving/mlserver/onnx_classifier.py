"""A runtime for MLServer: one ONNX file, run by ONNX Runtime on one thread, answered as the file answers."""

import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from mlserver.utils import get_model_uri


class OnnxClassifier(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = await get_model_uri(self.settings)
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        images = NumpyCodec.decode_input(payload.inputs[0])
        [scores] = self.session.run(None, {self.session.get_inputs()[0].name: images})
        output = NumpyCodec.encode_output(self.session.get_outputs()[0].name, scores)
        return InferenceResponse(model_name=self.name, id=payload.id, outputs=[output])
