//! Tests of the fold over facts.
