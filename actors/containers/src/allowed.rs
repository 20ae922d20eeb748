//! From what is asked for to what is run: checked against the policy, with its defaults. Pure.

use std::cmp::Ordering;
use std::time::Duration;

use crate::error::{Error, Kind};
use crate::image::Reference;
use crate::inputs;
use crate::policy::{Bound, Policy};
use crate::run::{Run, User};

/// As much as the kernel takes for one program, less some room for the image's own.
const ARGUMENTS_MAX: usize = 64 * 1024;
/// The engine starts nothing with less.
const MEMORY_MIN: u64 = 8 * 1024 * 1024;
const NAME_MAX: usize = 128;

/// Variables that make a loader, a shell or an interpreter do something before the program's first line. Values may come
/// out of a mail; these names would make programs of them.
const NOT_THEIRS: &[&str] = &[
    "PATH",
    "ENV",
    "BASH_ENV",
    "BASHOPTS",
    "SHELLOPTS",
    "PS4",
    "IFS",
    "CDPATH",
    "PROMPT_COMMAND",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "MALLOC_TRACE",
    "LOCPATH",
    "NLSPATH",
    "HOSTALIASES",
    "RES_OPTIONS",
    "TMPDIR",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONHOME",
    "PYTHONINSPECT",
    "PYTHONWARNINGS",
    "PYTHONBREAKPOINT",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PERL5LIB",
    "PERL5OPT",
    "PERL5DB",
    "PERLLIB",
    "RUBYOPT",
    "RUBYLIB",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "CLASSPATH",
    "LUA_INIT",
    "LUA_PATH",
    "LUA_CPATH",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "R_PROFILE",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_ASKPASS",
    "GIT_EXTERNAL_DIFF",
];
const NOT_THEIRS_BEGIN: &[&str] =
    &["LD_", "DYLD_", "BASH_FUNC_", "GIT_CONFIG", "LUA_INIT_", "COR_", "CORECLR_"];

/// What is run: everything decided.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) image: Reference,
    pub(crate) command: Vec<String>,
    pub(crate) inputs: Vec<u8>,
    pub(crate) env: Vec<String>,
    pub(crate) memory_bytes: u64,
    pub(crate) cpus: f64,
    pub(crate) pids: u32,
    pub(crate) network: String,
    pub(crate) timeout: Duration,
    pub(crate) name: String,
    pub(crate) user: User,
    pub(crate) tmp_bytes: u64,
}

impl Policy {
    /// Whether `run` may be started, without asking an engine: for checking what is written down.
    ///
    /// # Errors
    /// [`Kind::NotAllowed`] and [`Kind::Invalid`], with what to do.
    pub fn check(&self, run: &Run) -> Result<(), Error> {
        self.plan(run).map(drop)
    }

    pub(crate) fn plan(&self, run: &Run) -> Result<Plan, Error> {
        let invalid = |why: String| Error::new(Kind::Invalid, why);
        let shown: String = run.image.chars().filter(|c| !c.is_control()).take(120).collect();
        let image =
            Reference::parse(&run.image).map_err(|why| invalid(format!("'{shown}' is no image: {why}.")))?;
        if !self.images.admit(&image) {
            let why =
                format!("The image '{shown}' is not in the list of images. Add it, if workflows may run it.");
            return Err(Error::new(Kind::NotAllowed, why));
        }
        let bytes: usize = run.command.iter().map(String::len).sum();
        if bytes > ARGUMENTS_MAX || run.command.iter().any(|word| word.contains('\0')) {
            let why = format!(
                "The command is longer than {ARGUMENTS_MAX} bytes, or has a NUL in it. Use the inputs."
            );
            return Err(invalid(why));
        }
        if run.name.len() > NAME_MAX {
            return Err(invalid(format!("The name is longer than {NAME_MAX} bytes.")));
        }
        let user = run.user.unwrap_or(User::NOBODY);
        if user.is_root() && !self.root {
            let why = "User and group 0 are not allowed. Ask for another number, or for none.";
            return Err(Error::new(Kind::NotAllowed, why));
        }
        let limits = &self.limits;
        let memory_bytes = within("memory", run.memory_bytes, limits.memory_bytes, MEMORY_MIN)?;
        Ok(Plan {
            image,
            command: run.command.clone(),
            inputs: inputs::encode(&run.inputs)?,
            env: environment(run)?,
            memory_bytes,
            cpus: within("cpus", run.cpus, limits.cpus, 0.01)?,
            pids: within("pids", run.pids, limits.pids, 1)?,
            network: self.network(run)?,
            timeout: duration(run, limits.timeout)?,
            name: run.name.clone(),
            user,
            tmp_bytes: limits.tmp_bytes.min(memory_bytes),
        })
    }

