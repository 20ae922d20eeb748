//! Every setting of llmbasedos: its default, its documentation and its check.
