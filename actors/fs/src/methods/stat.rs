//! `mcp.fs.stat`.

use protocol::{Context, Effect, Error, Method, Run, Tier};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attributes::{Attributes, Kind};
use crate::beneath::{self, Last, TO_LOOK};
use crate::etag;
use crate::fault::Fault;
use crate::files::{self, Regular};
use crate::mime;
use crate::path::ClientPath;
use crate::roots::Place;
use crate::service::Fs;

/// Tells type, size, time and permissions of one file, directory or link, without reading its content.
///
/// Use it before reading something that may be large, or to see whether a path exists. A link is described itself;
/// `leads_to` says what reading it would find. The etag is only computed when asked for, because that reads the
/// whole file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stat {
    /// The file, directory or link, from the virtual root: `/documents/letter.txt`.
    path: ClientPath,
    /// Whether to compute the etag of a file by reading all of it.
    #[serde(default)]
    etag: bool,
}

/// What lies at a path.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Status {
    /// The path.
    path: String,
    /// The last name in the path; `/` for the virtual root.
    name: String,
    /// What it is; a link is a `symlink` wherever it leads.
    r#type: Kind,
    /// Size in bytes; -1 for directories.
    size: i64,
    /// Time of the last change, ISO 8601 in UTC.
    modified_at: Option<String>,
    /// Permission bits in octal, as `chmod` takes them.
    mode: String,
    /// Whether its root accepts changes at all.
    writable: bool,
    /// What a file contains, told from its first bytes; null for everything else.
    mime_type: Option<&'static str>,
    /// Whether it is a symbolic link.
    link: bool,
    /// What a link leads to; null where it leads to nothing that can be reached, and for everything else.
    leads_to: Option<Kind>,
    /// Etag of a file's content, when asked for; for `if_match`.
    etag: Option<String>,
}

impl Method for Stat {
    const NAME: &'static str = "mcp.fs.stat";
    const TIER: Tier = Tier::Free;
    const EFFECT: Effect = Effect::READ;
    const RUN: Run = Run::Blocking;

    type Reply = Status;
    type Service = Fs;

    fn try_now(&self, context: &Context, fs: &Fs, _: bool) -> Option<Result<Status, Error>> {
        // The etag reads all of the file.
        let place = (!self.etag).then(|| fs.look_up(context, &self.path)).and_then(Result::ok)??;
        let place = place.at_once()?;
        let attributes = files::look(&place).ok()?;
        // Where a link leads cannot be told without following it.
        if attributes.kind == Kind::Symlink {
            return None;
        }
        self.status(&place, &attributes, context, fs).ok().map(Ok)
    }

    async fn call(self, context: &Context, fs: &Fs) -> Result<Status, Error> {
        Ok(self.stat(context, fs)?)
    }
}

// === impl Stat ===

impl Stat {
    fn stat(self, context: &Context, fs: &Fs) -> Result<Status, Fault> {
        let Some(place) = fs.look_up(context, &self.path)? else {
            return Ok(Status::of_top());
        };
        let attributes = files::look(&place)?;
        self.status(&place, &attributes, context, fs)
    }

    fn status(
        &self,
        place: &Place<'_>,
        attributes: &Attributes,
        context: &Context,
        fs: &Fs,
    ) -> Result<Status, Fault> {
        let mut status = Status::of(place, attributes);
        match attributes.kind {
            Kind::File => self.look_inside(place, attributes, context, fs, &mut status)?,
            Kind::Symlink => status.leads_to = leads_to(place),
            Kind::Directory | Kind::Other => {}
        }
        Ok(status)
    }

    /// Adds what only the content tells. A file that may be looked at but not read is no error here.
    fn look_inside(
        &self,
        place: &Place<'_>,
        seen: &Attributes,
        context: &Context,
        fs: &Fs,
        status: &mut Status,
    ) -> Result<(), Fault> {
        if !self.etag
            && let Some(known) = fs.types().of(seen, &status.name)
        {
            status.mime_type = Some(known);
            return Ok(());
        }
        let opened = match Regular::open(place) {
            Ok(opened) if opened.attributes.identity == seen.identity => opened,
            Err(fault) if self.etag || place.at_once => return Err(fault),
            _ => return Ok(()),
        };
        let head = opened.read_at(0, mime::HEAD_BYTES, &place.path)?;
        let mime = mime::of(&status.name, &head);
        fs.types().keep(&opened.attributes, &status.name, mime);
        status.mime_type = Some(mime);
        if self.etag {
            status.etag = Some(etag::of_file(&opened.file, &place.path, &context.cancel)?);
        }
        Ok(())
    }
}

/// What reading through a link would find. One answer for "nothing there" and "outside": what is outside is not
/// told.
fn leads_to(place: &Place<'_>) -> Option<Kind> {
    let found = beneath::open(&place.root.dir, place.inside(), TO_LOOK, Last::Followed).ok()?;
    Attributes::of(found).ok().map(|found| found.kind)
}

// === impl Status ===

impl Status {
    fn of(place: &Place<'_>, found: &Attributes) -> Self {
        Self {
            path: place.path.to_string(),
            name: place.path.name().unwrap_or("/").to_owned(),
            r#type: found.kind,
            size: found.size(),
            modified_at: found.modified_at(),
            mode: format!("{:04o}", found.mode),
            writable: place.root.writable(),
            mime_type: None,
            link: found.kind == Kind::Symlink,
            leads_to: None,
            etag: None,
        }
    }

    /// `/` where no root is: a directory of root names that exists only here.
    fn of_top() -> Self {
        Self {
            path: "/".to_owned(),
            name: "/".to_owned(),
            r#type: Kind::Directory,
            size: -1,
            modified_at: None,
            mode: "0555".to_owned(),
            writable: false,
            mime_type: None,
            link: false,
            leads_to: None,
            etag: None,
        }
    }
}
