//! Runs on a GPU on which something fails, at any moment: one line of error and no panic, and a run that goes on to the same
//! bits. Interrupts on a slow GPU, whose time is counted and not waited for.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use data::{DataSet, Shapes10};
use model::Architecture;
use model::layers::{Conv2d, Dense, Flatten, MaxPool, Relu};
use tensor::{Device, DeviceOptions, Fault, Faults};
use train::{Event, Outcome, Recipe, RunDir, Trainer};

/// Moments of a run at which the device goes.
const MOMENTS: u64 = 20;

fn data() -> DataSet {
    let data = Shapes10::default().with_sizes(20, 12, 8);
    data.generate().unwrap()
}

/// Two epochs of three steps, the last of each smaller, with a validation after each and a test at the end.
fn trainer(device: &Device) -> train::Result<Trainer> {
    let mut recipe = Recipe::named("shapes10").unwrap();
    (
        recipe.epochs,
        recipe.batch_size,
        recipe.evaluation_batch_size,
    ) = (2, 8, 4);
    let layers = vec![
        Conv2d::new(4, 3).into(),
        Relu::new().into(),
        MaxPool::new(2, 2).into(),
        Flatten::new().into(),
        Dense::new(10).into(),
    ];
    let network = Architecture::from_layers("tiny", [32, 32, 3], layers).unwrap();
    Trainer::with_network(recipe, network, data(), device)
}

/// Trains in a folder from where it was; the outcome, and the weights as they are then.
fn train(
    device: &Device,
    folder: &Path,
    stop: &AtomicBool,
) -> train::Result<(Outcome, Vec<Vec<u32>>)> {
    let mut trainer = trainer(device)?;
    match RunDir::open(folder) {
        Ok(run) => trainer.resume(run)?,
        Err(_) => trainer.save_to(RunDir::create(folder, trainer.recipe())?)?,
    }
    let outcome = trainer.run(stop, &mut |_: Event<'_>| {})?;
    let parameters = trainer.network().parameters().iter();
    let bits =
        parameters.map(|(_, tensor)| Ok(tensor.to_vec()?.into_iter().map(f32::to_bits).collect()));
    Ok((outcome, bits.collect::<train::Result<_>>()?))
}

fn undisturbed(device: &Device) -> Vec<Vec<u32>> {
    let root = tempfile::tempdir().unwrap();
    let (outcome, bits) = train(device, &root.path().join("run"), &AtomicBool::new(false)).unwrap();
    assert!(matches!(outcome, Outcome::Finished(_)), "{outcome:?}");
    bits
}

/// A GPU with these faults, if there is one at all.
fn gpu(options: DeviceOptions, faults: &Faults) -> Option<Device> {
    super::gpu()?;
    Some(Device::open_with_faults("gpu", options, faults).unwrap())
}

/// The error of a run on `device`, which must be one line that says `what`.
fn error_of(device: &Device, folder: &Path, what: &str) -> String {
    let error = train(device, folder, &AtomicBool::new(false))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(what) && error.lines().count() == 1,
        "{error}"
    );
    error
}

#[test]
fn a_gpu_that_goes_at_any_moment_is_one_error_and_the_run_goes_on() {
    let faults = Faults::default();
    let Some(healthy) = gpu(DeviceOptions::default(), &faults) else {
        return;
    };
    let expected = undisturbed(&healthy);
    let calls = faults.occasions(Fault::Lost);
    assert!(calls > 100 * MOMENTS / 10, "{calls} calls to lose it at");
    for moment in 0..MOMENTS {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("run");
        let call = 1 + moment * (calls - 1) / (MOMENTS - 1);
        let faults = Faults::at(Fault::Lost, call);
        let device = gpu(DeviceOptions::default(), &faults).unwrap();
        error_of(&device, &folder, "device lost");
        let (_, bits) = train(&healthy, &folder, &AtomicBool::new(false)).unwrap();
        assert!(bits == expected, "other weights after call {call}");
    }
}

#[test]
fn a_wait_that_panics_in_wgpu_is_one_error_and_the_run_goes_on() {
    let faults = Faults::default();
    let Some(healthy) = gpu(DeviceOptions::default(), &faults) else {
        return;
    };
    let expected = undisturbed(&healthy);
    let waits = faults.occasions(Fault::Wait);
    for wait in [1, waits / 2, waits] {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("run");
        let device = gpu(DeviceOptions::default(), &Faults::at(Fault::Wait, wait)).unwrap();
        error_of(&device, &folder, "device lost");
        let (_, bits) = train(&healthy, &folder, &AtomicBool::new(false)).unwrap();
        assert!(bits == expected, "other weights after wait {wait}");
    }
}

#[test]
fn a_reading_that_fails_is_one_error_and_the_run_goes_on() {
    let faults = Faults::default();
    let Some(device) = gpu(DeviceOptions::default(), &faults) else {
        return;
    };
    let expected = undisturbed(&device);
    let readings = faults.occasions(Fault::Reading);
    for at in 0..6 {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("run");
        faults.plan(Fault::Reading, 1 + at * (readings - 1) / 5);
        error_of(&device, &folder, "reading");
        let (_, bits) = train(&device, &folder, &AtomicBool::new(false)).unwrap();
        assert!(
            bits == expected,
            "other weights after a reading that failed"
        );
    }
}

