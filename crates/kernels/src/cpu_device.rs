//! The native CPU device: launches run their twins at once, on rayon's threads.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError, RwLockReadGuard, RwLockWriteGuard};
use std::thread::{self, ThreadId};

use crate::buffer::{Buffer, Line, Memory, Pool, lock};
use crate::device::{Common, Options};
use crate::error::{Error, Result};
use crate::faults::Faults;
use crate::kernel::{CpuArgs, Kernel, Params};
use crate::profile::Cost;
use crate::recorder::{CpuStep, Recording, Steps};

/// The state of a native device. Used through [`crate::Device`].
#[derive(Debug)]
pub struct CpuDevice {
    pub(crate) common: Common,
    pool: Arc<Pool>,
    /// The step that a thread is capturing.
    captures: Mutex<HashMap<ThreadId, Capture>>,
}

#[derive(Debug, Default)]
struct Capture {
    steps: Vec<CpuStep>,
    pool: Arc<Pool>,
}

impl CpuDevice {
    pub(crate) fn new(options: Options, faults: Option<Faults>) -> Self {
        let threads = rayon::current_num_threads();
        let plural = if threads == 1 { "" } else { "s" };
        Self {
            common: Common::new(format!("cpu ({threads} thread{plural})"), options, faults),
            pool: Arc::default(),
            captures: Mutex::default(),
        }
    }

    pub(crate) fn pool(&self) -> Arc<Pool> {
        match lock(&self.captures).get(&thread::current().id()) {
            Some(capture) => Arc::clone(&capture.pool),
            None => Arc::clone(&self.pool),
        }
    }

    pub(crate) fn is_capturing(&self) -> bool {
        lock(&self.captures).contains_key(&thread::current().id())
    }

    pub(crate) fn begin_capture(&self) -> Result<()> {
        match lock(&self.captures).entry(thread::current().id()) {
            Entry::Vacant(entry) => {
                entry.insert(Capture::default());
                Ok(())
            }
            Entry::Occupied(_) => Err(Error::Capturing {
                action: "a second capture",
            }),
        }
    }

    pub(crate) fn end_capture(&self) -> Recording {
        let capture = lock(&self.captures).remove(&thread::current().id());
        let Capture { steps, pool } = capture.unwrap_or_default();
        Recording::new(Steps::Cpu(steps), pool)
    }

    pub(crate) fn launch<P: Params>(
        &self,
        kernel: &Kernel<P>,
        params: &P,
        bindings: [&[&Buffer]; 2],
        cost: Cost,
    ) {
        let mut captures = lock(&self.captures);
        if let Some(capture) = captures.get_mut(&thread::current().id()) {
            let (twin, params) = (kernel.twin, *params);
            let bindings = bindings.map(|list| list.iter().map(|&b| b.clone()).collect::<Vec<_>>());
            let step = move || {
                let [reads, writes] = [0, 1].map(|i| bindings[i].iter().collect::<Vec<_>>());
                run([&reads, &writes], |args| twin(&params, args));
            };
            capture.steps.push(CpuStep::new(cost, step));
        } else {
            drop(captures);
            self.common.profiler.time(&cost, || {
                run(bindings, |args| (kernel.twin)(params, args));
            });
        }
    }

    /// Runs a captured step again.
    pub(crate) fn replay(&self, steps: &[CpuStep]) {
        for step in steps {
            self.common.profiler.time(&step.cost, &step.run);
        }
    }

    pub(crate) fn write(&self, buffer: &Buffer, bytes: &[u8]) {
        let mut lines = write_lines(buffer);
        let start = 4 * buffer.offset;
        let target: &mut [u8] = bytemuck::cast_slice_mut(&mut lines);
        target[start..start + bytes.len()].copy_from_slice(bytes);
        target[start + bytes.len()..][..bytes.len().next_multiple_of(4) - bytes.len()].fill(0);
    }

    pub(crate) fn read(&self, buffer: &Buffer) -> Vec<u8> {
        let lines = read_lines(buffer);
        let bytes: &[u8] = bytemuck::cast_slice(&lines);
        bytes[4 * buffer.offset..][..4 * buffer.len()].to_vec()
    }
}

/// Locks the buffers (a storage that is read twice, once) and runs the twin on their words.
fn run([reads, writes]: [&[&Buffer]; 2], twin: impl FnOnce(CpuArgs<'_>)) {
    let mut write_guards: Vec<_> = writes.iter().map(|buffer| write_lines(buffer)).collect();
    let mut read_guards: Vec<RwLockReadGuard<'_, Vec<Line>>> = Vec::with_capacity(reads.len());
    let mut guard_of = Vec::with_capacity(reads.len());
    for (i, buffer) in reads.iter().enumerate() {
        let earlier = reads[..i]
            .iter()
            .position(|other| other.shares_storage(buffer));
        guard_of.push(earlier.map_or(read_guards.len(), |at| guard_of[at]));
        if earlier.is_none() {
            read_guards.push(read_lines(buffer));
        }
    }
    let window = |buffer: &Buffer| buffer.offset..buffer.offset + buffer.len();
    let words = |lines| bytemuck::cast_slice::<Line, f32>(lines);
    twin(CpuArgs {
        reads: reads
            .iter()
            .zip(&guard_of)
            .map(|(&buffer, &guard)| &words(&read_guards[guard][..])[window(buffer)])
            .collect(),
        writes: writes
            .iter()
            .zip(&mut write_guards)
            .map(|(&buffer, guard)| {
                &mut bytemuck::cast_slice_mut::<Line, f32>(&mut guard[..])[window(buffer)]
            })
            .collect(),
    });
}

fn read_lines(buffer: &Buffer) -> RwLockReadGuard<'_, Vec<Line>> {
    match buffer.storage.memory() {
        Memory::Cpu(lines) => lines.read().unwrap_or_else(PoisonError::into_inner),
        Memory::Gpu(_) => unreachable!("launches and transfers refuse another device's buffers"),
    }
}

fn write_lines(buffer: &Buffer) -> RwLockWriteGuard<'_, Vec<Line>> {
    match buffer.storage.memory() {
        Memory::Cpu(lines) => lines.write().unwrap_or_else(PoisonError::into_inner),
        Memory::Gpu(_) => unreachable!("launches and transfers refuse another device's buffers"),
    }
}
