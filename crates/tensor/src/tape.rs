//! The tape: what each tensor was made from, and the walk back along it.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

use crate::error::{Error, Result};
use crate::ops;
use crate::tensor::Tensor;

/// From the gradient of an operator's output to those of its inputs.
pub(crate) type Rule = Box<dyn Fn(&Tensor) -> Result<Vec<Option<Tensor>>> + Send + Sync>;

/// How a tensor was made.
pub(crate) struct Node {
    pub(crate) op: &'static str,
    pub(crate) inputs: Vec<Tensor>,
    pub(crate) rule: Rule,
}

thread_local! {
    static RECORDING: Cell<bool> = const { Cell::new(true) };
}

/// Whether operators on this thread remember how to go back.
#[must_use]
pub fn is_recording() -> bool {
    RECORDING.get()
}

/// Runs `f` without a tape: for evaluation, and inside backward.
pub fn no_grad<T>(f: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            RECORDING.set(self.0);
        }
    }
    let _restore = Restore(RECORDING.replace(false));
    f()
}

/// The gradients of the parameters that a backward walk reached.
#[derive(Debug, Default)]
pub struct Gradients(HashMap<u64, Tensor>);

impl Gradients {
    /// The gradient with respect to `parameter`, if the walk reached it.
    #[must_use]
    pub fn get(&self, parameter: &Tensor) -> Option<&Tensor> {
        self.0.get(&parameter.id())
    }
}

impl Tensor {
    /// Gradients of this tensor's sum with respect to every parameter it depends on.
    ///
    /// Values that are used more than once get the sum of their gradients.
    ///
    /// # Errors
    /// [`Error::NoTape`] if it depends on no parameter; else those of the operators' rules.
    pub fn backward(&self) -> Result<Gradients> {
        if !self.requires_grad() {
            return Err(Error::NoTape);
        }
        let ones = ops::elementwise::full(self.device(), self.shape().clone(), 1.0)?;
        no_grad(|| self.backward_from(ones))
    }

    fn backward_from(&self, ones: Self) -> Result<Gradients> {
        // Ids grow along the tape, so taking the largest first visits every tensor after all its uses.
        let mut pending = BTreeMap::from([(self.id(), (self.clone(), ones))]);
        let mut gradients = Gradients::default();
        while let Some((id, (tensor, gradient))) = pending.pop_last() {
            if let Some(node) = tensor.node() {
                for (input, part) in node.inputs.iter().zip((node.rule)(&gradient)?) {
                    let Some(part) = part.filter(|_| input.requires_grad()) else {
                        continue;
                    };
                    let sum = match pending.remove(&input.id()) {
                        Some((_, before)) => before.add(&part)?,
                        None => part,
                    };
                    pending.insert(input.id(), (input.clone(), sum));
                }
            }
            if tensor.is_parameter() {
                gradients.0.insert(id, gradient);
            }
        }
        Ok(gradients)
    }
}
