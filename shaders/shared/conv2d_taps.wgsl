{# The steps of A that the forward product and the data gradient share: each is a tap and a channel, of x in the one and of dy in
   the other. The including file gives LineA, `fn line_a(m: u32) -> LineA` and `fn place_a(line: LineA, step: StepA) -> Place`. #}
{% set group_k = "group_out()" if data_gradient else "group_in()" %}
struct StepA {
    k: u32,
    channel: u32,
    y: u32, // the tap's place in the window
    x: u32,
}

fn extent_k() -> u32 {
    return params.kh * params.kw * {{ group_k }};
}

fn step_a(k: u32) -> StepA {
    let tap = k / {{ group_k }};
    return StepA(k, k % {{ group_k }}, tap / params.kw * params.dilation_h, tap % params.kw * params.dilation_w);
}

fn next_a(step: StepA, by: u32) -> StepA {
    if step.channel + by < {{ group_k }} {
        return StepA(step.k + by, step.channel + by, step.y, step.x);
    }
    // Past one tap at most, or past several.
    if by <= {{ group_k }} {
        return next_tap(StepA(step.k + by, step.channel + by, step.y, step.x));
    }
    return step_a(step.k + by);
}

fn after_a(step: StepA) -> StepA {
    let next = StepA(step.k + 1u, step.channel + 1u, step.y, step.x);
    if next.channel < {{ group_k }} {
        return next;
    }
    return next_tap(next);
}

fn next_tap(step: StepA) -> StepA {
    let x = step.x + params.dilation_w;
    let is_last = x == params.kw * params.dilation_w;
    return StepA(step.k, step.channel - {{ group_k }}, step.y + select(0u, params.dilation_h, is_last), select(x, 0u, is_last));
}

fn pack_a(step: StepA) -> vec4<u32> {
    return vec4<u32>(step.k, step.channel, step.y, step.x);
}

fn unpack_a(packed: vec4<u32>) -> StepA {
    return StepA(packed.x, packed.y, packed.z, packed.w);
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
