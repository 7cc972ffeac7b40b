//! Updates of parameters in place, after a backward pass: optimizers, and gradient clipping. No gradient flows through them.
//!
//! Everything that changes from step to step comes through a step buffer ([`StepBuffer`]), so that a captured training
//! step can be replayed with new values.

use kernels::ops::{adam, clip_grad_norm, ema, loss_scale, sgd};
use kernels::{Device, ParameterUpdate};

pub use kernels::ops::adam::Adam;
pub use kernels::ops::clip_grad_norm::Norm;
pub use kernels::ops::sgd::Sgd;
pub use kernels::{Mix, StepScalars};

use crate::error::{Error, Result};
use crate::random::Rng;
use crate::tensor::{DType, Tensor};

/// The step's scalars on the device: seed, step number, learning rate and the like.
#[derive(Clone, Debug)]
pub struct StepBuffer(Tensor);

impl StepBuffer {
    /// A step buffer with these values.
    ///
    /// # Errors
    /// If the device has no room.
    pub fn new(device: &Device, scalars: &StepScalars) -> Result<Self> {
        let words = scalars.to_words();
        Ok(Self(Tensor::from_slice(device, &words, [words.len()])?))
    }

    /// Gives the next step its values.
    ///
    /// # Errors
    /// If a step is being captured, or the device fails.
    pub fn write(&self, scalars: &StepScalars) -> Result<()> {
        self.0.write(&scalars.to_words())
    }

    /// The random numbers of this step, for the operator that has this stream to itself.
    #[must_use]
    pub fn rng(&self, stream: u32) -> Rng {
        Rng::new(self.clone(), stream)
    }

    /// The words, as the kernels take them.
    #[must_use]
    pub fn tensor(&self) -> &Tensor {
        &self.0
    }
}

/// One step of stochastic gradient descent on `parameter`. `velocity` has its shape, is needed where there is momentum,
/// and need not be initialised before step 1; `scale` is one float that the gradient is multiplied by.
///
/// # Errors
/// If shapes, dtypes or devices differ, a needed velocity is absent, or the device fails.
pub fn sgd_step(
    spec: &Sgd,
    parameter: &Tensor,
    gradient: &Tensor,
    velocity: Option<&Tensor>,
    step: &StepBuffer,
    scale: Option<&Tensor>,
) -> Result<()> {
    check(
        "sgd",
        parameter,
        [("gradient", Some(gradient)), ("velocity", velocity)],
    )?;
    let update = arguments(parameter, gradient, step, scale);
    let velocity = velocity.map(Tensor::buffer);
    Ok(sgd::update(parameter.device(), spec, &update, velocity)?)
}

/// One step of Adam or `AdamW` on `parameter`. The moments `[mean, variance]` have its shape and are zero before step 1;
/// `scale` is one float that the gradient is multiplied by.
///
/// # Errors
/// If shapes, dtypes or devices differ, or the device fails.
pub fn adam_step(
    spec: &Adam,
    parameter: &Tensor,
    gradient: &Tensor,
    [mean, variance]: [&Tensor; 2],
    step: &StepBuffer,
    scale: Option<&Tensor>,
) -> Result<()> {
    check(
        "adam",
        parameter,
        [("mean", Some(mean)), ("variance", Some(variance))],
    )?;
    check("adam", parameter, [("gradient", Some(gradient))])?;
    let update = arguments(parameter, gradient, step, scale);
    let (mean, variance) = (mean.buffer(), variance.buffer());
    Ok(adam::update(
        parameter.device(),
        spec,
        &update,
        mean,
        variance,
    )?)
}

/// Moves `ema` towards `parameter`, in place: `ema += s (parameter - ema)` with
/// `s = max(1 - decay, 9 / (10 + t))` at step number `t` from 1.
///
/// # Errors
/// If shapes, dtypes or devices differ, `decay` is not in `[0, 1]`, both share memory, or the device fails.
pub fn ema_step(decay: f64, parameter: &Tensor, ema: &Tensor, step: &StepBuffer) -> Result<()> {
    check("ema", parameter, [("ema", Some(ema))])?;
    let (device, step) = (parameter.device(), step.0.buffer());
    let (parameter, ema) = (parameter.buffer(), ema.buffer());
    Ok(ema::update(device, decay, parameter, ema, step)?)
}

/// Moves `average` towards `parameter` by the share in the step's scalars ([`StepScalars::average_share`]), in place; writes it
/// back into `parameter` if that is asked for. A step without a share leaves both as they are.
///
/// # Errors
/// If shapes, dtypes or devices differ, both share memory, or the device fails.
pub fn average_step(
    parameter: &Tensor,
    average: &Tensor,
    step: &StepBuffer,
    is_written_back: bool,
) -> Result<()> {
    check("ema", parameter, [("average", Some(average))])?;
    let (device, step) = (parameter.device(), step.0.buffer());
    let (parameter, average) = (parameter.buffer(), average.buffer());
    Ok(ema::scheduled(
        device,
        parameter,
        average,
        step,
        is_written_back,
    )?)
}

