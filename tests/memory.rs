//! The memory of a training run: as much as was said before its first step, and flat from then on.
//!
//! One test in a program of its own: what a process has resident is everybody's.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails fails its test"
)]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use data::Shapes10;
use tensor::Device;
use train::{
    Event, Memory, Outcome, Recipe, RunDir, Summary, Trainer, peak_host_bytes, resident_bytes,
};

/// Steps after which caches, pools and allocators have all they need.
const SETTLED: u64 = 200;

#[test]
fn memory_is_as_stated_and_flat() {
    let folder = tempfile::tempdir().unwrap();
    // First, as the system's peak is that of the whole process.
    let (stated, summary) = stated_and_taken(&Device::cpu(), &folder.path().join("run"));
    assert_close("device", stated.device_bytes, summary.peak_device_bytes);
    if let (Some(stated), Some(taken)) = (stated.host_bytes, peak_host_bytes()) {
        assert_close("host", stated, taken);
    }
    assert_flat(&Device::cpu(), 2000);
    match Device::open("gpu") {
        Ok(device) => {
            let (stated, summary) = stated_and_taken(&device, &folder.path().join("gpu"));
            assert_close(
                device.name(),
                stated.device_bytes,
                summary.peak_device_bytes,
            );
            assert_flat(&device, SETTLED + 100);
        }
        Err(error) if std::env::var_os("REQUIRE_GPU").is_some() => panic!("{error}"),
        Err(error) => eprintln!("no GPU, so not tested there: {error}"),
    }
}

/// A short run of alexnet-small with checkpoints, validation and a test.
fn stated_and_taken(device: &Device, folder: &Path) -> (Memory, Box<Summary>) {
    let data = Shapes10::default().with_sizes(64, 32, 32).generate();
    let mut recipe = Recipe::named("shapes10").unwrap();
    (recipe.epochs, recipe.batch_size) = (1, 16);
    let mut trainer = Trainer::new(recipe, data.unwrap(), device).unwrap();
    let run = RunDir::create(folder, trainer.recipe()).unwrap();
    trainer.save_to(run).unwrap();
    let mut stated = None;
    let mut listener = |event: Event<'_>| {
        if let Event::Started(start) = event {
            stated = Some(start.memory);
        }
    };
    match trainer.run(&AtomicBool::new(false), &mut listener).unwrap() {
        Outcome::Finished(summary) => (stated.unwrap(), summary),
        Outcome::Interrupted { .. } => panic!("nobody interrupts"),
    }
}

fn assert_close(what: &str, stated: u64, taken: u64) {
    assert!(
        stated.abs_diff(taken) <= taken / 10,
        "{what}: stated {stated} bytes, took {taken}"
    );
}

/// Trains `steps` steps of alexnet-small on images of 8x8, with a validation every 16: the device's memory does not grow at
/// all after the first step, the process's by less than a KiB a step once it has settled. Whoever kept as much as a
/// small buffer's page a step would take four times that.
fn assert_flat(device: &Device, steps: u64) {
    let data = Shapes10::default().with_sizes(64, 16, 10).generate();
    let mut recipe = Recipe::named("shapes10").unwrap();
    (recipe.epochs, recipe.batch_size, recipe.input_size) = (u64::MAX, 4, Some(8.into()));
    let mut trainer = Trainer::new(recipe, data.unwrap(), device).unwrap();
    let (mut first, mut settled, mut last) = (None, None, None);
    let stop = AtomicBool::new(false);
    let mut listener = |event: Event<'_>| {
        let Event::Step(step) = event else { return };
        first.get_or_insert(device.memory());
        assert_eq!(
            Some(device.memory()),
            first,
            "{} at step {}",
            device.name(),
            step.step
        );
        match step.step {
            SETTLED => settled = resident_bytes(),
            number if number == steps => {
                last = resident_bytes();
                stop.store(true, Ordering::Relaxed);
            }
            _ => {}
        }
    };
    trainer.run(&stop, &mut listener).unwrap();
    if let (Some(settled), Some(last)) = (settled, last) {
        let most = 1024 * (steps - SETTLED);
        assert!(
            last <= settled + most,
            "{}: {settled} bytes resident after {SETTLED} steps, {last} after {steps}",
            device.name()
        );
    }
}
