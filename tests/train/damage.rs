//! Bad days: damaged checkpoints, two writers, images and settings that changed while a run was stopped.

use std::fs;
use std::path::Path;

use data::{DataSet, Images, Split};
use model::{Architecture, Head, Network};
use tensor::Device;
use train::{Error, Event, Outcome, ResumeOptions, RunDir, Trainer, Weights};

use super::{assert_same_run, data, finished, recipe, run};

/// A sequence of numbers that a seed fixes (`SplitMix64`, Steele 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }
}

/// A copy with one kind of damage: a flipped bit, a cut, two swapped bytes, or a run of zeros.
fn damaged(whole: &[u8], random: &mut Random) -> Vec<u8> {
    loop {
        let mut bytes = whole.to_vec();
        let at = random.below(bytes.len());
        match random.below(4) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes.truncate(at),
            2 => bytes.swap(at, random.below(whole.len())),
            _ => {
                let end = whole.len().min(at + 1 + random.below(64));
                bytes[at..end].fill(0);
            }
        }
        if bytes != whole {
            return bytes;
        }
    }
}

/// `DAMAGED=500` damages each file so often.
fn times() -> usize {
    let asked = std::env::var("DAMAGED").ok();
    asked.map_or(60, |n| n.parse().expect("DAMAGED is a number"))
}

#[test]
fn no_damaged_file_of_a_checkpoint_is_accepted() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut recipe = recipe();
    recipe.epochs = 1;
    finished(run(&folder, recipe.clone(), u64::MAX));
    let last = folder.join("checkpoints/last");
    let mut trainer = super::trainer(recipe);
    let mut random = Random(12);
    for name in ["model.safetensors", "optimizer.safetensors", "state.json"] {
        let path = last.join(name);
        let whole = fs::read(&path).unwrap();
        for time in 0..times() {
            fs::write(&path, damaged(&whole, &mut random)).unwrap();
            let run = RunDir::open(&folder).unwrap();
            let mut messages = Vec::new();
            match trainer.resume_with(run, &ResumeOptions::default()) {
                Ok(_) => panic!("{name}, {time}: resumed"),
                Err(error) => messages.push(error.to_string()),
            }
            // The optimizer's file is no part of what is evaluated.
            if name != "optimizer.safetensors" {
                match Weights::find(&last) {
                    Ok(_) => panic!("{name}, {time}: evaluated"),
                    Err(error) => messages.push(error.to_string()),
                }
            }
            for message in messages {
                assert!(message.contains(name), "{name}, {time}: {message}");
                assert_eq!(message.lines().count(), 1, "{name}, {time}: {message}");
            }
        }
        fs::write(&path, whole).unwrap();
    }
    let run = RunDir::open(&folder).unwrap();
    trainer.resume(run).unwrap();
}

