//! The published walk-throughs: every resolved setting of their recipes beside what the document says, section by section
//! (`walkthroughs/settings.txt`), and their networks layer by layer.

use std::collections::BTreeMap;

use model::Layer;
use toml::{Table, Value};
use train::{Recipe, Sweep};

const SETTINGS: &str = include_str!("walkthroughs/settings.txt");
const CONSTANTS: &str = include_str!("walkthroughs/constants.txt");
/// What begins the lines that every walk-through has.
const NEUTRAL: &str = "neutral";

/// A setting's value as TOML, and the section that it is from.
#[derive(Clone)]
struct Says {
    value: &'static str,
    section: &'static str,
}

/// The documents' settings, by recipe and key.
fn documents() -> BTreeMap<&'static str, BTreeMap<&'static str, Says>> {
    let mut all: BTreeMap<&str, BTreeMap<&str, Says>> = BTreeMap::new();
    let mut current = "";
    let lines = SETTINGS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        if let Some(header) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            let (name, base) = header.split_once(": ").unwrap_or((header, NEUTRAL));
            let base = all.get(base).cloned().unwrap_or_default();
            all.insert(name, base);
            current = name;
            continue;
        }
        let cells: Vec<_> = line.splitn(3, " | ").collect();
        let [key, value, section] = cells[..] else {
            panic!("three cells expected: {line}");
        };
        all.get_mut(current)
            .unwrap()
            .insert(key, Says { value, section });
    }
    all.remove(NEUTRAL);
    all
}

/// The settings of a table and of those in it, with dots. How fast a machine goes is no document's business.
fn flatten(table: &Table, prefix: &str, settings: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value {
            Value::Table(_) if key == "runtime" => {}
            Value::Table(table) => flatten(table, &format!("{key}."), settings),
            value => drop(settings.insert(key, value.clone())),
        }
    }
}

fn resolved(recipe: &Recipe) -> BTreeMap<String, Value> {
    let mut settings = BTreeMap::new();
    let table: Table = recipe.to_toml().unwrap().parse().unwrap();
    flatten(&table, "", &mut settings);
    settings.remove("name");
    settings.remove("about");
    settings
}

/// Whether a recipe's value, of which some are rounded to 32 bits, is the document's.
fn is_same(got: &Value, want: &Value) -> bool {
    let number = |value: &Value| {
        let whole = value
            .as_integer()
            .map(|n| f64::from(i32::try_from(n).unwrap()));
        value.as_float().or(whole)
    };
    match (got, want) {
        (Value::Array(got), Value::Array(want)) => {
            got.len() == want.len() && got.iter().zip(want).all(|(got, want)| is_same(got, want))
        }
        _ => match (number(got), number(want)) {
            (Some(got), Some(want)) => (got - want).abs() <= 1e-7 * want.abs(),
            _ => got == want,
        },
    }
}

#[test]
fn every_resolved_setting_is_the_documents() {
    let documents = documents();
    assert_eq!(documents.len(), 7, "recipes of walk-throughs");
    for (name, mut says) in documents {
        for (key, value) in resolved(&Recipe::named(name).unwrap()) {
            let row = says.remove(key.as_str());
            let row = row.unwrap_or_else(|| panic!("{name}: {key} = {value}: no document says it"));
            let want: Table = format!("x = {}", row.value).parse().unwrap();
            assert!(
                is_same(&value, &want["x"]),
                "{name}: {key} is {value}, and the document has {} ({})",
                row.value,
                row.section
            );
        }
        let left: Vec<_> = says.keys().collect();
        assert!(left.is_empty(), "{name} lacks {left:?}");
    }
}

/// A network's layers as a document has them: name, output, parameters with running statistics, in order.
struct Network {
    recipe: &'static str,
    classes: usize,
    layers: &'static [(&'static str, &'static [usize], usize)],
}

