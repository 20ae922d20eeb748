//! The file service: a person's files under virtual roots, confined by handles.
