//! The stages of the pipeline: functions over a lake and a generator.
