//! Steps that go to a GPU in pieces: the same bits wherever they are cut.

use std::sync::atomic::AtomicBool;

use data::Shapes10;
use tensor::{Device, DeviceOptions};
use train::{Event, Recipe, Trainer};

/// The weights after four steps whose submissions hold at most this much work, as bits.
fn trained(submission_work: u64) -> Option<Vec<Vec<u32>>> {
    let options = DeviceOptions {
        submission_work: Some(submission_work),
        ..DeviceOptions::default()
    };
    let Ok(device) = Device::open_with("gpu", options) else {
        assert!(super::gpu().is_none(), "a GPU that opens only without");
        return None;
    };
    let mut recipe = Recipe::named("shapes10").unwrap();
    (recipe.epochs, recipe.batch_size) = (2, 8);
    let data = Shapes10::default().with_sizes(16, 8, 8).generate().unwrap();
    let mut trainer = Trainer::new(recipe, data, &device).unwrap();
    let mut silent = |_: Event<'_>| {};
    drop(trainer.run(&AtomicBool::new(false), &mut silent).unwrap());
    let bits = |tensor: &tensor::Tensor| tensor.to_vec().unwrap().into_iter().map(f32::to_bits);
    let parameters = trainer.network().parameters().iter();
    Some(
        parameters
            .map(|(_, tensor)| bits(tensor).collect())
            .collect(),
    )
}

#[test]
fn a_step_gives_the_same_bits_wherever_it_is_cut() {
    let Some(whole) = trained(u64::MAX) else {
        return;
    };
    // Between all dispatches, then between ever fewer of them: a step of 8 images is about 1.3 GFLOP.
    for work in [0, 1 << 22, 1 << 24, 1 << 26, 1 << 27, 1 << 28, 1 << 29] {
        let cut = trained(work);
        assert!(cut.as_ref() == Some(&whole), "pieces of {work}");
    }
}
