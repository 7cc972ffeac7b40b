//! Optimizers and gradient clipping, step by step on the device.

use tensor::update::{
    Adam, Norm, Sgd, StepBuffer, StepScalars, adam_step, clip_grad_norm, scale_gradient, sgd_step,
};
use tensor::{Device, Tensor};

use super::super::array::Array;
use super::super::attributes::Attributes;
use super::super::recorded::Loaded;
use super::super::{Error, Result};
use super::{Outputs, outputs};

/// An optimizer over some parameters, with its state.
#[derive(Debug)]
pub(super) struct Optimizer {
    kind: Kind,
    rate: f32,
    step: StepBuffer,
    n_steps: u32,
    /// One velocity, or mean and variance, for each parameter.
    states: Vec<Vec<Tensor>>,
}

#[derive(Debug)]
enum Kind {
    Sgd(Sgd),
    Adam(Adam),
}

impl Kind {
    fn new(attributes: Attributes<'_>) -> Result<Self> {
        let or_zero = |name| {
            if attributes.has(name) {
                attributes.float(name)
            } else {
                Ok(0.0)
            }
        };
        let name = attributes.text("optimizer")?;
        if name == "sgd" {
            return Ok(Self::Sgd(Sgd {
                momentum: or_zero("momentum")?,
                dampening: or_zero("dampening")?,
                weight_decay: or_zero("weight_decay")?,
                is_nesterov: attributes.has("nesterov") && attributes.flag("nesterov")?,
                ..Sgd::default()
            }));
        }
        let is_decoupled = match name {
            "adam" => false,
            "adamw" => true,
            other => return Err(Error::Unknown(format!("unknown optimizer {other}"))),
        };
        let [beta1, beta2] = attributes.reals("betas")?[..] else {
            return Err(Error::Unknown("expected two betas".to_owned()));
        };
        Ok(Self::Adam(Adam {
            beta1,
            beta2,
            epsilon: attributes.float("eps")?,
            weight_decay: or_zero("weight_decay")?,
            is_decoupled,
            ..Adam::default()
        }))
    }

    fn n_states(&self) -> usize {
        match self {
            Self::Sgd(sgd) if sgd.momentum == 0.0 => 0,
            Self::Sgd(_) => 1,
            Self::Adam(_) => 2,
        }
    }
}

impl Optimizer {
    pub(super) fn new(
        attributes: Attributes<'_>,
        parameters: &[&Tensor],
        device: &Device,
    ) -> Result<Self> {
        let kind = Kind::new(attributes)?;
        let zeros = |parameter: &&Tensor| -> Result<Vec<Tensor>> {
            let shape = parameter.shape();
            let zeros = vec![0.0_f32; shape.elements()];
            let new = |_| Ok(Tensor::from_slice(device, &zeros, shape.clone())?);
            (0..kind.n_states()).map(new).collect()
        };
        Ok(Self {
            rate: attributes.float("lr")?,
            step: StepBuffer::new(device, &StepScalars::new(0, 1, 0.0))?,
            n_steps: 0,
            states: parameters.iter().map(zeros).collect::<Result<_>>()?,
            kind,
        })
    }

    /// One step on all parameters, given their gradients in the same order.
    pub(super) fn step(&mut self, parameters: &[&Tensor], gradients: &[&Tensor]) -> Result<()> {
        self.n_steps += 1;
        let scalars = StepScalars::new(0, self.n_steps, self.rate);
        self.step.write(&match &self.kind {
            Kind::Sgd(_) => scalars,
            Kind::Adam(adam) => scalars.with_betas(adam.beta1, adam.beta2),
        })?;
        for ((parameter, gradient), state) in parameters.iter().zip(gradients).zip(&self.states) {
            match (&self.kind, &state[..]) {
                (Kind::Sgd(sgd), state) => {
                    sgd_step(sgd, parameter, gradient, state.first(), &self.step, None)?;
                }
                (Kind::Adam(adam), [mean, variance]) => {
                    let moments = [mean, variance];
                    adam_step(adam, parameter, gradient, moments, &self.step, None)?;
                }
                (Kind::Adam(_), _) => {
                    return Err(Error::Unknown("Adam without its two moments".to_owned()));
                }
            }
        }
        Ok(())
    }
}

pub(super) fn optimizer(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let parameter = case.input("p")?.to_tensor(device)?;
    let gradients = case.input("grads")?;
    let n = parameter.shape().elements();
    let steps = case.attributes.size("steps")?;
    if steps.checked_mul(n) != Some(gradients.len()) {
        return Err(Error::Unknown("gradients of another length".to_owned()));
    }
    let mut optimizer = Optimizer::new(case.attributes, &[&parameter], device)?;
    let mut history = Vec::new();
    for gradient in gradients.to_f32().chunks_exact(n.max(1)) {
        let gradient = Tensor::from_slice(device, gradient, parameter.shape().clone())?;
        optimizer.step(&[&parameter], &[&gradient])?;
        history.extend(Array::from_tensor(&parameter)?.to_f64());
    }
    let mut outputs = outputs([("p_out", Array::real([steps, n], history))]);
    let names: &[&str] = match optimizer.kind {
        Kind::Sgd(_) => &["momentum_buffer"],
        Kind::Adam(_) => &["exp_avg", "exp_avg_sq"],
    };
    for (name, state) in names.iter().zip(&optimizer.states[0]) {
        outputs.push(((*name).to_owned(), Array::from_tensor(state)?));
    }
    Ok(outputs)
}

pub(super) fn clip(case: &Loaded<'_>, device: &Device) -> Result<Outputs> {
    let attributes = case.attributes;
    let norm = match attributes.real("norm_type") {
        Ok(1.0) => Norm::One,
        Ok(2.0) => Norm::Two,
        _ if attributes
            .text("norm_type")
            .is_ok_and(|p| p.starts_with("inf")) =>
        {
            Norm::Infinity
        }
        _ => return Err(Error::Unknown("unknown norm".to_owned())),
    };
    let gradients: Vec<(&str, Tensor)> = case
        .inputs
        .iter()
        .filter_map(|(name, array)| Some((*name, array.as_ref()?)))
        .map(|(name, array)| Ok((name, array.to_tensor(device)?)))
        .collect::<Result<_>>()?;
    let all: Vec<&Tensor> = gradients.iter().map(|(_, gradient)| gradient).collect();
    let clip = clip_grad_norm(&all, attributes.float("max_norm")?, norm)?;
    let mut outputs = outputs([("total_norm", Array::from_tensor(&clip.total)?)]);
    for (name, gradient) in &gradients {
        scale_gradient(gradient, &clip.factor)?;
        outputs.push((format!("{name}_out"), Array::from_tensor(gradient)?));
    }
    Ok(outputs)
}
