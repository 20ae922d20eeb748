//! What is around a part of a model's answer on the native dialect, as the original had it: `{"type":"llm_chunk",
//! "content":…}`, where the content is a chunk in OpenAI's shape. Whoever speaks OpenAI's own dialect takes it off again.

/// What stands before the chunk.
pub const CHUNK_HEAD: &str = "{\"type\":\"llm_chunk\",\"content\":";

/// What stands behind it.
pub const CHUNK_TAIL: &str = "}";

/// The chunk in a part, as JSON text; none when the part is something else.
pub fn chunk(part: &str) -> Option<&str> {
    part.strip_prefix(CHUNK_HEAD)?.strip_suffix(CHUNK_TAIL)
}
