//! Cursors of lists: opaque to clients, and bound to nothing, since every list can be read from anywhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::rpc::RpcError;

/// What a cursor says; an absent or empty one is the beginning.
pub(crate) fn read<T: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<T>, RpcError> {
    let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else { return Ok(None) };
    let text = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
    serde_json::from_slice(&text).map(Some).map_err(|_| invalid())
}

pub(crate) fn write(place: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).expect("values serialise to memory"))
}

pub(crate) fn invalid() -> RpcError {
    RpcError::invalid_params("cursor is not one of this list's; begin again without one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_and_nothing_else_does() {
        assert_eq!(read(Some(&write(&5_usize))).unwrap(), Some(5_usize));
        assert_eq!(read::<usize>(Some("")).unwrap(), None);
        assert_eq!(read::<usize>(None).unwrap(), None);
        for bad in ["x", "!!", "bnVsbA", "eyJhIjoxfQ"] {
            assert_eq!(read::<usize>(Some(bad)).unwrap_err().code, -32602, "{bad}");
        }
    }
}
