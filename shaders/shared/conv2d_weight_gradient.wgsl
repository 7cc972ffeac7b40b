{# The operands of the weight gradient. A line of A is a tap and an input channel, a step of K an output pixel. #}
struct LineA {
    m: u32,
    channel: u32,
    y: u32, // the tap's place in the window
    x: u32,
}

struct StepA {
    k: u32,
    first: u32, // the image's first element
    y: i32,     // the window's top left corner, which may lie in the padding
    x: i32,
}

fn extent_m() -> u32 {
    return params.kh * params.kw * group_in();
}

fn extent_k() -> u32 {
    return params.n * params.out_h * params.out_w;
}

fn line_a(m: u32) -> LineA {
    let tap = m / group_in();
    return LineA(m, m % group_in(), tap / params.kw * params.dilation_h, tap % params.kw * params.dilation_w);
}

fn step_a(k: u32) -> StepA {
    let row = k / params.out_w;
    let y = row % params.out_h * params.stride_h;
    let x = k % params.out_w * params.stride_w;
    let first = row / params.out_h * params.h * params.w * params.c_in + first_in;
    return StepA(k, first, i32(y) - i32(params.pad_top), i32(x) - i32(params.pad_left));
}

fn next_a(step: StepA, by: u32) -> StepA {
    let next = StepA(step.k + by, step.first, step.y, step.x + i32(by * params.stride_w));
    if next.x < end_x() {
        return next;
    }
    // Past one row at most, or past several.
    if by <= params.out_w {
        return next_row(next);
    }
    return step_a(step.k + by);
}

fn after_a(step: StepA) -> StepA {
    let next = StepA(step.k + 1u, step.first, step.y, step.x + i32(params.stride_w));
    if next.x < end_x() {
        return next;
    }
    return next_row(next);
}

fn end_x() -> i32 {
    return i32(params.out_w * params.stride_w) - i32(params.pad_left);
}

fn next_row(step: StepA) -> StepA {
    let height = i32(params.out_h * params.stride_h);
    let y = step.y + i32(params.stride_h);
    let is_last = y >= height - i32(params.pad_top);
    let first = step.first + select(0u, params.h * params.w * params.c_in, is_last);
    return StepA(step.k, first, select(y, y - height, is_last), step.x - i32(params.out_w * params.stride_w));
}

fn pack_a(step: StepA) -> vec4<u32> {
    return vec4<u32>(step.k, step.first, bitcast<u32>(step.y), bitcast<u32>(step.x));
}

fn unpack_a(packed: vec4<u32>) -> StepA {
    return StepA(packed.x, packed.y, bitcast<i32>(packed.z), bitcast<i32>(packed.w));
}

fn place_a(line: LineA, step: StepA) -> Place {
    let y = u32(step.y + i32(line.y));
    let x = u32(step.x + i32(line.x));
    let valid = (line.m < extent_m()) & (step.k < k_end) & (y < params.h) & (x < params.w);
    return Place(step.first + (y * params.w + x) * params.c_in + line.channel, valid);
}

fn fetch_a(line: LineA, step: StepA) -> Fetched {
    {% if vector_a %}
    return one_a(place_a(line, step));
    {% else %}
    // Four neighbours along M may belong to several taps.
    return four_a(place_a(line, step), place_a(line_a(line.m + 1u), step), place_a(line_a(line.m + 2u), step), place_a(line_a(line.m + 3u), step));
    {% endif %}
}

{% include "shared/conv2d_rows.wgsl" %}
