// Workgroups of 64 in a row, continued in y where one row of 65,535 workgroups is not enough.
fn linear_index(id: vec3<u32>, groups: vec3<u32>) -> u32 {
    return id.y * groups.x * 64u + id.x;
}
