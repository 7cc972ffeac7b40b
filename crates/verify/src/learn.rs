//! What a student reads about an operator: its equation and where the paper has it, the f64 reference, the shader that a card
//! runs and its twin, what it does to a picture, and what training is like without it. What `alexnet learn` shows.
//!
//! Nothing is copied: references, shaders and twins are the sources that this program was built from.

mod ablation;
mod excerpt;
mod filters;
mod pictures;
mod topics;
mod variants;

pub use ablation::Ablation;
pub use kernels::{Variant, shader_source, shader_variants, twin_source};
pub use pictures::Picture;
pub use variants::{Launched, launched, variant_on};

use kernels::Device;

use crate::error::{Error, Result};

/// The paper, as pages cite it.
pub const PAPER: &str = "Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, 2012";

/// An operator, as it is taught.
#[derive(Clone, Copy, Debug)]
pub struct Topic {
    /// The stem of its files.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What it does, in a sentence or two.
    pub about: &'static str,
    /// The equation, in lines.
    pub equation: &'static str,
    /// Where the paper has it.
    pub section: &'static str,
    /// What the pictures show.
    pub shown: &'static str,
    /// What the paper says, or what follows, if it is left out.
    pub without: &'static str,
    /// Functions of the reference: a file's text, and how each begins in it.
    reference: &'static [(&'static str, &'static str)],
    draw: fn(&Device, &Picture) -> kernels::Result<Vec<Picture>>,
    ablation: Option<Ablation>,
}

impl Topic {
    /// Every topic, in the order of a network: from the image to the update of its weights.
    ///
    /// ```
    /// let names: Vec<_> = verify::learn::Topic::all().iter().map(|topic| topic.name).collect();
    /// assert!(names.contains(&"conv2d") && names.contains(&"softmax"));
    /// ```
    #[must_use]
    pub fn all() -> &'static [Self] {
        topics::TOPICS
    }

    /// The topic of this name.
    ///
    /// ```
    /// use verify::learn::Topic;
    /// assert_eq!(Topic::named("lrn")?.section, "section 3.3");
    /// assert!(Topic::named("lrm").is_err());
    /// # Ok::<(), verify::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownTopic`] if there is none.
    pub fn named(name: &str) -> Result<&'static Self> {
        let found = Self::all().iter().find(|topic| topic.name == name);
        found.ok_or_else(|| Error::UnknownTopic {
            name: name.to_owned(),
            known: Self::all()
                .iter()
                .map(|topic| topic.name)
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    /// The f64 reference that shader and twin are tested against: the source of its functions.
    ///
    /// ```
    /// let lrn = verify::learn::Topic::named("lrn")?.reference();
    /// assert!(lrn.starts_with("fn reference(") && lrn.contains(".powf(-beta)"));
    /// # Ok::<(), verify::Error>(())
    /// ```
    #[must_use]
    pub fn reference(&self) -> String {
        let functions = self.reference.iter();
        let functions = functions.filter_map(|(text, begin)| excerpt::function(text, begin));
        functions.collect::<Vec<_>>().join("\n\n")
    }

    /// The twin's source.
    #[must_use]
    pub fn twin(&self) -> &'static str {
        twin_source(self.name).unwrap_or_default()
    }

    /// What it does to a picture, computed on a device: what goes in, and what comes out.
    ///
    /// ```
    /// use kernels::Device;
    /// use verify::learn::{Picture, Topic};
    ///
    /// let drawn = Topic::named("max_pool")?.pictures(&Device::cpu(), &Picture::made_up())?;
    /// let [before, after] = [0, 1].map(|at| drawn[at].size);
    /// assert_eq!(after, before.map(|side| (side - 3) / 2 + 1));
    /// # Ok::<(), verify::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the device fails, or the picture is smaller than a window.
    pub fn pictures(&self, device: &Device, picture: &Picture) -> Result<Vec<Picture>> {
        Ok((self.draw)(device, picture)?)
    }

    /// Trainings with and without it, if there is training without it.
    #[must_use]
    pub fn ablation(&self) -> Option<&Ablation> {
        self.ablation.as_ref()
    }
}
