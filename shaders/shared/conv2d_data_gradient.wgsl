{# The operands of the data gradient. A line of A is an input pixel, a step of K a tap and an output channel; a tap counts where
   its output pixel exists, so that nothing is added twice and no atomics are needed. #}
struct LineA {
    valid: bool,
    first: u32, // the image's first element of dy
    y: u32,     // the pixel's place in the padded image
    x: u32,
}

struct StepA {
    k: u32,
    channel: u32,
    y: u32, // the tap's place in the window
    x: u32,
}

fn extent_m() -> u32 {
    return params.n * params.h * params.w;
}

fn extent_k() -> u32 {
    return params.kh * params.kw * group_out();
}

fn line_a(m: u32) -> LineA {
    let row = m / params.w;
    let first = row / params.h * params.out_h * params.out_w * params.c_out + first_out;
    return LineA(m < extent_m(), first, row % params.h + params.pad_top, m % params.w + params.pad_left);
}

fn step_a(k: u32) -> StepA {
    let tap = k / group_out();
    return StepA(k, k % group_out(), tap / params.kw * params.dilation_h, tap % params.kw * params.dilation_w);
}

fn next_a(step: StepA, by: u32) -> StepA {
    var next = step;
    next.k += by;
    next.channel += by;
    while next.channel >= group_out() {
        next.channel -= group_out();
        next.x += params.dilation_w;
        if next.x == params.kw * params.dilation_w {
            next.x = 0u;
            next.y += params.dilation_h;
        }
    }
    return next;
}

fn one_a(line: LineA, step: StepA) -> {{ type_a }} {
    var y = line.y - step.y;
    var x = line.x - step.x;
    var valid = line.valid && step.k < k_end && step.y <= line.y && step.x <= line.x;
    {% if not unit_stride %}
    valid = valid && y % params.stride_h == 0u && x % params.stride_w == 0u;
    y /= params.stride_h;
    x /= params.stride_w;
    {% endif %}
    valid = valid && y < params.out_h && x < params.out_w;
    return read_a(line.first + (y * params.out_w + x) * params.c_out + step.channel, valid);
}

fn load_a(line: LineA, step: StepA) -> vec4<f32> {
    {% if vector_a %}
    return one_a(line, step);
    {% else %}
    let step_1 = next_a(step, 1u);
    let step_2 = next_a(step_1, 1u);
    let step_3 = next_a(step_2, 1u);
    return vec4<f32>(one_a(line, step), one_a(line, step_1), one_a(line, step_2), one_a(line, step_3));
    {% endif %}
}

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
    var next = step;
    next.k += by;
    next.channel += by;
    while next.channel >= group_out() {
        next.channel -= group_out();
        next.tap += group_in() * params.c_out;
    }
    return next;
}

fn one_b(line: LineB, step: StepB) -> {{ type_b }} {
    return read_b(line.first + step.tap + step.channel, line.valid && step.k < k_end);
}

fn load_b(line: LineB, step: StepB) -> vec4<f32> {
    {% if vector_b %}
    return one_b(line, step);
    {% else %}
    let step_1 = next_b(step, 1u);
    let step_2 = next_b(step_1, 1u);
    let step_3 = next_b(step_2, 1u);
    return vec4<f32>(one_b(line, step), one_b(line, step_1), one_b(line, step_2), one_b(line, step_3));
    {% endif %}
}
