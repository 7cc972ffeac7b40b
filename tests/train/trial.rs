//! Trials: a few batches of everything, one batch over and over, and the search for a learning rate.

use std::sync::atomic::AtomicBool;

use tensor::Device;
use train::{Event, RateSearch, Trainer, has_learnt_batch};

use super::{data, finished, recipe, trainer};

#[test]
fn a_fast_run_takes_a_few_batches_of_each_split() {
    let mut recipe = recipe();
    recipe.batch_size = 4;
    let recipe = recipe.for_fast_run();
    let mut told = None;
    let mut listener = |event: Event<'_>| {
        if let Event::Started(start) = event {
            told = Some((start.images, start.epochs));
        }
    };
    let mut trainer = trainer(recipe);
    let summary = finished(trainer.run(&AtomicBool::new(false), &mut listener).unwrap());
    assert_eq!(told, Some(([12; 3], 1)));
    assert_eq!((summary.epochs, summary.steps), (1, 3));
}

#[test]
fn one_batch_is_learnt_at_a_good_rate_and_not_at_none() {
    let mut recipe = recipe();
    recipe.batch_size = 4;
    recipe.optimizer.learning_rate = 3e-4;
    let learnt = |recipe: train::Recipe, steps| {
        let (recipe, data) = recipe.for_one_batch(&data(), steps).unwrap();
        assert_eq!((data.train.len(), data.test.is_none()), (4, true));
        assert!(
            !recipe.images.flip && recipe.images.pad == 0,
            "nothing random"
        );
        let mut trainer = Trainer::new(recipe, data, &Device::cpu()).unwrap();
        let stop = AtomicBool::new(false);
        let summary = finished(trainer.run(&stop, &mut |_: Event<'_>| {}).unwrap());
        assert_eq!(summary.steps, steps, "one batch an epoch");
        (has_learnt_batch(&summary), summary.val_loss)
    };
    let (is_learnt, loss) = learnt(recipe.clone(), 80);
    assert!(is_learnt, "loss {loss:?}");
    recipe.optimizer.learning_rate = 1e-12;
    let (is_learnt, loss) = learnt(recipe, 3);
    assert!(!is_learnt, "loss {loss:?}");
}

#[test]
fn the_search_for_a_rate_ends_where_the_loss_goes_up() {
    let search = RateSearch {
        from: 1e-6,
        to: 10.0,
        steps: 40,
    };
    let find = || {
        let mut trainer = trainer(recipe());
        let stop = AtomicBool::new(false);
        trainer
            .find_rate(&search, &stop, &mut |_: Event<'_>| {})
            .unwrap()
    };
    let finding = find();
    let last = finding.points.last().unwrap();
    assert!(finding.points.len() < 40 && last.rate < 10.0, "{last:?}");
    assert!(
        finding.diverged_at.is_some_and(|rate| rate > last.rate),
        "{finding:?}"
    );
    let suggestion = finding.suggestion.unwrap();
    assert!((1e-6..1e-1).contains(&suggestion), "{suggestion}");
    assert_eq!(finding, find(), "the same again");
    let mut trainer = trainer(recipe());
    for bad in [
        RateSearch {
            from: 0.0,
            ..search
        },
        RateSearch { to: 1e-7, ..search },
        RateSearch { steps: 1, ..search },
    ] {
        let stop = AtomicBool::new(false);
        let found = trainer.find_rate(&bad, &stop, &mut |_: Event<'_>| {});
        assert!(found.is_err(), "{bad:?}");
    }
}
