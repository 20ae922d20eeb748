//! Where a paged answer goes on: opaque to clients, and nothing but a place in an order, so that it survives
//! changes between two calls and holds nothing open here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fault::Fault;

/// A place in an order, as text for the client.
pub(crate) fn write(place: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// The place that a client brought back.
pub(crate) fn read<T: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<T>, Fault> {
    let Some(text) = cursor.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| {
            Fault::Params("'cursor' is not one that this method gave with the same parameters: leave it out to begin anew".to_owned())
        })
        .map(Some)
}
