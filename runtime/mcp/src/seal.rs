//! `requestState`: what a client carries back to us between two rounds of a request, and cannot change, keep for
//! later, use twice, use for another request, or hand to somebody else.
//!
//! HMAC-SHA-256 over the text, under a key that dies with the process. It is not secret from the client, so no
//! method may put anything into its state that the client must not see.

use std::collections::{HashSet, VecDeque};
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A person has this long to answer.
const VALID: Duration = Duration::from_mins(10);

/// Used states remembered. Each has been answered within the last ten minutes; a client that answers more than ten
/// in a second for so long is no person.
const USED_MAX: usize = 8192;

/// The longest state taken back, in bytes.
const LENGTH_MAX: usize = 128 * 1024;

/// Seals and opens.
pub(crate) struct Seal {
    key: [u8; 32],
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    numbers: HashSet<[u8; 16]>,
    order: VecDeque<[u8; 16]>,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    /// What may come back with it: a digest of the request.
    request: [u8; 32],
    caller: String,
    until: Timestamp,
    number: [u8; 16],
    content: T,
}

/// Why a state that came back is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("requestState is not one of this server's, or was changed")]
    Forged,
    #[error("requestState belongs to another request or another caller")]
    Foreign,
    #[error("requestState has expired: begin the request anew")]
    Expired,
    #[error("requestState was used already: begin the request anew")]
    Used,
}

/// A digest of what must not change between the rounds of a request.
pub(crate) fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}

/// 128 bits that nobody guesses, in hexadecimal: the name of a session, a task, a kept result.
pub fn unguessable() -> String {
    random::<16>().iter().fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn random<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).expect("a system without random numbers runs no server");
    bytes
}

impl Seal {
    pub(crate) fn new() -> Self {
        Self { key: random(), used: Mutex::default() }
    }

    /// Seals `content` for the request of this digest.
    pub(crate) fn seal<T: Serialize>(&self, request: [u8; 32], caller: &str, content: T) -> String {
        let number = random();
        let sealed =
            Sealed { request, caller: caller.to_owned(), until: Timestamp::now() + VALID, number, content };
        let text = serde_json::to_vec(&sealed).expect("values serialise to memory");
        let mac = self.mac(&text).finalize().into_bytes();
        format!("{}.{}", URL_SAFE_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(mac))
    }

    /// Opens what came back, once.
    pub(crate) fn open<T: for<'de> Deserialize<'de>>(
        &self,
        state: &str,
        request: [u8; 32],
        caller: &str,
    ) -> Result<T, Broken> {
        let read = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Broken::Forged);
        let (text, mac) =
            state.split_once('.').filter(|_| state.len() <= LENGTH_MAX).ok_or(Broken::Forged)?;
        let (text, mac) = (read(text)?, read(mac)?);
        self.mac(&text).verify_slice(&mac).map_err(|_| Broken::Forged)?;
        let sealed: Sealed<T> = serde_json::from_slice(&text).map_err(|_| Broken::Forged)?;
        if sealed.request != request || sealed.caller != caller {
            return Err(Broken::Foreign);
        }
        if sealed.until < Timestamp::now() {
            return Err(Broken::Expired);
        }
        if !self.used.lock().unwrap_or_else(PoisonError::into_inner).first_time(sealed.number) {
            return Err(Broken::Used);
        }
        Ok(sealed.content)
    }

    fn mac(&self, text: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(text);
        mac
    }
}

impl Used {
    fn first_time(&mut self, number: [u8; 16]) -> bool {
        if !self.numbers.insert(number) {
            return false;
        }
        self.order.push_back(number);
        if self.order.len() > USED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.numbers.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: [u8; 32] = [1; 32];

    #[test]
    fn a_state_comes_back_once_to_the_same_caller_for_the_same_request() {
        let seal = Seal::new();
        let state = seal.seal(ONE, "a", "content");
        assert_eq!(seal.open::<String>(&state, [2; 32], "a"), Err(Broken::Foreign));
        assert_eq!(seal.open::<String>(&state, ONE, "b"), Err(Broken::Foreign));
        assert_eq!(seal.open::<String>(&state, ONE, "a"), Ok("content".into()));
        assert_eq!(seal.open::<String>(&state, ONE, "a"), Err(Broken::Used));
        assert_eq!(Seal::new().open::<String>(&state, ONE, "a"), Err(Broken::Forged), "another process");
    }

    #[test]
    fn parts_cannot_be_shifted_into_one_another() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
    }

    proptest! {
        #[test]
        fn nothing_else_is_taken(at in 0_usize..200, byte in any::<u8>(), noise in ".{0,300}") {
            let seal = Seal::new();
            let mut state = seal.seal(ONE, "a", "content").into_bytes();
            let at = at % state.len();
            prop_assume!(state[at] != byte);
            state[at] = byte;
            // The last character of base64 has bits to spare, which a decoder may or may not mind.
            let changed = String::from_utf8_lossy(&state).into_owned();
            prop_assert!(seal.open::<String>(&changed, ONE, "a").is_err());
            prop_assert_eq!(seal.open::<String>(&noise, ONE, "a"), Err(Broken::Forged));
        }
    }
}
