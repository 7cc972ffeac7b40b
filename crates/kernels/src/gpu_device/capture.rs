//! Captures: what a thread launches between two calls, kept as a recording instead of submitted.

use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::thread;

use super::GpuDevice;
use super::dispatch::Batch;
use crate::buffer::{Pool, lock};
use crate::error::{Error, Result};
use crate::recorder::{Recording, Steps};

#[derive(Debug)]
pub(super) struct Capture {
    pub(super) batch: Batch,
    full_params: Vec<wgpu::Buffer>,
    pub(super) pool: Arc<Pool>,
}

impl GpuDevice {
    pub(crate) fn is_capturing(&self) -> bool {
        lock(&self.recorder)
            .captures
            .contains_key(&thread::current().id())
    }

    /// Writes the parameters of a captured step so far and goes on with a further buffer.
    pub(super) fn keep_params(&self, capture: &mut Capture) -> Result<()> {
        self.write_params(&mut capture.batch)?;
        let next = self.params_buffer()?;
        let full = std::mem::replace(&mut capture.batch.params, next);
        capture.full_params.push(full);
        Ok(())
    }

    pub(crate) fn begin_capture(&self) -> Result<()> {
        let mut recorder = lock(&self.recorder);
        let Entry::Vacant(entry) = recorder.captures.entry(thread::current().id()) else {
            return Err(Error::Capturing {
                action: "a second capture",
            });
        };
        entry.insert(Capture {
            batch: Batch::new(self.params_buffer()?),
            full_params: Vec::new(),
            pool: Arc::default(),
        });
        Ok(())
    }

    pub(crate) fn end_capture(&self) -> Result<Recording> {
        let capture = lock(&self.recorder)
            .captures
            .remove(&thread::current().id());
        let mut capture = capture.ok_or(Error::Capturing {
            action: "ending a capture twice",
        })?;
        self.write_params(&mut capture.batch)?;
        capture.full_params.push(capture.batch.params);
        let steps = Steps::Gpu {
            dispatches: capture.batch.pending,
            _params: capture.full_params,
        };
        Ok(Recording::new(steps, capture.pool))
    }
}