/// Every buffer of a run: parameters, activations, gradients, the optimizer's, those of evaluation, and copies to and fro.
#[test]
fn an_allocation_that_fails_is_one_error_and_the_device_works_on() {
    for selector in ["cpu", "gpu"] {
        let faults = Faults::default();
        let options = DeviceOptions::default();
        let device = match selector {
            "gpu" => gpu(options, &faults),
            _ => Device::open_with_faults(selector, options, &faults).ok(),
        };
        let Some(device) = device else { continue };
        let expected = undisturbed(&device);
        let mut number = 0;
        loop {
            number += 1;
            device.trim();
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join("run");
            let before = faults.occasions(Fault::Allocation);
            faults.plan(Fault::Allocation, number);
            let result = train(&device, &folder, &AtomicBool::new(false));
            if faults.occasions(Fault::Allocation) - before < number {
                assert!(result.unwrap().1 == expected, "{selector}: undisturbed");
                break;
            }
            match result {
                // Memory to copy by is asked for again, once what holds it is done.
                Ok((_, bits)) => assert!(bits == expected, "{selector}: allocation {number}"),
                Err(error) => {
                    let error = error.to_string();
                    let is_right = error.contains("out of memory on") && error.lines().count() == 1;
                    assert!(is_right, "{selector}: allocation {number}: {error}");
                }
            }
            // Now and then, where that run stopped.
            if number % 16 == 0 {
                let (_, bits) = train(&device, &folder, &AtomicBool::new(false)).unwrap();
                assert!(bits == expected, "{selector}: resumed after {number}");
            }
        }
        assert!(number > 40, "{selector}: {number} allocations");
    }
}

/// A step of AlexNet without groups has 842 GFLOP with 128 images.
const LONG_STEP: u64 = 842_000_000_000;

/// A slow GPU on which each step of [`trainer`] is as long as that one, and what to do at which of its submissions.
struct Slow {
    faults: Faults,
    device: Device,
    /// Submissions until the interrupt.
    left: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    asked: Arc<OnceLock<Duration>>,
}

/// Work of a full step, as the device counts it.
fn work_of_step() -> Option<u64> {
    let faults = Faults::simulated(1e12, 1, |_| {});
    let device = gpu(DeviceOptions::default(), &faults)?;
    let mut trainer = trainer(&device).unwrap();
    let mut after = Vec::new();
    let mut listener = |event: Event<'_>| {
        if matches!(event, Event::Step(_)) {
            after.push(faults.work().unwrap());
        }
    };
    drop(trainer.run(&AtomicBool::new(false), &mut listener).unwrap());
    Some(after[1] - after[0])
}

impl Slow {
    /// One that does 0.5 TFLOP/s, and is treated as a GPU is.
    fn new(scale: u64, interrupt_at: u64) -> Self {
        let left = Arc::new(AtomicU64::new(interrupt_at));
        let (stop, asked) = (
            Arc::new(AtomicBool::new(false)),
            Arc::<OnceLock<_>>::default(),
        );
        let (count, set, note) = (Arc::clone(&left), Arc::clone(&stop), Arc::clone(&asked));
        let faults = Faults::simulated(0.5e12, scale, move |now| {
            if count.fetch_sub(1, Ordering::Relaxed) == 1 {
                set.store(true, Ordering::Relaxed);
                note.get_or_init(|| now);
            }
        });
        let options = DeviceOptions {
            is_large_gpu: true,
            ..DeviceOptions::default()
        };
        Self {
            device: gpu(options, &faults).unwrap(),
            faults,
            left,
            stop,
            asked,
        }
    }
}

#[test]
fn an_interrupt_is_answered_within_two_seconds_on_a_slow_gpu() {
    let Some(work) = work_of_step() else { return };
    let scale = LONG_STEP / work;
    let expected = {
        let whole = Slow::new(scale, u64::MAX);
        let root = tempfile::tempdir().unwrap();
        let run = train(&whole.device, &root.path().join("run"), &whole.stop);
        let submissions = u64::MAX - whole.left.load(Ordering::Relaxed);
        (run.unwrap().1, submissions)
    };
    let (bits, submissions) = expected;
    let mut interrupted = 0;
    for at in (1..submissions).step_by(usize::try_from(submissions / 24).unwrap().max(1)) {
        let slow = Slow::new(scale, at);
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("run");
        let (outcome, _) = train(&slow.device, &folder, &slow.stop).unwrap();
        let answered = slow.faults.now().unwrap() - *slow.asked.get().unwrap();
        assert!(
            answered < Duration::from_secs(2),
            "{answered:?} after submission {at} of {submissions}: {outcome:?}"
        );
        interrupted += usize::from(matches!(outcome, Outcome::Interrupted { .. }));
        if at % 3 == 0 {
            slow.stop.store(false, Ordering::Relaxed);
            let (_, resumed) = train(&slow.device, &folder, &slow.stop).unwrap();
            assert!(resumed == bits, "other weights after submission {at}");
        }
    }
    assert!(
        interrupted > 12,
        "{interrupted} of the runs were interrupted"
    );
}
