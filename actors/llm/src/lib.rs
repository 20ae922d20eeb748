//! The LLM proxy: one metered door to every model (`mcp.llm.*`).

pub mod wire;
