//! Forty wrong inputs, and the lines that each gets: what is wrong under a name that the user has written, and what helps.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use super::{command, path_text, quick, slashed, text};

/// A command line, its `error:` line, and its `hint:` line, or the `tip:` of the command line's parser. `PORT` is one in
/// use, `HERE` the folder.
type Row = (&'static str, &'static str, &'static str);

const NAMES: &[Row] = &[
    (
        "train --recipe cifar",
        "no recipe 'cifar'; there are shapes10, cifar10, ",
        "did you mean 'cifar10'? `alexnet recipes` lists them",
    ),
    (
        "recipes show flower",
        "no recipe 'flower'; there are shapes10, ",
        "did you mean 'flowers'? `alexnet recipes` lists them",
    ),
    (
        "train --network alexnet-smal",
        "no network 'alexnet-smal'; there are alexnet-small, ",
        "did you mean 'alexnet-small'? `alexnet summary` lists the networks",
    ),
    (
        "summary alexnetx",
        "no network 'alexnetx'; there are ",
        "did you mean 'alexnet'? `alexnet summary` lists the networks",
    ),
    (
        "bench lenett --device cpu",
        "no network 'lenett'; there are ",
        "did you mean 'lenet'? ",
    ),
    (
        "gradcheck --model alexne",
        "no network 'alexne'; there are ",
        "did you mean 'alexnet'? ",
    ),
    (
        "gradcheck convd --device cpu",
        "no operator 'convd'; there are ",
        "did you mean 'conv2d'? operators have the names of their kernels",
    ),
    (
        "learn conv",
        "no operator 'conv' to learn; there are conv2d, ",
        "did you mean 'conv2d'? `alexnet learn` lists them",
    ),
    (
        "learn softmax --ablate",
        "--ablate: nothing trains without softmax",
        "these can be left out: conv2d, ",
    ),
    (
        "learn relu --image mine.toml",
        "mine.toml: not a readable image",
        "it takes JPEG, PNG, ",
    ),
    (
        "kernels lrn_forwards",
        "no kernel 'lrn_forwards'",
        "did you mean 'lrn_forward'? `alexnet kernels` lists them",
    ),
    (
        "kernels lrn --variant x",
        "--variant x: expected the name of one variant, found none",
        "`alexnet kernels lrn_forward --list` lists them",
    ),
    (
        "train shape10",
        "shape10: no such data set or folder; built-in data sets are shapes10, ",
        "did you mean 'shapes10'? ",
    ),
    (
        "train no/such/folder",
        "no/such/folder: no such data set or folder; ",
        "a folder of your own has a folder of images for each class",
    ),
    (
        "data info cifar",
        "cifar: no such data set or folder; ",
        "did you mean 'cifar10'? ",
    ),
    (
        "data download shapes11",
        "shapes11: only built-in data sets can be downloaded: ",
        "did you mean 'shapes10'? `alexnet data info`",
    ),
    (
        "train --device cpuu",
        "no device 'cpuu': there are cpu",
        "did you mean 'cpu'? `alexnet devices` lists",
    ),
    (
        "doctor --device nope",
        "no device 'nope': there are cpu",
        "`alexnet devices` lists",
    ),
    (
        "tune --device cpu",
        "--device: expected a GPU, got the CPU device",
        "`alexnet devices` lists",
    ),
];

const SETTINGS: &[Row] = &[
    (
        "train --set epoch=3",
        "--set epoch=3: no setting 'epoch'",
        "did you mean 'epochs'? `alexnet recipes show shapes10`",
    ),
    (
        "train --set learning_rate=0.1",
        "--set learning_rate=0.1: no setting 'learning_rate'",
        "did you mean 'optimizer.learning_rate'? ",
    ),
    (
        "train --set optimizer.momentun=0.9",
        "--set optimizer.momentun=0.9: no setting 'optimizer.momentun'",
        "did you mean 'optimizer.momentum'? ",
    ),
    (
        "train --set epochs=many",
        "--set epochs=many: epochs: expected a whole number of 0 or more, got string \"many\"",
        "`alexnet recipes show shapes10` shows settings with their values",
    ),
    (
        "train --set optimizer.kind=adamm",
        "--set optimizer.kind=adamm: optimizer.kind: expected one of sgd, adam, adamw, got adamm",
        "`alexnet recipes show shapes10`",
    ),
    (
        "train --set epochs",
        "--set: expected KEY=VALUE, got epochs",
        "`--set optimizer.momentum=0.9`, for instance",
    ),
    (
        "train --config mine.toml",
        "mine.toml: line 2, column 1: no setting 'batch_sise'",
        "did you mean 'batch_size'? ",
    ),
    (
        "train --config none.toml",
        "none.toml: cannot open",
        "there is none; paths begin in HERE",
    ),
    (
        "train --epochs 0",
        "epochs: expected at least 1, got 0",
        "without `--epochs` it is the recipe's",
    ),
    (
        "train --batch-size 0",
        "batch_size: expected at least 1, got 0",
        "without `--batch-size` it is the recipe's",
    ),
    (
        "train --device cpu --limit 32 --freeze nothing",
        "freeze: expected the name of a parameter",
        "`alexnet summary NETWORK` lists the layers; `--freeze 'conv*'`",
    ),
    (
        "train --network alexnet --set input_size=16",
        "alexnet: layer ",
        "alexnet takes sides of 67 and more: `--set input_size=67`",
    ),
    (
        "summary alexnet --input-size 16",
        "alexnet: layer ",
        "alexnet takes sides of 67 and more: `--input-size 67`",
    ),
    (
        "sweep sweep.toml",
        "sweep.toml: expected either [[run]] tables or a [grid]",
        "a sweep names a `recipe` and has a [grid] of lists or [[run]] tables: `alexnet sweep --help` shows one",
    ),
    (
        "sweep none.toml",
        "no sweep to read; built-in sweeps are torch-cifar100: none.toml: cannot open",
        "there is none; paths begin in HERE",
    ),
];

const FILES: &[Row] = &[
    (
        "train --device cpu imgs",
        "imgs/cat/a.png: not a readable image",
        "`--skip-unreadable` leaves such images out",
    ),
    (
        "train --from none",
        "none: cannot open",
        "there is none; paths begin in HERE",
    ),
    (
        "train --resume none",
        "none: no run here",
        "a run is the folder that `alexnet train` names when it ends",
    ),
    (
        "report none",
        "none: no run here",
        "a run is the folder that `alexnet train` names when it ends",
    ),
    (
        "watch none",
        "none: no run here",
        "a run is the folder that `alexnet train` names when it ends",
    ),
    (
        "evaluate none",
        "none: cannot open",
        "there is none; paths begin in HERE",
    ),
    (
        "evaluate run pets --device cpu",
        "model.safetensors: the network knows no class 'cat'",
        "a folder has the name of its class as the network knows it: disc, ",
    ),
    (
        "evaluate alone.safetensors",
        "alone.safetensors: expected a data set too",
        "`alexnet evaluate alone.safetensors DATASET`",
    ),
    (
        "predict run notes --device cpu",
        "notes: no JPEG, PNG, WebP, BMP, GIF or TIFF here",
        "images are told by the ends of their names",
    ),
    (
        "predict run a.png --top 0",
        "--top: expected at least 1 class, got 0",
        "`--top 3` names the three most probable",
    ),
    (
        "inspect mine.toml",
        "mine.toml: expected a safetensors file",
        "expected a run's folder, or weights as `alexnet train` and `alexnet import` write them",
    ),
    (
        "export run --format keras --out a.h5",
        "--out a.h5: expected a name that ends in .weights.h5",
        "`--out a.weights.h5`",
    ),
    (
        "export run --format torchvision --softmax --out a.safetensors",
        "--softmax: expected --format onnx",
        "leave `--softmax` out",
    ),
    (
        "import a.weights.h5 --out x.safetensors",
        "a.weights.h5: expected --like",
        "`--like RUN` names the run",
    ),
    (
        "report run --activations conv9",
        "plot activations: expected a layer among conv1, ",
        "`alexnet summary NETWORK` lists the layers",
    ),
    (
        "dashboard none",
        "none: cannot open",
        "there is none; paths begin in HERE",
    ),
    (
        "dashboard . --listen 127.0.0.1:PORT",
        "127.0.0.1:PORT: cannot listen",
        "another program listens there: `--listen 127.0.0.1:0` takes a free port",
    ),
];

/// What the parser of the command line says, with exit code 2.
const USAGE: &[Row] = &[
    ("trian", "unrecognized subcommand 'trian'", "'train'"),
    (
        "train --epoch 3",
        "unexpected argument '--epoch'",
        "'--epochs'",
    ),
    ("train --optimizer adamm", "invalid value 'adamm'", "'adam'"),
    (
        "train --validation 200%",
        "invalid value '200%'",
        "a share such as 20%",
    ),
];

/// What the commands are about.
fn prepare(root: &Path) {
    let write = |name: &str, bytes: &[u8]| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    write("imgs/cat/a.png", b"no image");
    write("imgs/dog/a.png", b"no image");
    for class in ["cat", "dog"] {
        for number in 0..12 {
            write(
                &format!("pets/{class}/{number}.bmp"),
                &super::exchange::bitmap(),
            );
        }
    }
    write("notes/a.txt", b"no image");
    write("mine.toml", b"seed = 1\nbatch_sise = 3\n");
    write("sweep.toml", b"recipe = 'shapes10'\n");
    let output = command(&quick(&["--out", "run", "--quiet"]))
        .current_dir(root)
        .output();
    assert!(output.unwrap().status.success(), "a run");
    let weights = root.join("run/checkpoints/last/model.safetensors");
    fs::copy(weights, root.join("alone.safetensors")).unwrap();
}

#[test]
fn forty_wrong_inputs_get_a_line_and_a_hint_that_helps() {
    let root = tempfile::tempdir().unwrap();
    let here = fs::canonicalize(root.path()).unwrap();
    prepare(&here);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let own = |text: &str| {
        text.replace("PORT", &port)
            .replace("HERE", path_text(&here))
    };
    let before = fs::read_dir(&here).unwrap().count();
    let mut failures = Vec::new();
    let rows = [NAMES, SETTINGS, FILES, USAGE].concat();
    assert!(rows.len() >= 40, "{} rows", rows.len());
    for (line, error, hint) in rows {
        let (line, error, hint) = (own(line), own(error), own(hint));
        let args: Vec<_> = line.split(' ').collect();
        let output = command(&args).current_dir(&here).output().unwrap();
        let said = slashed(text(&output.stderr));
        let is_usage = USAGE.iter().any(|row| row.0 == line);
        let code = if is_usage { 2 } else { 1 };
        let starts = |start: String| said.lines().any(|line| line.starts_with(&start));
        let is_fit = if is_usage {
            starts(format!("error: {error}")) && said.contains(&hint)
        } else {
            starts_within(&said, "error: ", &error) && starts(format!("hint: {hint}"))
        };
        // Nothing tells of files that the user has not written: config.toml of a run but of their own, Rust's types.
        let is_foreign = ["config.toml: line", "u64", "usize", "unknown field"]
            .iter()
            .any(|part| said.contains(part));
        let lines = said.lines().filter(|line| !line.is_empty()).count();
        if !is_fit || is_foreign || output.status.code() != Some(code) || !is_usage && lines > 3 {
            failures.push(format!("$ alexnet {line}\n{said}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let after = fs::read_dir(&here).unwrap().count();
    assert_eq!(before, after, "a wrong input leaves something behind");
}

/// Whether a line begins with this word and has the text: at its beginning, or behind a path.
fn starts_within(said: &str, word: &str, part: &str) -> bool {
    let mut lines = said.lines().filter_map(|line| line.strip_prefix(word));
    lines.any(|line| {
        line.starts_with(part) || part.starts_with("model.safetensors") && line.contains(part)
    })
}
