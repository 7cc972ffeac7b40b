//! One image of `shapes10`: a background, clutter, the figure, and noise over all.

use crate::channels::CHANNELS;
use crate::random::Philox;

use super::SIDE;
use super::figure::Figure;

type Colour = [f32; CHANNELS];

/// The side as a length.
const EXTENT: f32 = 32.0;

/// Draws `figure` into `out` (`[32, 32, 3]`); everything else about it comes from `random`.
pub(super) fn image(figure: Figure, random: &mut Philox, out: &mut [u8]) {
    let background = Background::new(random);
    let clutter: Vec<Line> = (0..random.below(3)).map(|_| Line::new(random)).collect();
    let subject = Subject::new(figure, &background, random);
    let speck = Line::new(random);
    let noise = random.between(2.0, 14.0);
    let mut y = 0.5;
    for row in out.chunks_exact_mut(SIDE * CHANNELS) {
        let mut x = 0.5;
        for pixel in row.chunks_exact_mut(CHANNELS) {
            let mut colour = background.colour(x, y);
            for line in &clutter {
                line.paint(x, y, &mut colour);
            }
            subject.paint(x, y, &mut colour);
            speck.paint(x, y, &mut colour);
            let grain = bell(random) * noise;
            for (byte, value) in pixel.iter_mut().zip(colour) {
                *byte = to_byte(value + grain + 0.4 * noise * bell(random));
            }
            x += 1.0;
        }
        y += 1.0;
    }
}

/// A colour that runs into another, with stripes or blotches on it.
struct Background {
    from: Colour,
    to: Colour,
    /// The direction of the gradient.
    along: (f32, f32),
    texture: Texture,
    strength: f32,
}

enum Texture {
    Plain,
    /// Stripes across a direction, whose length is stripes a pixel.
    Stripes(f32, f32),
    /// Heights at the corners of a 4x4 grid, from -1 to 1.
    Blotches([[f32; 5]; 5]),
}

impl Background {
    fn new(random: &mut Philox) -> Self {
        let from: Colour = std::array::from_fn(|_| random.between(8.0, 150.0));
        let shift = random.between(0.0, 50.0);
        let to = from.map(|value| value + random.between(-shift, shift));
        let along = direction(random);
        let texture = match random.below(3) {
            0 => Texture::Plain,
            1 => {
                let (x, y) = direction(random);
                let stripes = random.between(0.08, 0.25);
                Texture::Stripes(x * stripes, y * stripes)
            }
            _ => Texture::Blotches(std::array::from_fn(|_| {
                std::array::from_fn(|_| random.between(-1.0, 1.0))
            })),
        };
        Self {
            from,
            to,
            along,
            texture,
            strength: random.between(4.0, 22.0),
        }
    }

    fn colour(&self, x: f32, y: f32) -> Colour {
        let way = 0.5
            + ((x - EXTENT / 2.0) * self.along.0 + (y - EXTENT / 2.0) * self.along.1)
                / (1.4 * EXTENT);
        let relief = self.strength * self.relief(x, y);
        std::array::from_fn(|c| mix(self.from[c], self.to[c], way) + relief)
    }

    /// The texture's height, from -1 to 1.
    fn relief(&self, x: f32, y: f32) -> f32 {
        match &self.texture {
            Texture::Plain => 0.0,
            Texture::Stripes(across_x, across_y) => {
                let phase = x * across_x + y * across_y;
                4.0 * (phase - phase.floor() - 0.5).abs() - 1.0
            }
            Texture::Blotches(grid) => {
                let (column, right) = cell(x);
                let (row, down) = cell(y);
                let above = mix(grid[row][column], grid[row][column + 1], right);
                let below = mix(grid[row + 1][column], grid[row + 1][column + 1], right);
                mix(above, below, down)
            }
        }
    }
}

/// The cell of the 4x4 grid that a coordinate is in, and how far in it.
fn cell(along: f32) -> (usize, f32) {
    let mut rest = along * 4.0 / EXTENT;
    let mut index = 0;
    while rest >= 1.0 && index < 3 {
        rest -= 1.0;
        index += 1;
    }
    (index, rest)
}

/// A short stroke: clutter behind the figure, and one before it.
struct Line {
    start: (f32, f32),
    along: (f32, f32),
    length: f32,
    half_width: f32,
    colour: Colour,
}

