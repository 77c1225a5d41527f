"""Exports small Keras networks as its users do, and their input gradients in float64.

`tf2onnx` converts from TensorFlow, `keras` is Keras's own `model.export`, `kerastorch` the same on PyTorch. Writes
test/golden/exports/<net>.<exporter><opset>.{onnx,safetensors}. Needs tensorflow-cpu, keras, tf2onnx, torch, onnx,
onnxscript, safetensors. Run both: python reference/gradients/export_keras.py [NET...]
                                   KERAS_BACKEND=torch python reference/gradients/export_keras.py [NET...]
"""
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import onnx
from keras import layers, ops
from safetensors.numpy import save_file

OUT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "golden", "exports")
CLASSES = 5


def cnn():
    """What a tutorial trains: on grey pictures, with probabilities at its end."""
    x = image = layers.Input((28, 28, 1), name="x")
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(12, 5, padding="same", activation="relu")(x)
    x = layers.AveragePooling2D(3, strides=2, padding="same")(x)
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    x = layers.Dense(16, activation="tanh")(x)
    return keras.Model(image, layers.Dense(CLASSES, activation="softmax")(x))


def gelu(x):
    """tf2onnx 1.17 does not know the operator of TensorFlow that Keras writes the exact one with."""
    return keras.activations.gelu(x, approximate=keras.backend.backend() == "tensorflow")


def normed(x, activation="relu"):
    return layers.Activation(activation)(layers.BatchNormalization()(x))


def mobilenet():
    """Depthwise convolutions, padded by hand as in keras.applications; takes pixels from 0 to 255."""
    x = image = layers.Input((32, 32, 3), name="x")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(x)
    x = normed(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x), "relu6")
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = normed(layers.DepthwiseConv2D(3, strides=2, use_bias=False)(x), "hard_swish")
    short = x = layers.BatchNormalization()(layers.Conv2D(16, 1, use_bias=False)(x))
    x = normed(layers.Conv2D(32, 1, use_bias=False)(x), "swish")
    x = normed(layers.DepthwiseConv2D(5, padding="same", use_bias=False)(x), "swish")
    squeeze = layers.Conv2D(8, 1, activation="relu")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = layers.Multiply()([x, layers.Conv2D(32, 1, activation="hard_sigmoid")(squeeze)])
    x = layers.Add()([short, layers.BatchNormalization()(layers.Conv2D(16, 1, use_bias=False)(x))])
    x = normed(layers.SeparableConv2D(24, 3, strides=2, padding="same", depth_multiplier=2)(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(CLASSES, activation="softmax")(x))


def resnet():
    """Residual blocks with BatchNorm in inference, a padded MaxPool, scores as logits."""
    x = image = layers.Input((32, 32, 3), name="x")
    x = normed(layers.Conv2D(8, 7, strides=2, padding="same")(x))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    for width, stride in [(8, 1), (16, 2)]:
        short = x if stride == 1 else layers.BatchNormalization()(layers.Conv2D(width, 1, strides=stride)(x))
        x = normed(layers.Conv2D(width, 3, strides=stride, padding="same")(x))
        x = layers.BatchNormalization()(layers.Conv2D(width, 3, padding="same")(x))
        x = layers.ReLU()(layers.Add()([short, x]))
    return keras.Model(image, layers.Dense(CLASSES)(layers.GlobalAveragePooling2D()(x)))


def convnext():
    """Depthwise convolutions with LayerNormalization over channels, and a GroupNormalization at the end."""
    x = image = layers.Input((32, 32, 3), name="x")
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Conv2D(16, 4, strides=4)(x))
    y = layers.LayerNormalization(epsilon=1e-6)(layers.DepthwiseConv2D(7, padding="same")(x))
    x = layers.Add()([x, layers.Dense(16)(layers.Dense(48, activation=gelu)(y))])
    x = layers.Conv2D(24, 2, strides=2)(layers.LayerNormalization(epsilon=1e-6)(x))
    x = layers.GlobalAveragePooling2D()(layers.GroupNormalization(4)(x))
    return keras.Model(image, layers.Dense(CLASSES)(x))


@keras.saving.register_keras_serializable()
class Positions(layers.Layer):
    def build(self, shape):
        self.table = self.add_weight(shape=(1, *shape[1:]), name="table")

    def call(self, x):
        return x + self.table


