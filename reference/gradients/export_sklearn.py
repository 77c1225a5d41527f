"""Exports classifiers of scikit-learn over flat pixels: they are refused, or taken as black boxes without gradient.

Writes test/golden/sklearn/<model>.onnx, and <model>.safetensors where the model takes images. Needs scikit-learn,
skl2onnx, onnx, safetensors. Run: python reference/gradients/export_sklearn.py
"""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper
from safetensors.numpy import save_file
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

OUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "sklearn")
FOREST = dict(n_estimators=6, max_depth=5, random_state=1)

# With ZipMap, which is what the converter writes unless told otherwise, and without.
MODELS = {
    "forest": (RandomForestClassifier(**FOREST), True),
    "logistic": (make_pipeline(StandardScaler(), LogisticRegression(max_iter=200)), True),
    "svc": (make_pipeline(StandardScaler(), SVC(C=0.1, kernel="linear", random_state=1)), False),
    "mlp": (MLPClassifier((16,), max_iter=40, random_state=1), True),
    "mlp-tensors": (MLPClassifier((16,), max_iter=40, random_state=1), False),
    "forest-images": (RandomForestClassifier(**FOREST), False),
    "forest-images-zipmap": (RandomForestClassifier(**FOREST), True),
}


def taking_images(model):
    """The model behind a Reshape from [N, 1, 8, 8]."""
    graph = model.graph
    name = graph.input[0].name
    graph.input[0].CopyFrom(helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 8, 8]))
    graph.initializer.append(helper.make_tensor("flat", TensorProto.INT64, [2], [-1, 64]))
    graph.node.insert(0, helper.make_node("Reshape", ["image", "flat"], [name], name="Flatten"))
    return model


if __name__ == "__main__":
    os.makedirs(OUT, exist_ok=True)
    pixels, labels = load_digits(return_X_y=True)
    pixels = (pixels / 16).astype("float32")
    train, test = slice(0, 600), slice(600, 608)
    for name, (estimator, zipped) in MODELS.items():
        few = labels[train] < 3 if name == "svc" else slice(None)
        estimator.fit(pixels[train][few], labels[train][few])
        options = {"zipmap": zipped}
        model = to_onnx(estimator, pixels[:1], target_opset={"": 17, "ai.onnx.ml": 3}, options=options)
        path = os.path.join(OUT, name)
        if "images" in name:
            model = taking_images(model)
        if name == "forest-images":
            probabilities = estimator.predict_proba(pixels[test].astype("float64"))
            tensors = {"images": pixels[test].reshape(-1, 1, 8, 8), "probabilities": probabilities.astype("float32")}
            save_file(tensors, path + ".safetensors")
        onnx.save(model, path + ".onnx")
        operators = [node.op_type for node in model.graph.node]
        print(name, os.path.getsize(path + ".onnx") // 1024, "KB", operators, [o.name for o in model.graph.output])
