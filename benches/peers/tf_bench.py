#!/usr/bin/env python3
"""TensorFlow on the CPU beside `alexnet bench --peers`; the protocol is that of torch_bench.py, whose helpers it borrows."""

import json
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from torch_bench import arguments, measure, report


def build(tf, network):
    layers = tf.keras.layers

    class Lrn(layers.Layer):
        def call(self, x):
            return tf.nn.local_response_normalization(x, depth_radius=2, bias=2.0, alpha=1e-4, beta=0.75)

    is_small = network == "alexnet-small"
    conv = lambda n, k, s=1, p="same": layers.Conv2D(n, k, strides=s, padding=p, activation="relu")
    pool = lambda: layers.MaxPool2D(3, 2, padding="same" if is_small else "valid")
    if is_small:
        convs = [conv(48, 7, 2), Lrn(), pool(), conv(128, 5), Lrn(), pool(), conv(192, 3), conv(192, 3), conv(192, 3)]
        side, hidden = 32, 512
    else:
        convs = [conv(96, 11, 4, "valid"), Lrn(), pool(), conv(256, 5), Lrn(), pool(), conv(384, 3), conv(384, 3),
                 conv(256, 3), pool()]
        side, hidden = 227, 4096
    dense = lambda: [layers.Dense(hidden, activation="relu"), layers.Dropout(0.5)]
    net = tf.keras.Sequential([tf.keras.Input((side, side, 3)), *convs, layers.Flatten(), *dense(), *dense(), layers.Dense(10)])
    return net, side


def main():
    args = arguments().parse_args()
    import tensorflow as tf

    if args.variants:
        print(json.dumps([{"name": f"TensorFlow {tf.__version__}", "device": "cpu", "args": []}]))
        return
    net, side = build(tf, args.network)
    optimizer = tf.keras.optimizers.Adam(1e-3) if side == 32 else \
        tf.keras.optimizers.SGD(1e-2, momentum=0.9, weight_decay=5e-4)
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    x, y = tf.random.normal((args.batch_size, side, side, 3)), tf.range(args.batch_size) % 10

    @tf.function
    def train():
        with tf.GradientTape() as tape:
            loss = loss_of(y, net(x, training=True))
        optimizer.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)
        return loss

    @tf.function
    def infer():
        return tf.reduce_sum(net(x, training=False))

    optimizer.build(net.trainable_variables)
    start = time.perf_counter()
    float(train())
    first_step_s = time.perf_counter() - start
    train_s = measure(lambda: float(train()), args.steps, args.seconds)
    infer_s = measure(lambda: float(infer()), args.steps, args.seconds)
    report(net.count_params(), first_step_s, train_s, infer_s)


if __name__ == "__main__":
    main()