/// `model.summary()` of the Keras walk-through, line by line; its flattened layers are told by their own counts.
const KERAS: Network = Network {
    recipe: "keras-cifar10",
    classes: 10,
    layers: &[
        ("conv1", &[55, 55, 96], 34_944),
        ("lrn1", &[55, 55, 96], 0),
        ("pool1", &[27, 27, 96], 0),
        ("conv2", &[27, 27, 256], 614_656),
        ("lrn2", &[27, 27, 256], 0),
        ("pool2", &[13, 13, 256], 0),
        ("conv3", &[13, 13, 384], 885_120),
        ("lrn3", &[13, 13, 384], 0),
        ("conv4", &[13, 13, 384], 1_327_488),
        ("lrn4", &[13, 13, 384], 0),
        ("conv5", &[13, 13, 256], 884_992),
        // Scale, shift, running mean and variance of 256 channels, half of them not trained.
        ("bn5", &[13, 13, 256], 1_024),
        ("pool5", &[6, 6, 256], 0),
        ("flatten", &[9216], 0),
        ("fc6", &[4096], 9216 * 4096 + 4096),
        ("drop6", &[4096], 0),
        ("fc7", &[4096], 16_781_312),
        ("drop7", &[4096], 0),
        ("fc8", &[10], 40_970),
    ],
};

/// "Define Model" of the PyTorch walk-through.
const TORCH: Network = Network {
    recipe: "torch-cifar100",
    classes: 100,
    layers: &[
        ("conv1", &[55, 55, 96], 34_944),
        ("bn1", &[55, 55, 96], 384),
        ("relu1", &[55, 55, 96], 0),
        ("pool1", &[27, 27, 96], 0),
        ("conv2", &[27, 27, 256], 614_656),
        ("pool2", &[13, 13, 256], 0),
        ("conv3", &[13, 13, 384], 885_120),
        ("conv4", &[13, 13, 384], 1_327_488),
        ("conv5", &[13, 13, 256], 884_992),
        ("pool5", &[6, 6, 256], 0),
        ("flatten", &[9216], 0),
        ("fc6", &[4096], 37_752_832),
        ("drop6", &[4096], 0),
        ("fc7", &[4096], 16_781_312),
        ("drop7", &[4096], 0),
        ("fc8", &[100], 409_700),
    ],
};

/// "Model Architecture" of the Keras walk-through of the flower photos: convolution and ReLU, batch norm, pool.
const KERAS_FLOWERS: Network = Network {
    recipe: "flowers",
    classes: 5,
    layers: &[
        ("conv1", &[55, 55, 96], 34_944),
        ("bn1", &[55, 55, 96], 384),
        ("pool1", &[27, 27, 96], 0),
        ("conv2", &[27, 27, 256], 614_656),
        ("bn2", &[27, 27, 256], 1_024),
        ("pool2", &[13, 13, 256], 0),
        ("conv3", &[13, 13, 384], 885_120),
        ("bn3", &[13, 13, 384], 1_536),
        ("conv4", &[13, 13, 384], 1_327_488),
        ("bn4", &[13, 13, 384], 1_536),
        ("conv5", &[13, 13, 256], 884_992),
        ("bn5", &[13, 13, 256], 1_024),
        ("pool5", &[6, 6, 256], 0),
        ("flatten", &[9216], 0),
        ("fc6", &[4096], 37_752_832),
        ("drop6", &[4096], 0),
        ("fc7", &[4096], 16_781_312),
        ("drop7", &[4096], 0),
        ("fc8", &[5], 20_485),
    ],
};