def vit():
    """LayerNormalization and MultiHeadAttention as in Keras's examples."""
    x = image = layers.Input((32, 32, 3), name="x")
    x = layers.Reshape((16, 24))(layers.Conv2D(24, 8, strides=8)(x))
    x = Positions()(x)
    for _ in range(2):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = layers.Add()([x, layers.MultiHeadAttention(3, 8)(y, y)])
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = layers.Add()([x, layers.Dense(24)(layers.Dense(48, activation=gelu)(y))])
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization(epsilon=1e-6)(x))
    return keras.Model(image, layers.Dense(CLASSES, activation="softmax")(x))


def mixed():
    """Layers that are seen less often."""
    x = image = layers.Input((20, 20, 3), name="x")
    x = layers.PReLU(shared_axes=[1, 2])(layers.Conv2D(8, 3, padding="same", dilation_rate=2)(x))
    y = layers.LeakyReLU(negative_slope=0.1)(layers.Conv2D(8, 3, strides=2, padding="same")(x))
    y = layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="elu")(y)
    x = layers.Concatenate()([x, y, layers.UpSampling2D(interpolation="bilinear")(layers.AveragePooling2D(2)(x))])
    x = layers.Cropping2D(((1, 0), (2, 1)))(layers.SpatialDropout2D(0.2)(x))
    x = layers.Activation("softplus")(layers.Conv2D(12, 3, strides=2, padding="valid")(x))
    x = layers.UpSampling2D()(layers.MaxPooling2D(2, padding="same")(x))
    x = layers.Concatenate()([layers.GlobalMaxPooling2D()(x), layers.GlobalAveragePooling2D()(x)])
    x = layers.UnitNormalization()(layers.Dense(16, activation="selu")(x))
    return keras.Model(image, layers.Dense(CLASSES, activation="log_softmax")(x))


class Classic(layers.Layer):
    """Operators of TensorFlow that older networks were written with. Two of them exist in float32 only."""

    def build(self, shape):
        sizes = {"first": (5, 5, 3, 12), "second": (3, 3, 12, 1)}
        for norm in ["early", "late"]:
            sizes |= {f"{norm}.{name}": (12,) for name in ["gamma", "beta", "moving_mean", "moving_variance"]}
        self.of = {key: self.add_weight(shape=size, name=key.split(".")[-1]) for key, size in sizes.items()}

    def norm(self, x, name):
        import tensorflow as tf

        gamma, beta, mean, variance = (self.of[f"{name}.{key}"] for key in ["gamma", "beta", "moving_mean", "moving_variance"])
        if x.dtype == "float64":
            return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3)
        return tf.compat.v1.nn.fused_batch_norm(x, gamma, beta, mean, variance, epsilon=1e-3, is_training=False)[0]

    def responses(self, x):
        import tensorflow as tf

        if x.dtype == "float32":
            return tf.nn.local_response_normalization(x, 2, bias=1, alpha=0.3, beta=0.75)
        squares = tf.pad(x * x, [[0, 0], [0, 0], [0, 0], [2, 2]])
        return x / (1 + 0.3 * sum(squares[..., i : i + x.shape[-1]] for i in range(5))) ** 0.75

    def call(self, x):
        import tensorflow as tf

        x = (x - tf.reduce_mean(x, [1, 2, 3], True)) / tf.math.reduce_std(x, [1, 2, 3], True)
        x = tf.nn.relu6(self.norm(tf.nn.conv2d(x, self.of["first"], 2, "SAME"), "early"))
        x = tf.nn.max_pool2d(self.responses(x), 3, 2, "SAME")
        x = tf.nn.relu(tf.nn.depthwise_conv2d(x, self.of["second"], [1, 1, 1, 1], "SAME", dilations=[2, 2]))
        x = tf.nn.space_to_depth(self.norm(x, "late"), 2)
        return tf.reduce_mean(tf.nn.avg_pool2d(x, 3, 1, "SAME"), [1, 2])


def classic():
    """Fused BatchNorm, local response normalisation, pictures normalised one by one."""
    x = image = layers.Input((32, 32, 3), name="x")
    return keras.Model(image, layers.Dense(CLASSES, activation="softmax")(Classic()(x)))


NETS = {net.__name__: net for net in [cnn, mobilenet, resnet, convnext, vit, mixed, classic]}

EXPORTS = """
cnn:tf2onnx:9 cnn:keras:15 mobilenet:tf2onnx:13 mobilenet:kerastorch:18 resnet:tf2onnx:13:nchw resnet:keras:15:free
convnext:tf2onnx:18 classic:tf2onnx:11 vit:keras:15 resnet:kerastorch:20 mixed:tf2onnx:15 mixed:kerastorch:18
""".split()


