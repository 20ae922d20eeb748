//! The fields of a chat's body by name: which go to every model, and which no alias can let through.

use crate::mistake::shorten;

/// Fields of OpenAI's chat body, beside `model`, `messages` and `stream`, that any caller may set. They change what is
/// written, not what is run or fetched, nor what a token costs: `web_search_options` and `service_tier` need an alias's
/// leave.
pub const CHAT_FIELDS: &[&str] = &[
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "metadata",
    "modalities",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "prompt_cache_key",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "stop",
    "store",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
];

/// What the proxy writes itself.
const OURS: &[&str] = &["messages", "model", "stream"];

/// What servers call how much may be written, how often, or by which model, beside OpenAI's names for it.
const METERED: &[&str] = &[
    "best_of",
    "candidate_count",
    "max_new_tokens",
    "max_output_tokens",
    "max_tokens_to_sample",
    "models",
    "n_predict",
    "num_predict",
];

/// Why `name` cannot be among the fields that an alias lets through.
pub(super) fn why_not(name: &str) -> Option<String> {
    let shown = shorten(name);
    if CHAT_FIELDS.contains(&name) {
        Some(format!("`{shown}` goes to every model, checked and counted; leave it out here"))
    } else if OURS.contains(&name) {
        Some(format!("`{shown}` is written by llmbasedos itself, from the call and this file; leave it out"))
    } else if METERED.contains(&name) {
        Some(format!(
            "`{shown}` would pass by the limits: `max_tokens` and `n` are counted, and each alias is one model"
        ))
    } else {
        None
    }
}
