//! The same bits whatever the threads and the interruptions.

use train::{EmaRecipe, EraseRecipe, MixRecipe, Outcome, RunDir, Summary};

use super::{assert_same_run, bytes, finished, recipe, run};

#[test]
fn one_seed_gives_the_same_bits_whatever_the_loader_threads() {
    let root = tempfile::tempdir().unwrap();
    let [one, three, other] = ["one", "three", "other"].map(|name| root.path().join(name));
    for (folder, threads, seed) in [(&one, 1, 42), (&three, 3, 42), (&other, 1, 43)] {
        let mut recipe = recipe();
        recipe.epochs = 2;
        (recipe.runtime.loader_threads, recipe.seed) = (threads, seed);
        finished(run(folder, recipe, u64::MAX));
    }
    assert_same_run(&one, &three, "1 and 3 threads");
    let name = "last/model.safetensors";
    assert!(
        bytes(&one, name) != bytes(&other, name),
        "another seed gives other weights"
    );
}

#[test]
fn a_run_that_was_stopped_and_resumed_equals_one_that_never_stopped() {
    let root = tempfile::tempdir().unwrap();
    let [straight, stopped] = ["straight", "stopped"].map(|name| root.path().join(name));
    let expected = finished(run(&straight, recipe(), u64::MAX));
    // After the second epoch, and within the third.
    for stop_at in [8, 10] {
        let outcome = run(&stopped, recipe(), stop_at);
        assert!(
            matches!(outcome, Outcome::Interrupted { step } if step == stop_at),
            "{outcome:?}"
        );
    }
    let summary = finished(run(&stopped, recipe(), u64::MAX));
    assert_same_run(&straight, &stopped, "stopped twice");
    let figures = |s: &Summary| {
        (
            s.test_accuracy,
            s.test_loss,
            s.val_loss,
            s.best_epoch,
            s.steps,
        )
    };
    assert_eq!(figures(&summary), figures(&expected), "summary");
    // What was complete is complete again, and unchanged.
    finished(run(&stopped, recipe(), u64::MAX));
    assert_same_run(&straight, &stopped, "resumed when complete");
}

/// Averaged weights, steps of several batches, mixing and everything random about images.
#[test]
fn a_run_with_all_that_a_step_can_do_is_resumed_with_the_same_bits() {
    let root = tempfile::tempdir().unwrap();
    let [straight, stopped] = ["straight", "stopped"].map(|name| root.path().join(name));
    let mut recipe = recipe();
    "alexnet-cifar".clone_into(&mut recipe.network);
    // Eight batches an epoch: steps of three, three and two.
    (recipe.epochs, recipe.batch_size) = (2, 8);
    recipe.optimizer.accumulate = 3;
    recipe.optimizer.clip_norm = Some(1.0);
    recipe.ema = Some(EmaRecipe::new(0.9));
    recipe.label_smoothing = 0.1;
    recipe.mix = MixRecipe {
        mixup: 0.4,
        cutmix: 1.0,
        probability: 0.8,
    };
    (recipe.images.mean, recipe.images.std) = (None, None);
    (recipe.images.brightness, recipe.images.contrast) = (0.2, 0.2);
    recipe.images.colour_shift = 0.1;
    recipe.images.erase = Some(EraseRecipe::default());
    let expected = finished(run(&straight, recipe.clone(), u64::MAX));
    assert_eq!(expected.steps, 6, "three steps an epoch");
    // Within the first epoch, and within the second; what is resumed is the recipe in the folder.
    for stop_at in [2, 5] {
        let outcome = run(&stopped, recipe.clone(), stop_at);
        assert!(
            matches!(outcome, Outcome::Interrupted { step } if step == stop_at),
            "{outcome:?}"
        );
        recipe = RunDir::open(&stopped).unwrap().recipe().unwrap();
        assert!(recipe.images.colour_components.is_some(), "resolved");
    }
    let summary = finished(run(&stopped, recipe, u64::MAX));
    assert_same_run(&straight, &stopped, "stopped twice");
    assert_eq!(
        (summary.test_loss, summary.steps),
        (expected.test_loss, expected.steps)
    );
}

#[test]
fn running_statistics_of_batch_norm_are_saved_and_resumed() {
    let root = tempfile::tempdir().unwrap();
    let [straight, stopped] = ["straight", "stopped"].map(|name| root.path().join(name));
    let mut recipe = recipe();
    "alexnet-cifar".clone_into(&mut recipe.network);
    recipe.epochs = 2;
    finished(run(&straight, recipe.clone(), u64::MAX));
    run(&stopped, recipe.clone(), 3);
    finished(run(&stopped, recipe, u64::MAX));
    assert_same_run(&straight, &stopped, "stopped in the first epoch");
}
