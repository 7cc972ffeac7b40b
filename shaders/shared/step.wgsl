// The words of the `step` buffer, which is written before each replay (kernels/src/step.rs). Those from LEARNING_RATE to
// MIX_SHARE, and AVERAGE_SHARE, are the bits of an f32.
const SEED_LOW = 0u;
const SEED_HIGH = 1u;
const STEP = 2u; // from 1
const LEARNING_RATE = 3u;
// Adam's 1 - beta1^t and sqrt(1 - beta2^t), computed on the host in f64: in f32 they would cancel.
const BIAS_CORRECTION_1 = 4u;
const BIAS_CORRECTION_2 = 5u;
const MIX_SHARE = 6u;
const MIX_MODE = 7u;
const EPOCH = 8u; // from 0
const AVERAGE_SHARE = 9u;
