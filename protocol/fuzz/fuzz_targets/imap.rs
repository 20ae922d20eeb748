//! Whatever an IMAP server says is read or put aside, the same however it is cut into pieces, and nothing of it ends the
//! connection but what is longer than anything may be.
#![no_main]

use std::io::ErrorKind;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let whole = imap::hear(bytes, usize::MAX);
    assert!(matches!(whole.failed, None | Some(ErrorKind::InvalidData)), "{whole:?}");
    for (piece, how) in [(1, "byte by byte"), (7, "in pieces")] {
        let heard = imap::hear(bytes, piece);
        if whole.failed.is_none() {
            assert_eq!(heard, whole, "{how}");
        } else {
            // What came in one piece with it is lost with it.
            assert_eq!(heard.failed, whole.failed, "{how}");
            assert!(heard.replies.starts_with(&whole.replies), "{how}");
        }
    }
});
