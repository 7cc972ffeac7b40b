//! The proof itself: its checks catch what is wrong, networks pass it, and folders of recorded cases are read within bounds.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail the test")]

#[path = "verify/cards.rs"]
mod cards;
#[path = "verify/checker.rs"]
mod checker;
#[path = "verify/learn.rs"]
mod learn;
#[path = "verify/network.rs"]
mod network;
#[path = "verify/parity.rs"]
mod parity;
#[path = "verify/parity_resize.rs"]
mod parity_resize;
