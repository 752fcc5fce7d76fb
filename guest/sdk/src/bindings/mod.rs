//! What is generated from the contract: one module for the imports and one for each hook.
//!
//! Each hook is a world of its own because the section that declares a world's exports travels with its export macro.
//! A plugin that names two hooks carries two such sections, which the host merges, and exports these two interfaces
//! only.

pub mod collector;
pub mod imports;
pub mod lifecycle;
pub mod probe;
pub mod schedule;
pub mod text;
pub mod wants;
