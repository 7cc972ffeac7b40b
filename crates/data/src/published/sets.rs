//! The published data sets.

use super::{Form, Published};
use crate::download::Remote;
use crate::on_disk::{Needs, Packed, Place};

const MIB: u64 = 1 << 20;
const CIFAR10_FILES: [&str; 7] = [
    "data_batch_1",
    "data_batch_2",
    "data_batch_3",
    "data_batch_4",
    "data_batch_5",
    "test_batch",
    "batches.meta",
];
const CIFAR100_FILES: [&str; 3] = ["train", "test", "meta"];
const CIFAR10_MD5: &str = "c58f30108f718f92721af3b95e74349a";
const CIFAR100_MD5: &str = "eb9058c3a382ffc7106e4002c42a8d85";
const FLOWERS_MD5: &str = "6f87fb78e9cc9ab41eff2015b380011d";

pub(crate) const CIFAR10: Published = Published {
    title: "CIFAR-10",
    folder: "cifar-10-batches-bin",
    mark: "data_batch_1.bin",
    form: Form::Archive {
        remote: Remote {
            url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            md5: "c32a1d4ab5d03f1284b67883e8d87530",
            max_bytes: 200 * MIB,
        },
        // Python 3 writes bytes as text with protocol 2, which takes half more.
        max_unpacked: 320 * MIB,
    },
    places: &[
        Place {
            folder: "cifar-10-batches-py",
            needs: Needs::Files(&CIFAR10_FILES),
        },
        // Keras 3 unpacks into a folder of its own.
        Place {
            folder: "cifar-10-batches-py-target/cifar-10-batches-py",
            needs: Needs::Files(&CIFAR10_FILES),
        },
        Place {
            folder: "",
            needs: Needs::Files(&CIFAR10_FILES),
        },
    ],
    packed: &[
        Packed {
            file: "cifar-10-binary.tar.gz",
            folder: "cifar-10-batches-bin",
            md5: "c32a1d4ab5d03f1284b67883e8d87530",
        },
        Packed {
            file: "cifar-10-python.tar.gz",
            folder: "cifar-10-batches-py",
            md5: CIFAR10_MD5,
        },
        Packed {
            file: "cifar-10-batches-py.tar.gz",
            folder: "cifar-10-batches-py",
            md5: CIFAR10_MD5,
        },
        Packed {
            file: "cifar-10-batches-py-target_archive",
            folder: "cifar-10-batches-py",
            md5: CIFAR10_MD5,
        },
    ],
};

pub(crate) const CIFAR100: Published = Published {
    title: "CIFAR-100",
    folder: "cifar-100-binary",
    mark: "train.bin",
    form: Form::Archive {
        remote: Remote {
            url: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
            md5: "03b5dce01913d631647c71ecec9e9cb8",
            max_bytes: 200 * MIB,
        },
        // Python 3 writes bytes as text with protocol 2, which takes half more.
        max_unpacked: 320 * MIB,
    },
    places: &[
        Place {
            folder: "cifar-100-python",
            needs: Needs::Files(&CIFAR100_FILES),
        },
        Place {
            folder: "cifar-100-python-target/cifar-100-python",
            needs: Needs::Files(&CIFAR100_FILES),
        },
        Place {
            folder: "",
            needs: Needs::Files(&CIFAR100_FILES),
        },
    ],
    packed: &[
        Packed {
            file: "cifar-100-binary.tar.gz",
            folder: "cifar-100-binary",
            md5: "03b5dce01913d631647c71ecec9e9cb8",
        },
        Packed {
            file: "cifar-100-python.tar.gz",
            folder: "cifar-100-python",
            md5: CIFAR100_MD5,
        },
        Packed {
            file: "cifar-100-python-target_archive",
            folder: "cifar-100-python",
            md5: CIFAR100_MD5,
        },
    ],
};

/// TensorFlow's flower photos. Their checksum is the one that several projects have published for this address.
pub(crate) const FLOWERS: Published = Published {
    title: "flower photos",
    folder: "flower_photos",
    mark: "daisy",
    form: Form::Archive {
        remote: Remote {
            url: "https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz",
            md5: FLOWERS_MD5,
            max_bytes: 228_813_984,
        },
        max_unpacked: 300 * MIB,
    },
    places: &[
        Place {
            folder: "flower_photos",
            needs: Needs::Folders,
        },
        Place {
            folder: "flowers256",
            needs: Needs::Folders,
        },
        Place {
            folder: "flower_data",
            needs: Needs::Folders,
        },
    ],
    packed: &[
        Packed {
            file: "flower_photos.tgz",
            folder: "flower_photos",
            md5: FLOWERS_MD5,
        },
        Packed {
            file: "flower_photos.tar.gz",
            folder: "flower_photos",
            md5: FLOWERS_MD5,
        },
    ],
};

pub(crate) const MNIST: Published = Published {
    title: "MNIST",
    folder: "mnist",
    mark: "train-images-idx3-ubyte",
    form: Form::Files {
        base: "https://ossci-datasets.s3.amazonaws.com/mnist/",
        files: [
            (
                "train-labels-idx1-ubyte.gz",
                "d53e105ee54ea40749a09fcbcd1e9432",
            ),
            (
                "t10k-images-idx3-ubyte.gz",
                "9fb629c4189551a2d022fa330f9573f3",
            ),
            (
                "t10k-labels-idx1-ubyte.gz",
                "ec29112dd5afa0611ce80d1b7f02629c",
            ),
            (
                "train-images-idx3-ubyte.gz",
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            ),
        ],
    },
    places: &[
        Place {
            folder: "mnist",
            needs: Needs::Idx,
        },
        Place {
            folder: "MNIST/raw",
            needs: Needs::Idx,
        },
        Place {
            folder: "MNIST",
            needs: Needs::Idx,
        },
        Place {
            folder: "",
            needs: Needs::Idx,
        },
    ],
    packed: &[],
};

pub(crate) const FASHION: Published = Published {
    title: "Fashion-MNIST",
    folder: "fashion-mnist",
    mark: "train-images-idx3-ubyte",
    form: Form::Files {
        base: "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        files: [
            (
                "train-labels-idx1-ubyte.gz",
                "25c81989df183df01b3e8a0aad5dffbe",
            ),
            (
                "t10k-images-idx3-ubyte.gz",
                "bef4ecab320f06d8554ea6380940ec79",
            ),
            (
                "t10k-labels-idx1-ubyte.gz",
                "bb300cfdad3c16e7a12a480ee83cd310",
            ),
            (
                "train-images-idx3-ubyte.gz",
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            ),
        ],
    },
    places: &[
        Place {
            folder: "fashion-mnist",
            needs: Needs::Idx,
        },
        Place {
            folder: "FashionMNIST/raw",
            needs: Needs::Idx,
        },
        Place {
            folder: "FashionMNIST",
            needs: Needs::Idx,
        },
        Place {
            folder: "fashionmnist",
            needs: Needs::Idx,
        },
        Place {
            folder: "",
            needs: Needs::Idx,
        },
    ],
    packed: &[],
};
