"""Records test/golden/training/training-mode.{onnx,safetensors}: a network exported while it was in training mode.

  python reference/training/export_training_mode.py test/golden/training

That is how a network leaves PyTorch with its BatchNormalization unfolded and its Dropout on. The logits are those of the
network in evaluation mode. Needs torch 2.13, onnx, safetensors.
"""
import os, sys, warnings
import onnx, torch
from safetensors.torch import save_file
from torch import nn

warnings.filterwarnings("ignore")

if __name__ == "__main__":
    torch.manual_seed(4)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5),
        nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(64, 3),
    )
    for _ in range(20):
        net(torch.rand(8, 1, 8, 8))
    x = torch.rand(5, 1, 8, 8)
    path = os.path.join(sys.argv[1], "training-mode.onnx")
    mode = torch.onnx.TrainingMode.TRAINING
    torch.onnx.export(
        net.train(), (x[:2],), path, training=mode, do_constant_folding=False, dynamo=False, opset_version=17,
        input_names=["x"], output_names=["logits"], dynamic_axes={"x": {0: "N"}},
    )
    model = onnx.load(path)
    stored = {i.name: torch.tensor(onnx.numpy_helper.to_array(i)) for i in model.graph.initializer}
    # Tracing runs the network, which moves its running statistics: those in the file count.
    net.load_state_dict(stored, strict=False)
    with torch.inference_mode():
        save_file({"x": x, "logits": net.eval()(x)}, path.replace(".onnx", ".safetensors"))
    print([n.op_type for n in model.graph.node], sorted(stored))
