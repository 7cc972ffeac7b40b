//! What the `data` crate promises, on files that the tests make themselves.

#![expect(
    clippy::disallowed_methods,
    reason = "references, compared within tolerances"
)]
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail the test")]

#[path = "data/broken.rs"]
mod broken;
#[path = "data/catalog.rs"]
mod catalog;
#[path = "data/channels.rs"]
mod channels;
#[path = "data/cifar.rs"]
mod cifar;
#[path = "data/docs.rs"]
mod docs;
#[path = "data/download.rs"]
mod download;
#[path = "data/folder.rs"]
mod folder;
#[path = "data/formats.rs"]
mod formats;
#[path = "data/image_sizes.rs"]
mod image_sizes;
#[path = "data/images.rs"]
mod images;
#[path = "data/layouts.rs"]
mod layouts;
#[path = "data/lists.rs"]
mod lists;
#[path = "data/loader.rs"]
mod loader;
#[cfg(target_os = "linux")]
#[path = "data/memory.rs"]
mod memory;
#[path = "data/mnist.rs"]
mod mnist;
#[cfg(unix)]
#[path = "data/names.rs"]
mod names;
#[path = "data/on_disk.rs"]
mod on_disk;
#[path = "common/pickled.rs"]
mod pickled;
#[path = "data/python.rs"]
mod python;
#[path = "data/resize.rs"]
mod resize;
#[path = "data/server.rs"]
mod server;
#[path = "data/shapes10.rs"]
mod shapes10;
#[path = "data/statistics.rs"]
mod statistics;
#[path = "data/unpack.rs"]
mod unpack;
