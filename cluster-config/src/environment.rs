//! The environment variables of the process, as a value: the one place that reads them; and what the original's
//! variables mean here.

use std::collections::BTreeMap;

use crate::mistake::shorten;
use crate::models::original;
use crate::nearest::nearest;

/// A set of environment variables.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// This process's. A variable that is not UTF-8 is left out: none of ours can be.
    pub fn process() -> Self {
        let text = |os: std::ffi::OsString| os.into_string().ok();
        Self(std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect())
    }

    /// Just these, for tests.
    pub fn of<K: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// The value of `name`. Empty is unset, because that is what compose files pass for a variable nobody set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The names of the variables that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name.as_str())
    }
}

/// Names only: values may be secrets.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A variable whose name is not derived from a setting.
pub(crate) struct Named {
    pub(crate) name: &'static str,
    pub(crate) meaning: Meaning,
}

/// What a variable of [`NAMED`] does.
pub(crate) enum Meaning {
    /// Sets these settings, where their own variables do not.
    Sets(&'static [&'static str]),
    /// The host of `listen`.
    ListenHost,
    /// The port of `listen`.
    ListenPort,
    /// The one folder to show, as `--root` does.
    Root,
    /// The directory of the settings.
    ConfigDir,
    /// Read elsewhere: by the shell, by compose, by a service of its own.
    Elsewhere,
    /// Nothing any more; the text says what to use instead.
    Nothing(&'static str),
}

/// Every variable that is known and not derived: ours first, then the original's. Of two that set the same, the
/// first wins. Those that make models are beside the models: [`original::variables`].
pub(crate) const NAMED: &[Named] = &[
    Named { name: "LLMBDO_CONFIG_DIR", meaning: Meaning::ConfigDir },
    Named { name: "LLMBDO_ROOT", meaning: Meaning::Root },
    Named { name: "LLMBDO_TOKEN", meaning: Meaning::Elsewhere },
    Named { name: "LLMBDO_FS_VIRTUAL_ROOT", meaning: Meaning::Root },
    Named { name: "LLMBDO_FS_DATA_ROOT", meaning: Meaning::Root },
    Named { name: "LLMBDO_DEFAULT_VIRTUAL_ROOT", meaning: Meaning::Root },
    Named { name: "LLMBDO_GATEWAY_HOST", meaning: Meaning::ListenHost },
    Named { name: "LLMBDO_GATEWAY_WEB_PORT", meaning: Meaning::ListenPort },
    Named { name: "LLMBDO_MCP_CAPS_DIR", meaning: Meaning::Sets(&["run_dir", "backends.dir"]) },
    Named { name: "LLMBDO_LICENCE_FILE_PATH", meaning: Meaning::Sets(&["licence.file"]) },
    Named { name: "LLMBDO_LICENCE_TIERS_CONFIG_PATH", meaning: Meaning::Sets(&["tiers_file"]) },
    Named { name: "LLMBDO_MAIL_ACCOUNTS_CONFIG_PATH", meaning: Meaning::Sets(&["mail_accounts_file"]) },
    // The original's container set this one, and its service read the one above.
    Named { name: "LLMBDO_MAIL_ACCOUNTS_CONFIG", meaning: Meaning::Sets(&["mail_accounts_file"]) },
    Named { name: "LLMBDO_MAIL_IMAP_TIMEOUT_SEC", meaning: Meaning::Sets(&["mail.imap_timeout_seconds"]) },
    Named {
        name: "LLMBDO_MAIL_MAX_ATTACH_INLINE_KB",
        meaning: Meaning::Sets(&["mail.attachment_inline_kb"]),
    },
    Named { name: "LLMBDO_RCLONE_EXECUTABLE", meaning: Meaning::Sets(&["sync.rclone_executable"]) },
    Named { name: "LLMBDO_RCLONE_CONFIG_PATH", meaning: Meaning::Sets(&["sync.rclone_config"]) },
    Named {
        name: "LLMBDO_SYNC_JOB_LOG_DIR",
        meaning: Meaning::Nothing("what jobs did is in the state file; mcp.sync.getJobStatus shows it"),
    },
    Named { name: "LLMBDO_GATEWAY_WS_URL", meaning: Meaning::Elsewhere },
    Named { name: "LLMBDO_GATEWAY_EXPOSED_PORT", meaning: Meaning::Elsewhere },
    Named { name: "LLMBDO_TENANT_DATA_ROOT", meaning: Meaning::Elsewhere },
    Named { name: "LLMBDO_N8N_LITE_URL", meaning: Meaning::Sets(&["agent.n8n_url"]) },
    Named { name: "LLMBDO_AGENT_MCP_CALL_TIMEOUT_SEC", meaning: Meaning::Sets(&["agent.call_seconds"]) },
    Named {
        name: "LLMBDO_AGENT_EXEC_LOG_DIR",
        meaning: Meaning::Nothing("what runs did is in the state file; mcp.agent.getRun shows it"),
    },
    Named { name: "LLMBDO_FS_EMBEDDING_MODEL", meaning: Meaning::Elsewhere },
    Named { name: "LLMBDO_FS_EMBED_MAX_SIZE_KB", meaning: Meaning::Elsewhere },
    Named { name: "LLMBDO_FS_FAISS_DIR", meaning: Meaning::Elsewhere },
    Named {
        name: "LLMBDO_GATEWAY_UNIX_SOCKET_PATH",
        meaning: Meaning::Nothing("the socket is gateway.sock in the run directory; set LLMBDO_RUN_DIR"),
    },
    Named { name: "LLMBDO_GATEWAY_EXECUTOR_WORKERS", meaning: Meaning::Nothing(NO_WORKERS) },
    Named { name: "LLMBDO_DEFAULT_SERVER_WORKERS", meaning: Meaning::Nothing(NO_WORKERS) },
];

const NO_WORKERS: &str =
    "there are no worker threads to count; LLMBDO_LIMITS_IN_FLIGHT bounds what runs at once";

/// Variables that other parts read: the shell, and services that have files of their own.
const ELSEWHERE: &[&str] = &["LLMBDO_SHELL_"];

/// Families of the original's variables: one per service.
const FAMILIES: &[(&str, &str)] = &[
    ("_LOG_LEVEL", "there is one log; set LLMBDO_LOG_LEVEL, for one part of it as in `info,fs=debug`"),
    ("_WORKERS", NO_WORKERS),
];

/// What to say about a variable that no setting is named after: `Ok` when it is somebody's, and otherwise that
/// it does nothing, and why.
pub(crate) fn explain<'a>(name: &str, settings: impl Iterator<Item = &'a str>) -> Result<(), String> {
    if let Some(named) = NAMED.iter().find(|named| named.name == name) {
        return match named.meaning {
            Meaning::Nothing(instead) => Err(format!("{name} has no effect: {instead}.")),
            _ => Ok(()),
        };
    }
    let models = original::variables();
    if models.iter().any(|(known, _)| *known == name) || ELSEWHERE.iter().any(|start| name.starts_with(start))
    {
        return Ok(());
    }
    if let Some((_, instead)) = FAMILIES.iter().find(|(end, _)| name.ends_with(end)) {
        return Err(format!("{name} has no effect: {instead}."));
    }
    let shown = shorten(name);
    let models = models.iter().map(|(name, _)| *name).filter(|name| name.starts_with("LLMBDO_"));
    Err(match nearest(name, NAMED.iter().map(|named| named.name).chain(models).chain(settings)) {
        Some(near) => format!("{shown} is not a setting; did you mean {near}?"),
        None => format!("{shown} is not a setting and has no effect."),
    })
}
