{# The operands of the forward product. A line of A is an output pixel, a step of K a tap and an input channel. #}
struct LineA {
    valid: bool,
    first: u32, // the image's first element
    y: i32,     // the window's top left corner, which may lie in the padding
    x: i32,
}

struct StepA {
    k: u32,
    channel: u32,
    y: u32, // the tap's place in the window
    x: u32,
}

fn extent_m() -> u32 {
    return params.n * params.out_h * params.out_w;
}

fn extent_k() -> u32 {
    return params.kh * params.kw * group_in();
}

fn line_a(m: u32) -> LineA {
    let row = m / params.out_w;
    let y = row % params.out_h * params.stride_h;
    let x = m % params.out_w * params.stride_w;
    let first = row / params.out_h * params.h * params.w * params.c_in + first_in;
    return LineA(m < extent_m(), first, i32(y) - i32(params.pad_top), i32(x) - i32(params.pad_left));
}

fn step_a(k: u32) -> StepA {
    let tap = k / group_in();
    return StepA(k, k % group_in(), tap / params.kw * params.dilation_h, tap % params.kw * params.dilation_w);
}

fn next_a(step: StepA, by: u32) -> StepA {
    if step.channel + by < group_in() {
        return StepA(step.k + by, step.channel + by, step.y, step.x);
    }
    // Past one tap at most, or past several.
    if by <= group_in() {
        return next_tap(StepA(step.k + by, step.channel + by, step.y, step.x));
    }
    return step_a(step.k + by);
}

fn after_a(step: StepA) -> StepA {
    let next = StepA(step.k + 1u, step.channel + 1u, step.y, step.x);
    if next.channel < group_in() {
        return next;
    }
    return next_tap(next);
}

fn next_tap(step: StepA) -> StepA {
    let x = step.x + params.dilation_w;
    let is_last = x == params.kw * params.dilation_w;
    return StepA(step.k, step.channel - group_in(), step.y + select(0u, params.dilation_h, is_last), select(x, 0u, is_last));
}

fn place_a(line: LineA, step: StepA) -> Place {
    // What lies left of or above the image becomes a huge number.
    let y = u32(line.y + i32(step.y));
    let x = u32(line.x + i32(step.x));
    let valid = line.valid & (step.k < k_end) & (y < params.h) & (x < params.w);
    return Place(line.first + (y * params.w + x) * params.c_in + step.channel, valid);
}

fn fetch_a(line: LineA, step: StepA) -> Fetched {
    {% if vector_a %}
    return one_a(place_a(line, step));
    {% else %}
    // Four neighbours along K may belong to several taps.
    let step_1 = after_a(step);
    let step_2 = after_a(step_1);
    let step_3 = after_a(step_2);
    return four_a(place_a(line, step), place_a(line, step_1), place_a(line, step_2), place_a(line, step_3));
    {% endif %}
}

{% include "shared/conv2d_rows.wgsl" %}
