//! The ten figures of `shapes10` as distances: how far a point is outside (positive) or inside (negative) of a figure.
//! Near the outline, the only place where it matters, a unit is a pixel.

/// A class of `shapes10`; its place in [`Figure::ALL`] is its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    Disc,
    Ring,
    Square,
    Triangle,
    Cross,
    Star,
    Bars,
    Checker,
    Crescent,
    Arrow,
}

impl Figure {
    pub(super) const ALL: [Self; 10] = [
        Self::Disc,
        Self::Ring,
        Self::Square,
        Self::Triangle,
        Self::Cross,
        Self::Star,
        Self::Bars,
        Self::Checker,
        Self::Crescent,
        Self::Arrow,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Disc => "disc",
            Self::Ring => "ring",
            Self::Square => "square",
            Self::Triangle => "triangle",
            Self::Cross => "cross",
            Self::Star => "star",
            Self::Bars => "bars",
            Self::Checker => "checker",
            Self::Crescent => "crescent",
            Self::Arrow => "arrow",
        }
    }

    /// The distance of the point `(x, y)`, measured from the figure's centre, from its outline; `r` is its radius.
    pub(super) fn distance(self, x: f32, y: f32, r: f32) -> f32 {
        match self {
            Self::Disc => disc(x, y, 0.92 * r),
            Self::Ring => (length(x, y) - 0.76 * r).abs() - 0.21 * r,
            Self::Square => rectangle(x, y, 0.8 * r, 0.8 * r),
            Self::Triangle => triangle(x, y + 0.15 * r, 0.6 * r),
            Self::Cross => rectangle(x, y, r, 0.3 * r).min(rectangle(x, y, 0.3 * r, r)),
            Self::Star => star(x, y, 1.15 * r),
            Self::Bars => rectangle(x.abs() - 0.55 * r, y, 0.25 * r, 0.95 * r),
            Self::Checker => {
                let half = 0.46 * r;
                rectangle(x - half, y - half, half, half).min(rectangle(
                    x + half,
                    y + half,
                    half,
                    half,
                ))
            }
            Self::Crescent => disc(x, y, r).max(-disc(x - 0.55 * r, y, 0.8 * r)),
            Self::Arrow => {
                let shaft = rectangle(x, y - 0.45 * r, 0.2 * r, 0.6 * r);
                shaft.min(triangle(x, y + 0.38 * r, 0.42 * r))
            }
        }
    }
}

fn length(x: f32, y: f32) -> f32 {
    (x * x + y * y).sqrt()
}

fn disc(x: f32, y: f32, r: f32) -> f32 {
    length(x, y) - r
}

/// A rectangle from `-half_width` to `half_width` and from `-half_height` to `half_height`.
fn rectangle(x: f32, y: f32, half_width: f32, half_height: f32) -> f32 {
    (x.abs() - half_width).max(y.abs() - half_height)
}

/// An equilateral triangle around the origin that points to negative `y`; `inner` is its inscribed circle's radius.
fn triangle(x: f32, y: f32, inner: f32) -> f32 {
    const HALF_ROOT_3: f32 = 0.866_025_4;
    y.max(x.abs() * HALF_ROOT_3 - 0.5 * y) - inner
}

/// A five-pointed star that points to negative `y`; its inner corners are at 0.45 of its radius.
fn star(x: f32, y: f32, r: f32) -> f32 {
    // The mirrors at 36 and 72 degrees fold the plane onto one half of one point of the star.
    const COS_36: f32 = 0.809_017;
    const SIN_36: f32 = 0.587_785_25;
    let (mut x, mut y) = (x.abs(), -y);
    for side in [1.0, -1.0] {
        let (mirror_x, mirror_y) = (side * COS_36, -SIN_36);
        let behind = 2.0 * (x * mirror_x + y * mirror_y).max(0.0);
        x -= behind * mirror_x;
        y -= behind * mirror_y;
    }
    let x = x.abs();
    // The edge runs from the tip (0, r) to the inner corner, at 36 degrees from it.
    let (corner_x, corner_y) = (0.45 * r * SIN_36, 0.45 * r * COS_36);
    let (edge_x, edge_y) = (corner_x, corner_y - r);
    (x * -edge_y + (y - r) * edge_x) / length(edge_x, edge_y)
}
