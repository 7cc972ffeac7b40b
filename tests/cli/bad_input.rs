//! One clear line for each bad input: usage, settings, devices, folders, data and checkpoints.

use std::fs::{self, File};

use model::{Architecture, Network};
use tensor::Device;

use super::{alexnet, fail, path_text, quick, trained};

#[test]
fn usage_errors_exit_with_two() {
    for args in [
        &["train", "--bogus"][..],
        &[],
        &["fly"],
        &["train", "--epochs", "many"],
    ] {
        assert_eq!(alexnet(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn bad_settings_are_one_line_and_nothing_is_written() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("run");
    let base = ["train", "--device", "cpu", "--out", path_text(&out)];
    for (args, parts) in [
        (&["--limit", "0"][..], &["limit", "at least 1"][..]),
        (
            &["--batch-size", "9000", "--set", "drop_last=true"],
            &["batch size", "8000"],
        ),
        (&["--batch-size", "0"], &["batch_size", "at least 1"]),
        (&["--epochs", "0"], &["epochs"]),
        (&["--threads", "0"], &["loader_threads"]),
        (&["--lr", "nan"], &["learning_rate", "NaN"]),
        (&["--recipe", "nope"], &["nope", "small-cifar10"]),
        (&["--network", "vgg"], &["vgg", "alexnet-small"]),
        (&["--config", "/no/such/file"], &["/no/such/file"]),
        (&["no-such-set"], &["no-such-set", "cifar10"]),
    ] {
        fail(&[&base[..], args].concat(), parts);
        assert!(!out.exists(), "{args:?} left something");
    }
}

#[test]
fn an_unknown_device_is_one_line() {
    for device in ["radeon-9000", "gpu:99"] {
        fail(&["train", "--device", device], &[device]);
    }
}

#[test]
fn an_output_folder_that_cannot_be_written_is_one_line() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "mine").unwrap();
    for out in [file.clone(), file.join("run")] {
        fail(
            &quick(&["--out", path_text(&out)]),
            &[path_text(&out), "cannot create the folder"],
        );
    }
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "mine",
        "the file is as it was"
    );
}

#[test]
fn missing_and_damaged_data_are_one_line() {
    let root = tempfile::tempdir().unwrap();
    let (out, data) = (root.path().join("run"), root.path().join("data"));
    let folder = data.join("cifar-10-batches-bin");
    fs::create_dir_all(&folder).unwrap();
    let args = [
        "train",
        "cifar10",
        "--device",
        "cpu",
        "--no-download",
        "--data-dir",
        path_text(&data),
        "--out",
        path_text(&out),
    ];
    fail(
        &args,
        &[
            "CIFAR-10",
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            path_text(&data),
        ],
    );
    let names: Vec<_> = (0..10).map(|class| format!("class{class}\n")).collect();
    fs::write(folder.join("batches.meta.txt"), names.concat()).unwrap();
    let first = folder.join("data_batch_1.bin");
    for (length, parts) in [
        (30_729_999, ["data_batch_1.bin", "30729999 bytes"]),
        (30_730_001, ["data_batch_1.bin", "30730001 bytes"]),
        (1 << 40, ["data_batch_1.bin", "1099511627776 bytes"]),
    ] {
        File::create(&first).unwrap().set_len(length).unwrap();
        fail(&args, &parts);
    }
    fs::write(&first, [10]).unwrap();
    File::options()
        .write(true)
        .open(&first)
        .unwrap()
        .set_len(30_730_000)
        .unwrap();
    fail(&args, &["data_batch_1.bin", "at byte 0", "label below 10"]);
    assert!(!out.exists(), "nothing is written");
}

#[test]
fn bad_checkpoints_are_one_line() {
    let root = tempfile::tempdir().unwrap();
    let folder = trained(root.path());
    let last = folder.join("checkpoints/last/model.safetensors");
    let good = fs::read(&last).unwrap();
    let resume = ["train", "--resume", path_text(&folder)];
    let evaluate = ["evaluate", path_text(&last)];
    // Of a checkpoint, its checksums tell; of a file by itself, its header and its own digest.
    let alone = root.path().join("alone.safetensors");
    let score = ["evaluate", path_text(&alone), "shapes10"];
    for (bytes, part) in [
        (b"not weights at all".to_vec(), "alone.safetensors"),
        (good[..good.len() / 2].to_vec(), "as its header says"),
        (Vec::new(), "0 bytes"),
    ] {
        fs::write(&last, &bytes).unwrap();
        fs::write(&alone, bytes).unwrap();
        fail(&resume, &["model.safetensors", "damaged"]);
        fail(&evaluate, &["model.safetensors", "damaged"]);
        fail(&score, &["alone.safetensors", part]);
    }
    let other = Architecture::new("alexnet-small", Some(3), None).unwrap();
    let other = Network::new(other, 1, &Device::cpu()).unwrap();
    fs::write(&alone, other.to_bytes().unwrap()).unwrap();
    fail(&score, &["3 classes", "got 10"]);
    fs::write(&last, &good).unwrap();
    // As of before there were checksums: the network itself is compared.
    let state = folder.join("checkpoints/last/state.json");
    let mut old: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&state).unwrap()).unwrap();
    let fields = old.as_object_mut().unwrap();
    fields["format"] = 1.into();
    fields.remove("sha256").unwrap();
    fields.remove("config").unwrap();
    fs::write(&state, old.to_string()).unwrap();
    fs::write(&last, other.to_bytes().unwrap()).unwrap();
    fail(&resume, &["model.safetensors", "classes=10", "classes=3"]);
    let nowhere = root.path().join("nowhere");
    fail(
        &["train", "--resume", path_text(&nowhere)],
        &["no run here"],
    );
    fail(
        &["evaluate", path_text(&nowhere), "shapes10"],
        &["nowhere", "cannot open"],
    );
    fail(&["evaluate", path_text(root.path())], &["no run here"]);
}