/// What clipping found: scalars on the device.
#[derive(Clone, Debug)]
pub struct Clip {
    /// The norm of all gradients before clipping.
    pub total: Tensor,
    /// What they are to be multiplied by: the `scale` of an update.
    pub factor: Tensor,
}

/// The norm of `gradients` as one vector, and the factor that brings it down to `max_norm`.
///
/// # Errors
/// If there is no gradient, one is no float tensor, devices differ, or `max_norm` is negative.
pub fn clip_grad_norm(gradients: &[&Tensor], max_norm: f32, norm: Norm) -> Result<Clip> {
    let Some(&first) = gradients.first() else {
        let none = crate::Shape::from([0]);
        return Err(Error::shape(
            "clip_grad_norm",
            "gradients",
            "of one at least",
            &none,
        ));
    };
    for gradient in gradients {
        gradient.check_dtype("clip_grad_norm", "gradients", DType::F32)?;
        gradient.check_device("clip_grad_norm", "gradients", first)?;
    }
    let device = first.device();
    let buffers: Vec<_> = gradients.iter().map(|gradient| gradient.buffer()).collect();
    let clip = clip_grad_norm::forward(device, &buffers, max_norm, norm)?;
    Ok(Clip {
        total: Tensor::constant(device, clip.total, []),
        factor: Tensor::constant(device, clip.factor, []),
    })
}

/// The scale of the loss in mixed precision, and what follows from it: scalars on the device.
#[derive(Clone, Debug)]
pub struct LossScale {
    /// What the next step's loss is to be multiplied by, before backward.
    pub scale: Tensor,
    /// Steps since it changed.
    pub streak: Tensor,
    /// `1 / scale` as the last step had it.
    pub inverse: Tensor,
    /// What the last step's gradients are to be multiplied by; -1 if one overflowed and the step is to be skipped. The `scale`
    /// of an update.
    pub factor: Tensor,
}

impl LossScale {
    /// A scale to begin with: [`loss_scale::FIRST`].
    ///
    /// # Errors
    /// If the device has no room.
    pub fn new(device: &Device) -> Result<Self> {
        let scalar = |value: f32| Tensor::from_slice(device, &[value], []);
        Ok(Self {
            scale: scalar(loss_scale::FIRST)?,
            streak: scalar(0.0)?,
            inverse: scalar(loss_scale::FIRST.recip())?,
            factor: scalar(loss_scale::FIRST.recip())?,
        })
    }

    /// Ends a step whose scaled gradients have the norm `total`: sets the factor, which also brings the norm of what was
    /// scaled down to `max_norm`, and the scale of the next step.
    ///
    /// # Errors
    /// If `total` is not one float on the same device, or the device fails.
    pub fn update(&self, total: &Tensor, max_norm: f32) -> Result<()> {
        total.check_dtype("loss_scale", "total", DType::F32)?;
        total.check_device("loss_scale", "total", &self.scale)?;
        let state = loss_scale::LossScale {
            scale: self.scale.buffer(),
            streak: self.streak.buffer(),
            inverse: self.inverse.buffer(),
            factor: self.factor.buffer(),
        };
        let device = self.scale.device();
        Ok(loss_scale::update(
            device,
            &state,
            total.buffer(),
            max_norm,
        )?)
    }
}

/// Multiplies `gradient` by the scalar `factor`, in place. Not needed where an update takes the factor.
///
/// # Errors
/// If they are not floats, or are on different devices, or the device fails.
pub fn scale_gradient(gradient: &Tensor, factor: &Tensor) -> Result<()> {
    gradient.check_dtype("clip_grad_norm", "gradient", DType::F32)?;
    factor.check_dtype("clip_grad_norm", "factor", DType::F32)?;
    factor.check_device("clip_grad_norm", "factor", gradient)?;
    let device = gradient.device();
    Ok(clip_grad_norm::scale(
        device,
        gradient.buffer(),
        factor.buffer(),
    )?)
}

fn arguments<'a>(
    parameter: &'a Tensor,
    gradient: &'a Tensor,
    step: &'a StepBuffer,
    scale: Option<&'a Tensor>,
) -> ParameterUpdate<'a> {
    ParameterUpdate {
        parameter: parameter.buffer(),
        gradient: gradient.buffer(),
        step: step.0.buffer(),
        scale: scale.map(Tensor::buffer),
    }
}

/// An error unless all are float tensors of the parameter's shape, on its device.
fn check<const N: usize>(
    op: &'static str,
    parameter: &Tensor,
    others: [(&'static str, Option<&Tensor>); N],
) -> Result<()> {
    parameter.check_dtype(op, "parameter", DType::F32)?;
    for (name, other) in others {
        let Some(other) = other else { continue };
        other.check_dtype(op, name, DType::F32)?;
        other.check_device(op, name, parameter)?;
        if other.shape() != parameter.shape() {
            let expected = parameter.shape().to_string();
            return Err(Error::shape(op, name, expected, other.shape()));
        }
    }
    Ok(())
}