def lively(model):
    """Weights that no initialisation leaves at zero, and statistics that no normalisation ignores."""
    random = np.random.default_rng(1)
    for weight in model.weights:
        noise = random.standard_normal(weight.shape) * 0.2
        match weight.name:
            case "moving_variance":
                value = random.uniform(0.6, 1.4, weight.shape)
            case "gamma" | "alpha":
                value = 1 + noise
            case "bias" | "beta" | "moving_mean" | "table":
                value = noise
            case _:
                value = random.standard_normal(weight.shape) * (2 / np.prod(weight.shape[:-1])) ** 0.5
        weight.assign(value.astype("float32"))
    return model


def with_slope(function, x):
    """What a function gives, and the gradient of its sum by x."""
    if keras.backend.backend() == "torch":
        import torch

        x = torch.tensor(x, requires_grad=True)
        y = function(x)
        (slope,) = torch.autograd.grad(y.sum(), x)
        return y.detach().numpy(), slope.numpy()
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
        total = tf.reduce_sum(y)
    return y.numpy(), tape.gradient(total, x).numpy()


def use(dtype):
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)


def write(model, exporter, opset, form, path):
    height, width, channels = model.input_shape[1:]
    shape = (None, None, None, channels) if form == "free" else (None, height, width, channels)
    if exporter == "tf2onnx":
        import tensorflow as tf
        import tf2onnx

        signature = [tf.TensorSpec(shape, tf.float32, name="x")]
        channels_first = ["x"] if form == "nchw" else None
        tf2onnx.convert.from_keras(model, signature, opset=opset, inputs_as_nchw=channels_first, output_path=path)
    else:
        signature = [keras.InputSpec(shape=shape, dtype="float32", name="x")]
        model.export(path, format="onnx", input_signature=signature, opset_version=opset, verbose=False)
    proto = onnx.load(path)
    proto.doc_string = ""
    for holder in [proto, proto.graph, *proto.graph.node, *proto.graph.input, *proto.graph.output]:
        del holder.metadata_props[:]
        holder.doc_string = ""
    del proto.graph.value_info[:]
    onnx.save(proto, path)


def export(net, exporter, opset, form=None):
    keras.utils.set_random_seed(1)
    use("float32")
    model = lively(NETS[net]())
    path = os.path.join(OUT, f"keras-{net}.{exporter}{opset}")
    write(model, exporter, opset, form, path + ".onnx")
    weights = model.get_weights()
    use("float64")
    model = NETS[net]()
    model.set_weights([weight.astype("float64") for weight in weights])
    random = np.random.default_rng(2)
    white = 255 if net == "mobilenet" else 1
    x = (random.random((2, *model.input_shape[1:]), dtype="float32") * white).astype("float32").astype("float64")
    cotangent = random.standard_normal((2, CLASSES), dtype="float32").astype("float64")
    labels = np.array([1, 3])
    y, _ = with_slope(lambda x: model(x, training=False), x)
    _, slope = with_slope(lambda x: model(x, training=False) * ops.convert_to_tensor(cotangent, "float64"), x)

    def losses(x):
        y = model(x, training=False)
        logs = ops.log_softmax(y) if abs(float(ops.sum(y)) - 2) > 1e-3 else ops.log(y)
        return -ops.sum(logs * ops.one_hot(labels, CLASSES, dtype="float64"), axis=-1)

    loss, loss_slope = with_slope(losses, x)
    first = lambda images: images.transpose(0, 3, 1, 2)
    nchw = form == "nchw"
    tensors = {"x": first(x) if nchw else x, "y": y, "cotangent": cotangent, "grad.x": first(slope) if nchw else slope}
    tensors |= {"images": first(x) / white, "white": np.array(white), "labels": labels}
    tensors |= {"losses": loss, "losses.slope": first(loss_slope) * white}
    save_file({name: np.ascontiguousarray(value, "float32") for name, value in tensors.items()}, path + ".safetensors")
    opsets = {entry.domain or "ai.onnx": entry.version for entry in onnx.load(path + ".onnx").opset_import}
    print(os.path.basename(path), os.path.getsize(path + ".onnx") // 1024, "KB", np.abs(slope).max(), opsets, flush=True)


if __name__ == "__main__":
    os.makedirs(OUT, exist_ok=True)
    for spec in EXPORTS:
        net, exporter, opset, *form = spec.split(":")
        on_torch = keras.backend.backend() == "torch"
        if (exporter == "kerastorch") != on_torch or (sys.argv[1:] and net not in sys.argv[1:]):
            continue
        try:
            export(net, exporter, int(opset), *form)
        except Exception as error:
            print("failed:", spec, (type(error).__name__ + ": " + str(error))[:300].replace("\n", " "), flush=True)
