"""The networks of this program in Keras 3, from `alexnet summary NETWORK --json`."""

import keras
from keras import layers, ops


class LRN(layers.Layer):
    """Local response normalisation, which Keras lacks; alpha is on the raw sum, as in the paper and TensorFlow."""

    def __init__(self, radius, bias, alpha, beta, **options):
        super().__init__(**options)
        self.radius, self.bias, self.alpha, self.beta = int(radius), bias, alpha, beta

    def call(self, x):
        squares = ops.pad(ops.square(x), [[0, 0]] * 3 + [[self.radius] * 2])
        sums = sum(squares[..., i : i + x.shape[-1]] for i in range(2 * self.radius + 1))
        return x / ops.power(self.bias + self.alpha * sums, self.beta)


def model(summary):
    """The model for `summary`, parsed; `model.load_weights` takes what `alexnet export --format keras` writes."""
    size = summary["input_size"]
    x = inputs = keras.Input((size, size, 3))
    for layer in summary["layers"]:
        s = {name: int(v) if v == int(v) else v for name, v in layer["settings"].items()}
        activation = "relu" if layer["activation"] == "ReLU" else None
        biased = bool(s.get("bias", 1))
        pads = (s.get("pad_before", 0), s.get("pad_after", 0))
        match layer["kind"]:
            case "convolution":
                if any(pads):
                    x = layers.ZeroPadding2D((pads, pads))(x)
                shape = {"filters": s["filters"], "kernel_size": s["window"], "strides": s["stride"], "groups": s["groups"]}
                x = layers.Conv2D(**shape, activation=activation, use_bias=biased)(x)
            case "dense":
                x = layers.Dense(s["units"], activation=activation, use_bias=biased)(x)
            case "batch norm":
                x = layers.BatchNormalization(epsilon=s["epsilon"])(x)  # Keras' own is 1e-3
            case "LRN":
                x = LRN(**s)(x)
            case "max-pool":
                x = layers.MaxPooling2D(s["window"], s["stride"], padding="same" if any(pads) else "valid")(x)
            case "average-pool":
                x = layers.AveragePooling2D(s["window"], s["stride"])(x)
            case "ReLU":
                x = layers.ReLU()(x)
            case "GELU":
                x = layers.Activation("gelu")(x)
            case "scale":
                x = layers.Rescaling(s["factor"])(x)
            case "dropout":
                x = layers.Dropout(s["rate"])(x)
            case "flatten":
                x = layers.Flatten()(x)
            case other:
                raise ValueError(other)
    return keras.Model(inputs, x)