#[test]
fn a_run_goes_on_from_another_checkpoint_by_choice() {
    let root = tempfile::tempdir().unwrap();
    let [straight, folder] = ["straight", "damaged"].map(|name| root.path().join(name));
    let mut recipe = recipe();
    recipe.checkpoints.every = 1;
    finished(run(&straight, recipe.clone(), u64::MAX));
    finished(run(&folder, recipe.clone(), u64::MAX));
    let path = folder.join("checkpoints/last/optimizer.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let mut trainer = super::trainer(recipe);
    let open = || RunDir::open(&folder).unwrap();
    let error = trainer.resume(open()).unwrap_err();
    assert!(matches!(&error, Error::Damaged { path: at, .. } if *at == path));
    let from = |name: &str| ResumeOptions {
        checkpoint: Some(name.to_owned()),
        ..ResumeOptions::default()
    };
    let absent = trainer.resume_with(open(), &from("epoch-0099"));
    assert!(matches!(absent, Err(Error::NoRun { .. })), "{absent:?}");
    trainer.resume_with(open(), &from("epoch-0003")).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    finished(trainer.run(&stop, &mut |_: Event<'_>| {}).unwrap());
    assert_same_run(&straight, &folder, "from the third epoch");
}

#[test]
fn a_run_has_one_writer() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut first = super::trainer(recipe());
    let run = RunDir::create(&folder, first.recipe()).unwrap();
    first.save_to(run).unwrap();
    let mut second = super::trainer(recipe());
    let resumed = second.resume(RunDir::open(&folder).unwrap());
    let created = RunDir::create(&folder, second.recipe()).map(drop);
    for refused in [resumed, created] {
        let error = refused.unwrap_err();
        let pid = format!("process {} on", std::process::id());
        assert!(matches!(error, Error::InUse { .. }), "{error}");
        assert!(error.to_string().contains(&pid), "{error}");
    }
    drop(first);
    second.resume(RunDir::open(&folder).unwrap()).unwrap();
}

/// Data of the run below with other images or classes.
fn resumed_with(folder: &Path, data: DataSet, accepts: bool) -> Result<Vec<String>, Error> {
    let mut trainer = Trainer::new(recipe(), data, &Device::cpu()).unwrap();
    let options = ResumeOptions {
        accept_changed_data: accepts,
        ..ResumeOptions::default()
    };
    trainer.resume_with(RunDir::open(folder).unwrap(), &options)
}

#[test]
fn a_run_remembers_its_images_and_its_settings() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let outcome = run(&folder, recipe(), 4);
    assert!(matches!(outcome, Outcome::Interrupted { .. }));
    let none: [String; 0] = [];
    assert_eq!(resumed_with(&folder, data(), false).unwrap(), none);
    // A class of the same number of images, and of the same labels, under another name.
    let mut renamed = data();
    let mut names = renamed.class_names().to_vec();
    names.swap(0, 1);
    let labels: Vec<u32> = (0..).take(names.len()).collect();
    let rename =
        |images: Option<&Images>| images.map(|it| it.relabelled(&labels, names.clone()).unwrap());
    renamed.train = rename(Some(&renamed.train)).unwrap();
    renamed.validation = rename(renamed.validation.as_ref());
    renamed.test = rename(renamed.test.as_ref());
    for accepts in [false, true] {
        let error = resumed_with(&folder, renamed.clone(), accepts).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("data.json") && message.contains(&names[0]));
        assert!(matches!(error, Error::DataChanged { can_go_on, .. } if !can_go_on));
    }
    // The last training image is gone.
    let mut fewer = data();
    let kept: Vec<u32> = (0..69).collect();
    fewer.train = fewer.train.subset(&kept).unwrap();
    let error = resumed_with(&folder, fewer.clone(), false).unwrap_err();
    assert!(
        error.to_string().contains("7 images before, 6 now"),
        "{error}"
    );
    let notes = resumed_with(&folder, fewer, true).unwrap();
    assert!(notes[0].contains("7 images before, 6 now"), "{notes:?}");
    // Settings.
    let mut other = recipe();
    (other.batch_size, other.epochs) = (8, 9);
    let mut trainer = super::trainer(other);
    let options = ResumeOptions {
        accept_changed_data: true,
        ..ResumeOptions::default()
    };
    let error = trainer.resume_with(RunDir::open(&folder).unwrap(), &options);
    let error = error.unwrap_err();
    assert!(matches!(error, Error::ConfigChanged { .. }), "{error}");
    assert!(
        error.to_string().contains("batch_size was 16, is 8"),
        "{error}"
    );
}

#[test]
fn weights_are_evaluated_by_the_names_of_their_classes() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let mut recipe = recipe();
    recipe.epochs = 1;
    finished(run(&folder, recipe.clone(), u64::MAX));
    let weights = Weights::find(&folder).unwrap();
    assert!(!weights.is_unchecked);
    let score = |data: &DataSet| {
        let (split, device) = (Split::Test, Device::cpu());
        train::evaluate(&weights.path, &recipe, data, split, &device, &mut |_, _| {})
    };
    let straight = score(&data()).unwrap();
    assert_eq!(straight.note, None);
    // The same images, with the classes in the opposite order.
    let mut reversed = data();
    let names: Vec<String> = reversed.class_names().iter().rev().cloned().collect();
    let labels: Vec<u32> = (0..10).rev().collect();
    let turned =
        |images: Option<&Images>| images.map(|it| it.relabelled(&labels, names.clone()).unwrap());
    reversed.train = turned(Some(&reversed.train)).unwrap();
    reversed.test = turned(reversed.test.as_ref());
    let by_name = score(&reversed).unwrap();
    assert_eq!(by_name.classes, straight.classes);
    assert_eq!(by_name.score.accuracy, straight.score.accuracy);
    assert_eq!(by_name.score.loss, straight.score.loss);
    assert!(by_name.note.unwrap().contains("another order"));
}

#[test]
fn the_last_layer_follows_the_class_names() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("w.safetensors");
    let small = || Architecture::new("alexnet-small", Some(3), None).unwrap();
    let named = |seed, names: [&str; 3]| {
        let network = Network::new(small(), seed, &Device::cpu()).unwrap();
        network.with_class_names(&names.map(str::to_owned)).unwrap()
    };
    let theirs = named(1, ["a", "b", "c"]);
    fs::write(&path, theirs.to_bytes().unwrap()).unwrap();
    let head = |network: &Network| -> Vec<f32> {
        let mut parameters = network.parameters().iter();
        let found = parameters.rfind(|(name, _)| name.ends_with("weight"));
        found.unwrap().1.to_vec().unwrap()
    };
    let swapped = named(2, ["c", "a", "b"]);
    assert_eq!(swapped.load_matching(&path).unwrap().head, Head::ByName);
    let expected = head(&theirs)
        .chunks(3)
        .flat_map(|row| [row[2], row[0], row[1]])
        .collect::<Vec<_>>();
    assert_eq!(head(&swapped), expected);
    let others = named(2, ["a", "b", "d"]);
    let before = head(&others);
    let matching = others.load_matching(&path).unwrap();
    assert_eq!(matching.head, Head::New);
    assert_eq!(head(&others), before, "as it was");
    assert!(matching.missing.iter().any(|name| name.ends_with("weight")));
}
