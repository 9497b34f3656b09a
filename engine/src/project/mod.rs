//! The configuration of a project: `de-copilot.toml`, its scripts and its lake.
