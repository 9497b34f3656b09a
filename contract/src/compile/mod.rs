//! From rules to what an engine must count.
