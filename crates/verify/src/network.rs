//! Checks of whole networks at their own layer shapes: the loss's slope against the gradient, and one training step on a
//! device against the same step on the CPU device. What `alexnet gradcheck --model NAME` prints.
//!
//! Operators one by one are proven by [`crate::operators`].

use model::{Architecture, Mode, Network};
use tensor::ops::cross_entropy::CrossEntropy;
use tensor::random::{self, Philox};
use tensor::update::{Sgd, StepBuffer, StepScalars, sgd_step};
use tensor::{DType, Device, Gradients, Tensor, no_grad};

use crate::error::Result;
use tensor::log_sum_exp;

/// Images in a proof: enough for every kernel to have more than one, few enough for a software rasteriser.
const IMAGES: usize = 2;
/// How far the loss is moved along a gradient. Short moves meet fewer kinks of ReLU and maxima, long ones drown the
/// rounding of the logits; the best of these counts, since a wrong rule is wrong at every length.
const LOSS_CHANGES: [f64; 3] = [2e-3, 4e-4, 8e-5];
/// Largest relative difference of slope and gradient. Rounding of the logits, about 1e-7, over the middle of
/// [`LOSS_CHANGES`] is 1e-3; units that cross a kink on the way add several times that; a wrong term of a rule is 10 %
/// and more.
const SLOPE_TOLERANCE: f64 = 2e-2;
/// Largest difference of a step's updates between devices, as a fraction of the parameter's largest update. A gradient
/// passes through at most 2 x 8 sums of up to 9216 terms, each off by `4 * 2^-24 * (2 + sqrt(9216))`, 2.3e-5 of its
/// size: 4e-4 in all. The rest is for units within rounding of a kink of ReLU or of a tie of a pool, which may fall on either side,
/// rightly, and then move an update by all of their share. In the first layers of the paper's network some always do: pixels moved by
/// 2e-6 of themselves, as much as two orders of a sum of 9216 terms differ by, moved the CPU device's own updates by
/// .001 to .05 in 18 batches of 20. The best of twelve batches on an H100 was .0022 (conv1) and .0011 (conv2), within .001 in the rest; a
/// wrong term of a rule is a tenth and more.
const UPDATE_TOLERANCE: f64 = 5e-3;
/// Batches that are tried at most: the best counts for each parameter, since a wrong rule is wrong for every batch. Of the CPU device's
/// own 20 comparisons 5 were within the tolerance for all parameters at once, so that as many fail together in .3 % of cases.
const BATCHES: u64 = 20;

/// Large, so that an update is more than the rounding of the parameter it is added to.
const LEARNING_RATE: f32 = 1.0;

/// One comparison for one parameter.
#[derive(Clone, Debug)]
pub struct NetworkRow {
    /// The parameter.
    pub parameter: String,
    /// `slope` or `step on cpu`.
    pub check: &'static str,
    /// Relative error.
    pub error: f64,
    /// The most that rounding and kinks explain.
    pub tolerance: f64,
    /// Whether the error is within it.
    pub passed: bool,
}

impl NetworkRow {
    fn new(parameter: &str, check: &'static str, error: f64, tolerance: f64) -> Self {
        // A NaN compares as false with everything, so it does not pass.
        Self {
            parameter: parameter.to_owned(),
            check,
            error,
            tolerance,
            passed: error <= tolerance,
        }
    }
}

/// A network with a batch of random images, and the step's scalars that fix its dropout.
struct Setup {
    network: Network,
    images: Tensor,
    labels: Tensor,
    step: StepBuffer,
}

/// Batch number `batch` of random images.
fn images(architecture: &Architecture, device: &Device, batch: u64) -> tensor::Result<Tensor> {
    let [height, width, channels] = architecture.input();
    let noise = Philox {
        seed: batch,
        stream: 0,
        step: 1,
    };
    random::normal(device, [IMAGES, height, width, channels], 1.0, noise)
}

impl Setup {
    fn new(architecture: &Architecture, device: &Device) -> Result<Self> {
        let network = Network::new(architecture.clone(), 2012, device)?;
        let classes = u32::try_from(architecture.classes()).unwrap_or(u32::MAX);
        let labels: Vec<u32> = (0..classes).step_by(7).cycle().take(IMAGES).collect();
        Ok(Self {
            images: images(architecture, device, 1)?,
            labels: Tensor::from_slice(device, &labels, [IMAGES])?,
            step: StepBuffer::new(device, &StepScalars::new(1, 1, LEARNING_RATE))?,
            network,
        })
    }

    fn logits(&self) -> tensor::Result<Tensor> {
        let mode = Mode::Train { step: &self.step };
        self.network.forward(&self.images, mode)
    }

    fn gradients(&self) -> tensor::Result<Gradients> {
        let logits = self.logits()?;
        let loss = logits.cross_entropy(&self.labels, &CrossEntropy::default())?;
        loss.backward()
    }

    /// The loss in f64 from f32 logits: its last sums must not drown the differences.
    fn loss(&self) -> tensor::Result<f64> {
        let logits = no_grad(|| self.logits())?.to_vec::<f32>()?;
        let labels = self.labels.to_vec::<u32>()?;
        let rows = logits.chunks(logits.len() / labels.len());
        let losses = rows.zip(&labels).map(|(row, &label)| {
            let terms = row.iter().map(|&x| f64::from(x));
            log_sum_exp(terms) - f64::from(row[label as usize])
        });
        Ok(losses.sum::<f64>() / labels.len() as f64)
    }
}

