//! Images that stay on the device: the same run, bit for bit, as with each batch's pixels sent.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use data::{DataError, DataSet, Images, Shapes10, Source};
use tensor::{Device, DeviceOptions};
use train::{CropKind, Event, Recipe, Residency, Trainer};

fn recipe(resident: Residency) -> Recipe {
    let mut recipe = Recipe::named("shapes10").unwrap();
    (recipe.epochs, recipe.batch_size) = (2, 8);
    // The last batch of validation is mostly padding.
    recipe.evaluation_batch_size = 9;
    (recipe.images.crop, recipe.images.pad) = (CropKind::Random, 2);
    (recipe.images.flip, recipe.images.brightness) = (true, 0.2);
    recipe.runtime.resident = resident;
    recipe
}

fn data() -> DataSet {
    let set = Shapes10::default().with_sizes(27, 10, 10).generate();
    set.unwrap()
}

/// What a run has come to: its weights and its rows' losses, as bits; and how many bytes of images stayed on the device.
fn trained(resident: Residency, data: DataSet, device: &Device) -> (Vec<Vec<u32>>, Vec<u64>, u64) {
    let mut trainer = Trainer::new(recipe(resident), data, device).unwrap();
    let (mut losses, mut bytes) = (Vec::new(), 0);
    let mut listener = |event: Event<'_>| match event {
        Event::Started(start) => bytes = start.resident_bytes,
        Event::Epoch(row) => {
            losses.extend([row.train_loss, row.val_loss.unwrap()].map(f64::to_bits));
        }
        _ => {}
    };
    drop(trainer.run(&AtomicBool::new(false), &mut listener).unwrap());
    let bits = |tensor: &tensor::Tensor| tensor.to_vec().unwrap().into_iter().map(f32::to_bits);
    let parameters = trainer.network().parameters().iter();
    let weights = parameters.map(|(_, tensor)| bits(tensor).collect());
    (weights.collect(), losses, bytes)
}

#[test]
fn resident_images_train_to_the_same_bits() {
    for device in [Some(Device::cpu()), super::gpu()].into_iter().flatten() {
        let sent = trained(Residency::Never, data(), &device);
        let resident = trained(Residency::Always, data(), &device);
        let name = device.name();
        assert_eq!((sent.2, resident.2), (0, (27 + 10) * 3072), "{name}");
        assert!(sent.0 == resident.0, "weights on {name}");
        assert_eq!(sent.1, resident.1, "losses on {name}");
    }
}

/// Images that nobody has decoded yet.
#[derive(Debug)]
struct Undecoded;

impl Source for Undecoded {
    fn read(&self, index: usize, out: &mut [u8]) -> Result<(), DataError> {
        out.fill(u8::try_from(index).unwrap());
        Ok(())
    }
}

#[test]
fn images_stay_on_a_gpu_by_themselves_if_they_are_decoded_and_fit() {
    let resident_bytes = |data, device: &Device| trained(Residency::Auto, data, device).2;
    assert_eq!(resident_bytes(data(), &Device::cpu()), 0, "they are there");
    let Some(gpu) = super::gpu() else { return };
    assert_eq!(resident_bytes(data(), &gpu), 37 * 3072);
    let mut half = data();
    let (labels, names) = (half.train.labels().to_vec(), half.class_names().to_vec());
    half.train = Images::from_source([32, 32], Arc::new(Undecoded), labels, names).unwrap();
    assert_eq!(resident_bytes(half, &gpu), 10 * 3072, "validation alone");
}

#[test]
fn images_that_should_stay_and_that_no_binding_holds_are_an_error() {
    let options = DeviceOptions {
        max_binding_bytes: Some(26 * 3072),
        ..DeviceOptions::default()
    };
    let Ok(device) = Device::open_with("gpu", options) else {
        assert!(super::gpu().is_none(), "a GPU that opens only without");
        return;
    };
    let error = Trainer::new(recipe(Residency::Always), data(), &device).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("runtime.resident: "), "{message}");
    assert!(message.contains("82944 bytes"), "{message}");
}

#[test]
fn the_memory_that_is_stated_counts_the_images_that_stay() {
    let stated = |resident| {
        let set = Shapes10::default().with_sizes(2000, 10, 10).generate();
        let mut trainer = Trainer::new(recipe(resident), set.unwrap(), &Device::cpu()).unwrap();
        let mut bytes = 0;
        let mut listener = |event: Event<'_>| {
            if let Event::Started(start) = event {
                bytes = start.memory.device_bytes;
            }
        };
        // Nothing but the start.
        drop(trainer.run(&AtomicBool::new(true), &mut listener).unwrap());
        bytes
    };
    let more = stated(Residency::Always) - stated(Residency::Never);
    // In place of two batches; buffers are rounded up by an eighth at most.
    let (images, batches) = ((2000 + 10) * 3072, (8 + 9) * 3072);
    let most = images + images / 8;
    assert!((images - 2 * batches..=most).contains(&more), "{more}");
}
