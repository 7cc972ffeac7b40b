{# The operands of the forward product. A line of A is an output pixel, a step of K a tap and an input channel. #}
struct LineA {
    valid: bool,
    first: u32, // the image's first element
    y: i32,     // the window's top left corner, which may lie in the padding
    x: i32,
}

fn extent_m() -> u32 {
    return params.n * params.out_h * params.out_w;
}

fn line_a(m: u32) -> LineA {
    let row = m / params.out_w;
    let y = row % params.out_h * params.stride_h;
    let x = m % params.out_w * params.stride_w;
    let first = row / params.out_h * params.h * params.w * params.c_in + first_in;
    return LineA(m < extent_m(), first, i32(y) - i32(params.pad_top), i32(x) - i32(params.pad_left));
}

fn place_a(line: LineA, step: StepA) -> Place {
    // What lies left of or above the image becomes a huge number.
    let y = u32(line.y + i32(step.y));
    let x = u32(line.x + i32(step.x));
    let valid = line.valid & (step.k < k_end) & (y < params.h) & (x < params.w);
    return Place(line.first + (y * params.w + x) * params.c_in + step.channel, valid);
}

{% include "shared/conv2d_taps.wgsl" %}

{% include "shared/conv2d_rows.wgsl" %}
