//! The WGSL files, embedded. A file that is not in this table does not exist; a test compares it with the folder.

macro_rules! files {
    ($($name:literal)*) => {
        /// Name and text of every template.
        pub(crate) const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../", $name)))),*];
    };
}

files! {
    "accuracy.wgsl"
    "adam.wgsl"
    "augment.wgsl"
    "average.wgsl"
    "avg_pool.wgsl"
    "batch_norm.wgsl"
    "bias.wgsl"
    "cast.wgsl"
    "clip_grad_norm.wgsl"
    "column_sum.wgsl"
    "conv2d.wgsl"
    "cross_entropy.wgsl"
    "dropout.wgsl"
    "elementwise.wgsl"
    "gemm.wgsl"
    "gemm_naive.wgsl"
    "gemm_reduce.wgsl"
    "im2col.wgsl"
    "loss_scale.wgsl"
    "lrn.wgsl"
    "max_pool.wgsl"
    "mix.wgsl"
    "reduce.wgsl"
    "relu.wgsl"
    "resize.wgsl"
    "sgd.wgsl"
    "softmax.wgsl"
    "top_k.wgsl"
    "shared/column_tree.wgsl"
    "shared/conv2d_data_gradient.wgsl"
    "shared/conv2d_forward.wgsl"
    "shared/conv2d_params.wgsl"
    "shared/conv2d_rows.wgsl"
    "shared/conv2d_taps.wgsl"
    "shared/conv2d_weight_gradient.wgsl"
    "shared/fetch.wgsl"
    "shared/linear_index.wgsl"
    "shared/operands.wgsl"
    "shared/ordered.wgsl"
    "shared/philox.wgsl"
    "shared/rows.wgsl"
    "shared/step.wgsl"
    "shared/tile_loop.wgsl"
    "shared/tile_register.wgsl"
    "shared/tile_subgroup.wgsl"
    "shared/tile_workgroup.wgsl"
    "shared/update.wgsl"
}