    fn network(&self, run: &Run) -> Result<String, Error> {
        let Some(network) = run.network.as_deref().filter(|network| *network != "none") else {
            return Ok("none".to_owned());
        };
        let shown: String = network.chars().filter(|c| !c.is_control()).take(64).collect();
        let plain = network.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        // The machine's own network has our doors on loopback, and whatever trusts it.
        if network == "host" || !plain || network.is_empty() {
            let why = format!("The network '{shown}' is never given to a container.");
            return Err(Error::new(Kind::NotAllowed, why));
        }
        if !self.networks.iter().any(|own| own == network) {
            let why =
                format!("The network '{shown}' is not in the list of networks. Without one, there is none.");
            return Err(Error::new(Kind::NotAllowed, why));
        }
        Ok(network.to_owned())
    }
}

fn within<T: PartialOrd + Copy + std::fmt::Display>(
    what: &str,
    asked: Option<T>,
    bound: Bound<T>,
    min: T,
) -> Result<T, Error> {
    let Some(asked) = asked else { return Ok(bound.default) };
    // NaN is neither more nor less than anything, and no number of processors.
    if asked.partial_cmp(&min).is_none_or(Ordering::is_lt) {
        return Err(Error::new(
            Kind::Invalid,
            format!("{what}: {asked} is less than {min}, the least there is."),
        ));
    }
    if asked > bound.max {
        return Err(Error::new(
            Kind::NotAllowed,
            format!("{what}: {asked} is more than {}, the most allowed.", bound.max),
        ));
    }
    Ok(asked)
}

fn duration(run: &Run, bound: Bound<Duration>) -> Result<Duration, Error> {
    let bound = Bound { default: bound.default.as_secs_f64(), max: bound.max.as_secs_f64() };
    within("timeout (seconds)", run.timeout.map(|time| time.as_secs_f64()), bound, 0.001)
        .map(Duration::from_secs_f64)
}

fn environment(run: &Run) -> Result<Vec<String>, Error> {
    let bytes: usize = run.env.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    if bytes > ARGUMENTS_MAX {
        let why = format!("env has more than {ARGUMENTS_MAX} bytes. Give data as inputs.");
        return Err(Error::new(Kind::Invalid, why));
    }
    let mut variables = Vec::with_capacity(run.env.len());
    for (name, value) in &run.env {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !first || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let why = format!("env: '{shown}' is no name of a variable (letters, digits, '_').");
            return Err(Error::new(Kind::Invalid, why));
        }
        let upper = name.to_ascii_uppercase();
        if NOT_THEIRS.contains(&upper.as_str())
            || NOT_THEIRS_BEGIN.iter().any(|begin| upper.starts_with(begin))
        {
            let why =
                format!("env: '{shown}' changes which programs run and cannot be set. Set it in the image.");
            return Err(Error::new(Kind::NotAllowed, why));
        }
        if value.contains('\0') {
            return Err(Error::new(Kind::Invalid, format!("env: the value of '{shown}' has a NUL in it.")));
        }
        variables.push(format!("{name}={value}"));
    }
    Ok(variables)
}
