//! Where an answer sends a request to, and what of it goes there. Whether the host may be asked is judged as ever.

use hyper::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, LOCATION, USER_AGENT};
use hyper::{Method, StatusCode};

use crate::error::{Error, Kind};
use crate::request::Outgoing;
use crate::target::Target;

/// As many as browsers' users ever meet; more is a circle.
pub(crate) const REDIRECTS_MAX: usize = 5;

/// Whether an answer with this status says that the thing is elsewhere.
pub(crate) fn is_one(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// The request that follows from the answer's headers.
pub(crate) fn follow(
    target: &Target,
    outgoing: &Outgoing,
    status: u16,
    headers: &HeaderMap,
) -> Result<(Target, Outgoing), Error> {
    let refused = |why: &str| Error::new(Kind::Redirect, format!("{} redirects, {why}", target.origin()));
    let location = headers.get(LOCATION).ok_or_else(|| refused("and does not say where to."))?;
    let location = location.to_str().map_err(|_| refused("to what is no URL."))?;
    let next = Target::parse(location, Some(&target.url))
        .map_err(|error| refused(&format!("and not to where a request could go. {}", error.message)))?;
    if target.encrypted && !next.encrypted {
        return Err(refused(
            "from https to http: what is sent there, anybody can read. Ask the other URL, if it is meant.",
        ));
    }
    let mut outgoing = outgoing.clone();
    // As every browser does, and the standard lets it (RFC 9110, 15.4): what was posted is not posted again.
    let posted = outgoing.method == Method::POST && matches!(status, 301 | 302);
    if posted || (status == StatusCode::SEE_OTHER && outgoing.method != Method::HEAD) {
        outgoing.method = Method::GET;
        outgoing.body.clear();
        outgoing.headers.remove(CONTENT_TYPE);
    }
    if next.origin() != target.origin() {
        // Which header is a credential, only its server knows: X-Api-Key is as good as Authorization.
        let known = [ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, USER_AGENT];
        let mut kept = HeaderMap::new();
        for (name, value) in &outgoing.headers {
            if known.contains(name) || name == "accept-encoding" || name == "idempotency-key" {
                kept.append(name, value.clone());
            }
        }
        outgoing.headers = kept;
    }
    Ok((next, outgoing))
}