/// "3. Implementation" of the TensorFlow walk-through: SAME padding throughout, dropout behind fc1 alone.
const TENSORFLOW_SMALL: Network = Network {
    recipe: "small-cifar10",
    classes: 10,
    layers: &[
        ("conv1", &[16, 16, 48], 7 * 7 * 3 * 48 + 48),
        ("lrn1", &[16, 16, 48], 0),
        ("pool1", &[8, 8, 48], 0),
        ("conv2", &[8, 8, 128], 5 * 5 * 48 * 128 + 128),
        ("lrn2", &[8, 8, 128], 0),
        ("pool2", &[4, 4, 128], 0),
        ("conv3", &[4, 4, 192], 3 * 3 * 128 * 192 + 192),
        ("conv4", &[4, 4, 192], 3 * 3 * 192 * 192 + 192),
        ("conv5", &[4, 4, 192], 3 * 3 * 192 * 192 + 192),
        ("flatten", &[3072], 0),
        ("fc6", &[512], 3072 * 512 + 512),
        ("drop6", &[512], 0),
        ("fc7", &[512], 512 * 512 + 512),
        ("fc8", &[10], 5_130),
    ],
};

#[test]
fn networks_are_the_documents_layer_by_layer() {
    for network in [KERAS, TORCH, KERAS_FLOWERS, TENSORFLOW_SMALL] {
        let recipe = Recipe::named(network.recipe).unwrap();
        let own = recipe.architecture(network.classes, 3).unwrap();
        let summary = own.summary();
        let rows = summary.rows().iter();
        let got: Vec<_> = rows
            .map(|row| {
                (
                    row.layer.as_str(),
                    row.output.to_vec(),
                    row.parameters + row.buffers,
                )
            })
            .collect();
        let want = network
            .layers
            .iter()
            .map(|(name, output, n)| (*name, output.to_vec(), *n));
        assert_eq!(got, want.collect::<Vec<_>>(), "{}", network.recipe);
        let text = summary.to_string();
        assert!(
            text.contains("trainable") && text.contains("non-trainable"),
            "{text}"
        );
    }
}

/// Constants that no shape tells: as the layers describe themselves.
#[test]
fn constants_of_layers_are_the_documents() {
    let lines = CONSTANTS.lines().filter(|line| !line.starts_with('#'));
    for line in lines {
        let cells: Vec<_> = line.split(" | ").collect();
        let [recipe, layer, part, section] = cells[..] else {
            panic!("four cells expected: {line}");
        };
        let network = Recipe::named(recipe).unwrap().architecture(5, 3).unwrap();
        let mut layers = network.layers();
        let found = layers.find(|it: &&Layer| it.name() == layer).unwrap();
        let text = format!("{:?}", found.module());
        assert!(
            text.contains(part),
            "{recipe} {layer}: {part} ({section}) in {text}"
        );
    }
}

/// "Outputs" of the PyTorch walk-through: the eight settings, without and with mirror images, normalisation and crops.
#[test]
fn the_authors_eight_settings_are_a_sweep() {
    let sweep = Sweep::named("torch-cifar100").unwrap().unwrap();
    let got: Vec<_> = sweep
        .runs
        .iter()
        .map(|run| {
            let is_normalised = run.images.mean.as_ref().unwrap()[0] > 0.0;
            let crop = run.images.resize == Some(230);
            let rate = run.optimizer.learning_rate;
            (
                run.name.as_str(),
                run.batch_size,
                run.epochs,
                rate,
                crop,
                is_normalised,
                run.images.flip,
            )
        })
        .collect();
    let want = [
        ("alexnet-1", 32, 10, 5e-3, false, false, false),
        ("alexnet-2", 64, 10, 5e-3, true, false, false),
        ("alexnet-3", 64, 10, 1e-3, true, true, false),
        ("alexnet-4", 128, 10, 5e-3, true, true, true),
        ("alexnet-5", 64, 10, 5e-3, true, false, true),
        ("alexnet-6", 32, 10, 5e-3, true, false, true),
        ("alexnet-7", 32, 20, 5e-3, true, true, true),
        ("alexnet-8", 32, 20, 5e-3, true, true, true),
    ];
    assert_eq!(got, want);
    let kinds: Vec<_> = sweep
        .runs
        .iter()
        .map(|run| format!("{:?}", run.optimizer.kind))
        .collect();
    assert_eq!(kinds, [["Sgd"; 7].as_slice(), &["Adam"]].concat());
}
