//! Dispatches timed one by one with timestamp queries.

use super::dispatch::encode;
use super::{GpuDevice, pace};
use crate::error::Result;
use crate::profile::Launch;
use crate::recorder::Dispatch;

/// Dispatches between two timestamps each that one query set holds: WebGPU allows 4096 queries.
const TIMED_DISPATCHES: usize = 2048;

impl GpuDevice {
    /// Runs dispatches with the time of each added to the profile.
    pub(super) fn replay_profiled(&self, dispatches: &[Dispatch]) -> Result<()> {
        let mut chunks = dispatches.chunks(TIMED_DISPATCHES);
        chunks.try_for_each(|chunk| self.replay_timed(chunk))
    }

    /// Encodes each dispatch as a pass of its own between two timestamps, submits, waits and adds up the times.
    fn replay_timed(&self, dispatches: &[Dispatch]) -> Result<()> {
        let count = 2 * u32::try_from(dispatches.len()).unwrap_or(u32::MAX);
        let bytes = 8 * u64::from(count);
        let queries = self.guarded("profiling", || {
            self.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count,
            })
        })?;
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let resolved = self.transfer_buffer(bytes, usage)?;
        let record = |encoder: &mut wgpu::CommandEncoder| {
            for (dispatch, first) in dispatches.iter().zip((0..).step_by(2)) {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                    label: None,
                    timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                        query_set: &queries,
                        beginning_of_pass_write_index: Some(first),
                        end_of_pass_write_index: Some(first + 1),
                    }),
                });
                encode(&mut pass, dispatch);
            }
            encoder.resolve_query_set(&queries, 0..count, &resolved, 0);
        };
        let readback = self.copy_back(pace::work(dispatches), record, &resolved, 0..bytes)?;
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&readback.wait(self)?);
        let seconds = 1e-9 * f64::from(self.queue().get_timestamp_period());
        for (dispatch, pair) in dispatches.iter().zip(ticks.chunks_exact(2)) {
            let [start, elapsed] = [pair[0], pair[1].saturating_sub(pair[0])];
            let launch = Launch {
                kernel: dispatch.cost.kernel,
                start_s: start as f64 * seconds,
                seconds: elapsed as f64 * seconds,
                flops: dispatch.cost.flops,
                bytes: dispatch.cost.bytes,
                product: dispatch.cost.product,
            };
            self.common.profiler.add(launch);
        }
        Ok(())
    }
}