impl Line {
    fn new(random: &mut Philox) -> Self {
        Self {
            start: (random.between(0.0, EXTENT), random.between(0.0, EXTENT)),
            along: direction(random),
            length: random.between(0.0, 10.0),
            half_width: random.between(0.4, 1.1),
            colour: any_colour(random),
        }
    }

    fn paint(&self, x: f32, y: f32, colour: &mut Colour) {
        let (dx, dy) = (x - self.start.0, y - self.start.1);
        let along = (dx * self.along.0 + dy * self.along.1).clamp(0.0, self.length);
        let (dx, dy) = (dx - along * self.along.0, dy - along * self.along.1);
        cover(
            colour,
            self.colour,
            (dx * dx + dy * dy).sqrt() - self.half_width,
        );
    }
}

/// The figure in its place.
struct Subject {
    figure: Figure,
    centre: (f32, f32),
    radius: f32,
    /// The cosine and the sine of its angle.
    turn: (f32, f32),
    colour: Colour,
    /// How much lighter it grows from one edge to the other.
    shade: f32,
}

impl Subject {
    fn new(figure: Figure, background: &Background, random: &mut Philox) -> Self {
        let radius = random.between(8.0, 13.0);
        // Corners may be cut off by the frame, a figure never by much.
        let play = (EXTENT / 2.0 - radius - 0.5).min(6.0);
        let centre = (random.between(-play, play), random.between(-play, play));
        Self {
            figure,
            centre: (EXTENT / 2.0 + centre.0, EXTENT / 2.0 + centre.1),
            radius,
            turn: lean(random),
            colour: distinct_colour(
                background.colour(EXTENT / 2.0 + centre.0, EXTENT / 2.0 + centre.1),
                random,
            ),
            shade: random.between(-24.0, 24.0),
        }
    }

    fn paint(&self, x: f32, y: f32, colour: &mut Colour) {
        let (dx, dy) = (x - self.centre.0, y - self.centre.1);
        let (cos, sin) = self.turn;
        let (u, v) = (cos * dx + sin * dy, cos * dy - sin * dx);
        let shade = self.shade * u / self.radius;
        cover(
            colour,
            self.colour.map(|value| value + shade),
            self.figure.distance(u, v, self.radius),
        );
    }
}

/// Lays `top` over `colour` as far as a pixel at `distance` from an outline is covered.
fn cover(colour: &mut Colour, top: Colour, distance: f32) {
    let covered = (0.5 - distance).clamp(0.0, 1.0);
    for (value, over) in colour.iter_mut().zip(top) {
        *value = mix(*value, over, covered);
    }
}

fn mix(from: f32, to: f32, way: f32) -> f32 {
    from + (to - from) * way
}

fn any_colour(random: &mut Philox) -> Colour {
    std::array::from_fn(|_| random.between(8.0, 248.0))
}

/// A colour that stands out from `other`: lighter, or in one image of sixteen darker.
fn distinct_colour(other: Colour, random: &mut Philox) -> Colour {
    let sign = if random.below(16) == 0 { -1.0 } else { 1.0 };
    // The lighter of two colours is easy to draw unless the other is white already.
    for _ in 0..16 {
        let colour = any_colour(random);
        let apart: f32 = colour.iter().zip(other).map(|(a, b)| sign * (a - b)).sum();
        if apart > 3.0 * 50.0 {
            return colour;
        }
    }
    other.map(|value| {
        if value < 128.0 {
            value + 110.0
        } else {
            value - 110.0
        }
    })
}

/// The cosine and sine of an angle up to 40 degrees to either side.
fn lean(random: &mut Philox) -> (f32, f32) {
    let t = random.between(-0.364, 0.364);
    ((1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t))
}

/// A unit vector at a nearly uniform random angle, from the half-angle formulas: no sine, whose last bit differs
/// between platforms.
fn direction(random: &mut Philox) -> (f32, f32) {
    let t = random.between(-1.0, 1.0);
    let sign = if random.below(2) == 0 { 1.0 } else { -1.0 };
    (
        sign * (1.0 - t * t) / (1.0 + t * t),
        sign * 2.0 * t / (1.0 + t * t),
    )
}

/// A draw of about unit variance and bell shape: three uniform numbers, summed.
fn bell(random: &mut Philox) -> f32 {
    2.0 * (random.unit() + random.unit() + random.unit() - 1.5)
}

fn to_byte(value: f32) -> u8 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the range of a byte"
    )]
    let byte = (value + 0.5).clamp(0.0, 255.0) as u8;
    byte
}