/// Checks the gradient of every parameter of `architecture` on `device` against the loss's slope along it, and hands each
/// row to `report` as it is there.
///
/// # Errors
/// If the device has no room for the network, or fails. A wrong gradient is a row that did not pass.
pub fn slopes(
    architecture: &Architecture,
    device: &Device,
    mut report: impl FnMut(NetworkRow),
) -> Result<()> {
    let setup = Setup::new(architecture, device)?;
    let gradients = setup.gradients()?;
    for (name, parameter) in setup.network.parameters() {
        let error = match gradients.get(parameter) {
            Some(gradient) => slope_error(&setup, parameter, gradient)?,
            None => f64::INFINITY,
        };
        report(NetworkRow::new(name, "slope", error, SLOPE_TOLERANCE));
    }
    Ok(())
}

/// Runs a full training step (forward, backward, update) of `architecture` on `device` and on the CPU device, and
/// compares the updated weights; with other images where they differ, up to twenty times.
///
/// # Errors
/// As [`slopes`].
pub fn step(
    architecture: &Architecture,
    device: &Device,
    mut report: impl FnMut(NetworkRow),
) -> Result<()> {
    let mut setups = [
        Setup::new(architecture, device)?,
        Setup::new(architecture, &Device::cpu())?,
    ];
    let mut errors = vec![f64::INFINITY; setups[1].network.parameters().len()];
    for batch in 1..=BATCHES {
        let mut steps = Vec::new();
        for setup in &mut setups {
            setup.images = images(architecture, setup.network.device(), batch)?;
            steps.push(updates(setup)?);
        }
        for ((error, here), there) in errors.iter_mut().zip(&steps[0]).zip(&steps[1]) {
            *error = error.min(difference(here, there));
        }
        if errors.iter().all(|&error| error <= UPDATE_TOLERANCE) {
            break;
        }
    }
    for ((name, _), error) in setups[1].network.parameters().iter().zip(errors) {
        report(NetworkRow::new(
            name,
            "step on cpu",
            error,
            UPDATE_TOLERANCE,
        ));
    }
    Ok(())
}

/// The relative difference of the gradient's length and the loss's slope along it.
fn slope_error(setup: &Setup, parameter: &Tensor, gradient: &Tensor) -> Result<f64> {
    let values = gradient.to_vec::<f32>()?;
    let norm = values
        .iter()
        .map(|&g| f64::from(g).powi(2))
        .sum::<f64>()
        .sqrt();
    if !norm.is_normal() {
        return Ok(f64::INFINITY);
    }
    let before = parameter.to_vec::<f32>()?;
    let mut best = f64::INFINITY;
    for change in LOSS_CHANGES {
        // Moving by t * gradient changes the loss by t * norm^2: half of the wanted change in each direction.
        #[expect(clippy::cast_possible_truncation, reason = "a step in f32 parameters")]
        let factor = (0.5 * change / (norm * norm)) as f32;
        let mut losses = [0.0; 2];
        for (loss, factor) in losses.iter_mut().zip([factor, -factor]) {
            parameter.add_scaled(factor, gradient)?;
            *loss = setup.loss()?;
            parameter.write(&before)?;
        }
        let slope = (losses[0] - losses[1]) / (2.0 * f64::from(factor) * norm);
        best = best.min((slope - norm).abs() / norm);
    }
    Ok(best)
}

/// A parameter before and after a step.
struct Updated {
    before: Vec<f32>,
    after: Vec<f32>,
}

/// Every parameter before and after one step of SGD with momentum and weight decay, which is then undone.
fn updates(setup: &Setup) -> Result<Vec<Updated>> {
    let gradients = setup.gradients()?;
    let sgd = Sgd {
        momentum: 0.9,
        weight_decay: 5e-4,
        ..Sgd::default()
    };
    let mut updates = Vec::new();
    for (_, parameter) in setup.network.parameters() {
        let before = parameter.to_vec::<f32>()?;
        let shape = parameter.shape().clone();
        let velocity = Tensor::empty(setup.network.device(), shape, DType::F32)?;
        if let Some(gradient) = gradients.get(parameter) {
            sgd_step(
                &sgd,
                parameter,
                gradient,
                Some(&velocity),
                &setup.step,
                None,
            )?;
        }
        let after = parameter.to_vec::<f32>()?;
        parameter.write(&before)?;
        updates.push(Updated { before, after });
    }
    Ok(updates)
}

/// The largest difference of the updated weights beyond their own last bit, as a fraction of the largest update.
fn difference(here: &Updated, there: &Updated) -> f64 {
    let largest = |values: &mut dyn Iterator<Item = f64>| {
        values.fold(0.0_f64, |most, x| {
            if x.is_nan() {
                f64::INFINITY
            } else {
                most.max(x.abs())
            }
        })
    };
    let pairs = |a: &[f32], b: &[f32]| -> Vec<f64> {
        a.iter()
            .zip(b)
            .map(|(&a, &b)| f64::from(a) - f64::from(b))
            .collect()
    };
    let update = largest(&mut pairs(&there.after, &there.before).into_iter());
    let apart = largest(&mut pairs(&here.after, &there.after).into_iter());
    let last_bit =
        f64::from(f32::EPSILON) * largest(&mut there.after.iter().map(|&x| f64::from(x)));
    if update > 0.0 {
        (apart - last_bit).max(0.0) / update
    } else {
        f64::INFINITY
    }
}
