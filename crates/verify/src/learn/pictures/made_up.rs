//! A picture with edges of all directions, colours, and a texture, so that every operator has something to show.

use super::Picture;

/// Rows and columns.
const SIZE: [usize; 2] = [96, 128];

pub(super) fn house() -> Picture {
    let [height, width] = SIZE;
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| [x, y]));
    let rgb = pixels.flat_map(|[x, y]| {
        let [x, y] = [x, y].map(|at| i32::try_from(at).unwrap_or(0));
        colour(x, y)
    });
    Picture {
        caption: "a made-up picture".to_owned(),
        size: SIZE,
        rgb: rgb.collect(),
    }
}

/// What is in front at a place: the house, its roof, the hill, the sun, the sky.
fn colour(x: i32, y: i32) -> [u8; 3] {
    let shade = |from: u8, slope: i32| u8::try_from(i32::from(from) + y * slope / 2).unwrap_or(255);
    let is_roof = (26..44).contains(&y) && 4 * (x - 42).abs() < 5 * (y - 26);
    let is_wall = (26..59).contains(&x) && (44..76).contains(&y);
    let is_window =
        [32, 46].iter().any(|left| (*left..left + 8).contains(&x)) && (50..59).contains(&y);
    let is_door = (39..46).contains(&x) && (63..76).contains(&y);
    let is_mortar = y % 5 == 0 || (x + 4 * (y / 5 % 2)) % 8 == 0;
    let is_hill = 90 * y > 90 * 62 + (x - 44) * (x - 44) / 2;
    let is_sun = (x - 102).pow(2) + (y - 22).pow(2) < 144;
    match () {
        () if is_roof => [84, 52, 50],
        () if is_wall && is_window => [28, 40, 84],
        () if is_wall && is_door => [60, 96, 70],
        () if is_wall && is_mortar => [222, 200, 186],
        () if is_wall => [184, 80, 62],
        () if is_hill && (x + 2 * y) / 7 % 2 == 0 => [66, 140, 64],
        () if is_hill => [92, 168, 74],
        () if is_sun => [255, 214, 64],
        () => [shade(110, 2), shade(160, 1), shade(238, 0)],
    }
}
