{# The operands of the data gradient. A line of A is an input pixel, a step of K a tap and an output channel; a tap counts where
   its output pixel exists, so that nothing is added twice and no atomics are needed. #}
struct LineA {
    valid: bool,
    first: u32, // the image's first element of dy
    y: u32,     // the pixel's place in the padded image
    x: u32,
}

fn extent_m() -> u32 {
    return params.n * params.h * params.w;
}

fn line_a(m: u32) -> LineA {
    let row = m / params.w;
    let first = row / params.h * params.out_h * params.out_w * params.c_out + first_out;
    return LineA(m < extent_m(), first, row % params.h + params.pad_top, m % params.w + params.pad_left);
}

fn place_a(line: LineA, step: StepA) -> Place {
    var y = line.y - step.y;
    var x = line.x - step.x;
    var valid = line.valid & (step.k < k_end) & (step.y <= line.y) & (step.x <= line.x);
    {% if not unit_stride %}
    valid = valid & (y % params.stride_h == 0u) & (x % params.stride_w == 0u);
    y /= params.stride_h;
    x /= params.stride_w;
    {% endif %}
    valid = valid & (y < params.out_h) & (x < params.out_w);
    return Place(line.first + (y * params.out_w + x) * params.c_out + step.channel, valid);
}

{% include "shared/conv2d_taps.wgsl" %}

// B is the filter with input and output channels exchanged: a column is an input channel.
struct LineB {
    valid: bool,
    first: u32,
}

struct StepB {
    k: u32,
    channel: u32,
    tap: u32, // the tap's first element
}

fn line_b(n: u32) -> LineB {
    return LineB(n < group_in(), n * params.c_out + first_out);
}

fn step_b(k: u32) -> StepB {
    return StepB(k, k % group_out(), k / group_out() * group_in() * params.c_out);
}

fn next_b(step: StepB, by: u32) -> StepB {
    if step.channel + by < group_out() {
        return StepB(step.k + by, step.channel + by, step.tap);
    }
    return step_b(step.k + by);
}

fn after_b(step: StepB) -> StepB {
    let is_last = step.channel + 1u == group_out();
    let channel = select(step.channel + 1u, 0u, is_last);
    return StepB(step.k + 1u, channel, step.tap + select(0u, group_in() * params.c_out, is_last));
}

fn pack_b(step: StepB) -> vec3<u32> {
    return vec3<u32>(step.k, step.channel, step.tap);
}

fn unpack_b(packed: vec3<u32>) -> StepB {
    return StepB(packed.x, packed.y, packed.z);
}

fn place_b(line: LineB, step: StepB) -> Place {
    return Place(line.first + step.tap + step.channel, line.valid & (step.k < k_end));
}

fn fetch_b(line: LineB, step: StepB) -> Fetched {
    {% if vector_b %}
    return one_b(place_b(line, step));
    {% else %}
    let step_1 = after_b(step);
    let step_2 = after_b(step_1);
    let step_3 = after_b(step_2);
    return four_b(place_b(line, step), place_b(line, step_1), place_b(line, step_2), place_b(line, step_3));
    {% endif %}
}
