//! The messages of `tensorflow/core/util/event.proto` and `tensorflow/core/framework/summary.proto` that are written, with
//! their field numbers. Hand-derived: there are few, and `protoc` is not needed this way.

use prost::{Message, Oneof};

/// `Event`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub(crate) wall_time: f64,
    #[prost(int64, tag = "2")]
    pub(crate) step: i64,
    #[prost(oneof = "event::What", tags = "3, 5, 7")]
    pub(crate) what: Option<event::What>,
}

pub(crate) mod event {
    //! What an event is about.

    /// One of these.
    #[derive(Clone, PartialEq, super::Oneof)]
    pub(crate) enum What {
        #[prost(string, tag = "3")]
        FileVersion(String),
        #[prost(message, tag = "5")]
        Summary(super::Summary),
        #[prost(message, tag = "7")]
        SessionLog(super::SessionLog),
    }
}

/// `SessionLog`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SessionLog {
    #[prost(int32, tag = "1")]
    pub(crate) status: i32,
}

pub(crate) mod session_log {
    //! `SessionLog.SessionStatus`.

    /// Training begins, or goes on, at the event's step.
    pub(crate) const START: i32 = 1;
}

/// `Summary`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(crate) value: Vec<Value>,
}

/// `Summary.Value`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Value {
    #[prost(string, tag = "1")]
    pub(crate) tag: String,
    #[prost(oneof = "value::What", tags = "2, 4, 5")]
    pub(crate) what: Option<value::What>,
}

pub(crate) mod value {
    //! What a value is.

    /// One of these.
    #[derive(Clone, PartialEq, super::Oneof)]
    pub(crate) enum What {
        #[prost(float, tag = "2")]
        Simple(f32),
        #[prost(message, tag = "4")]
        Image(super::Image),
        #[prost(message, tag = "5")]
        Histogram(super::Histogram),
    }
}

/// `Summary.Image`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Image {
    #[prost(int32, tag = "1")]
    pub(crate) height: i32,
    #[prost(int32, tag = "2")]
    pub(crate) width: i32,
    #[prost(int32, tag = "3")]
    pub(crate) colorspace: i32,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) encoded: Vec<u8>,
}

/// `HistogramProto`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Histogram {
    #[prost(double, tag = "1")]
    pub(crate) min: f64,
    #[prost(double, tag = "2")]
    pub(crate) max: f64,
    #[prost(double, tag = "3")]
    pub(crate) num: f64,
    #[prost(double, tag = "4")]
    pub(crate) sum: f64,
    #[prost(double, tag = "5")]
    pub(crate) sum_squares: f64,
    /// The upper end of each bar.
    #[prost(double, repeated, tag = "6")]
    pub(crate) bucket_limit: Vec<f64>,
    /// Values in each bar.
    #[prost(double, repeated, tag = "7")]
    pub(crate) bucket: Vec<f64>,
}
