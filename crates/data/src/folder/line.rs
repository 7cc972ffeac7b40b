//! A few of many names, in one line.

/// Names that are shown; of more, their number.
const SHOWN: usize = 3;

/// Names or numbers of lines, the first of which are shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    first: Vec<String>,
    pub(super) count: u64,
}

impl Places {
    pub(super) fn of(all: impl IntoIterator<Item = String>) -> Self {
        let mut places = Self::default();
        all.into_iter().for_each(|place| places.add(|| place));
        places
    }

    pub(super) fn add(&mut self, place: impl FnOnce() -> String) {
        if self.first.len() < SHOWN {
            self.first.push(place());
        }
        self.count += 1;
    }

    /// `5 classes (a, b, c, ...)`.
    pub(super) fn shown(&self, what: &str) -> String {
        let more = if self.count > SHOWN as u64 {
            ", ..."
        } else {
            ""
        };
        format!("{} {what} ({}{more})", self.count, self.first.join(", "))
    }
}
