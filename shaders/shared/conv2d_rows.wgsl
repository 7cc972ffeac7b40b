{# B as a matrix of K rows of c_out channels: the filter in the forward product, dy in the weight gradient. #}
struct LineB {
    n: u32,
}

struct StepB {
    k: u32,
}

fn line_b(n: u32) -> LineB {
    return LineB(n);
}

fn step_b(k: u32) -> StepB {
    return StepB(k);
}

fn next_b(step: StepB, by: u32) -> StepB {
    return StepB(step.k + by);
}

fn after_b(step: StepB) -> StepB {
    return StepB(step.k + 1u);
}

fn pack_b(step: StepB) -> u32 {
    return step.k;
}

fn unpack_b(packed: u32) -> StepB {
    return StepB(packed);
}

fn fetch_b(line: LineB, step: StepB) -> Fetched {
    let at = step.k * params.c_out + first_out + line.n;
    let inside = step.k < k_end;
    {% if vector_b %}
    return one_b(Place(at, inside & (line.n < group_out())));
    {% else %}
    return four_b(
        {% for i in range(4) %}
        Place(at + {{ i }}u, inside & (line.n + {{ i }}u < group_out())),
        {% endfor %}
    );
    {% endif %}
}
