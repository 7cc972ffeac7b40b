// The words of the `step` buffer, which is written before each replay. Those from LEARNING_RATE on are the bits of an f32.
const SEED_LOW = 0u;
const SEED_HIGH = 1u;
const STEP = 2u; // from 0
const LEARNING_RATE = 3u;
// 1 - beta1^t and 1 - beta2^t of Adam with t = STEP + 1, computed on the host in f64: in f32 they would cancel.
const BIAS_CORRECTION_1 = 4u;
const BIAS_CORRECTION_2 = 5u;
