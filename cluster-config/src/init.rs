//! A directory of settings, laid out so that it can be served at once and read by a person.

use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::load::SETTINGS_FILE;
use crate::tiers;

/// What [`init`] did about one file or directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Which.
    pub path: PathBuf,
    /// It was there before and was left as it is.
    pub kept: bool,
}

/// A directory of settings could not be laid out.
#[derive(Debug, thiserror::Error)]
#[error("cannot make {}", path.display())]
pub struct InitError {
    /// What could not be made.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

const SETTINGS: &str = include_str!("../defaults/llmbasedos.yaml");
const MODELS: &str = include_str!("../defaults/models.yaml");
const MAIL_ACCOUNTS: &str = include_str!("../defaults/mail_accounts.yaml");
const WELCOME: &str = include_str!("../defaults/welcome.md");
const PROMPTS: &str = include_str!("../defaults/prompts.txt");

/// Workflows to begin with; each file says what starts it, behind marks.
const WORKFLOWS: &[(&str, &str)] = &[
    ("index-changes.yaml", include_str!("../../workflows/index-changes.yaml")),
    ("invitations.yaml", include_str!("../../workflows/invitations.yaml")),
    ("morning-briefing.yaml", include_str!("../../workflows/morning-briefing.yaml")),
    ("nightly-backup.yaml", include_str!("../../workflows/nightly-backup.yaml")),
    ("research.yaml", include_str!("../../workflows/research.yaml")),
    ("summarise-folder.yaml", include_str!("../../workflows/summarise-folder.yaml")),
];

/// Who may read a file.
#[derive(Clone, Copy)]
enum Readers {
    Everybody,
    Owner,
}

/// Lays `directory` out; what is there already is kept. The environment names the user.
pub fn init(directory: &Path, environment: &Environment) -> Result<Vec<Created>, InitError> {
    let folder = |name: &str| {
        let path = if name.is_empty() { directory.to_owned() } else { directory.join(name) };
        make_folder(path)
    };
    let file = |name: &str, text: &str, readers| make_file(directory.join(name), text, readers);
    let mut made = vec![
        folder("")?,
        file(SETTINGS_FILE, SETTINGS, Readers::Everybody)?,
        file("licence_tiers.yaml", tiers::SHIPPED, Readers::Everybody)?,
        file("models.yaml", MODELS, Readers::Everybody)?,
        file("mail_accounts.yaml", MAIL_ACCOUNTS, Readers::Everybody)?,
        file("lic.key", &licence(environment), Readers::Owner)?,
        folder("user_files")?,
        file("user_files/welcome.md", WELCOME, Readers::Everybody)?,
        folder("prompts")?,
        file("prompts/README.txt", PROMPTS, Readers::Everybody)?,
        folder("workflows")?,
    ];
    // In a folder that was there, what is missing was taken out.
    if made.last().is_some_and(|folder| !folder.kept) {
        for (name, text) in WORKFLOWS {
            made.push(file(&format!("workflows/{name}"), text, Readers::Everybody)?);
        }
    }
    Ok(made)
}

/// The owner may do everything on their own machine. Ten years, because a licence that never ends is one that
/// nobody looks at again.
fn licence(environment: &Environment) -> String {
    let is_name = |user: &&str| user.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let user = environment.get("USER").filter(is_name).unwrap_or("owner");
    format!("ELITE:{user}:2036-12-31\n")
}

fn make_folder(path: PathBuf) -> Result<Created, InitError> {
    let kept = path.is_dir();
    match std::fs::create_dir_all(&path) {
        Ok(()) => Ok(Created { path, kept }),
        Err(source) => Err(InitError { path, source }),
    }
}

fn make_file(path: PathBuf, text: &str, readers: Readers) -> Result<Created, InitError> {
    let mode = match readers {
        Readers::Everybody => 0o644,
        Readers::Owner => 0o600,
    };
    // `create_new` refuses links too, dangling ones included.
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
    let written = match opened {
        Ok(mut file) => file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).inspect_err(|_| {
            // Half a file would be kept by the next try; if it cannot be removed either, the error says enough.
            drop(std::fs::remove_file(&path));
        }),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Ok(Created { path, kept: true });
        }
        Err(error) => Err(error),
    };
    match written {
        Ok(()) => Ok(Created { path, kept: false }),
        Err(source) => Err(InitError { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::fs::Mode;
    use crate::load::{Flags, load};
    use crate::settings::Settings;
    use crate::tiers::Tiers;

    #[test]
    fn every_shipped_workflow_is_laid_out() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workflows");
        let mut there: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        there.retain(|name| name.strip_suffix(".yaml").is_some());
        there.sort();
        assert_eq!(there, WORKFLOWS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }

    fn laid_out() -> (tempfile::TempDir, PathBuf) {
        let temporary = tempfile::tempdir().unwrap();
        let directory = temporary.path().join("new/config");
        let created = init(&directory, &Environment::of([("USER", "ada")])).unwrap();
        assert!(created.iter().all(|one| !one.kept), "{created:?}");
        (temporary, directory)
    }

    #[test]
    fn is_complete_in_itself() {
        let (_temporary, directory) = laid_out();
        let flags = Flags { config_dir: Some(directory.clone()), ..Flags::default() };
        let loaded = load(&flags, &Environment::default()).unwrap();
        let settings = loaded.settings;
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        assert_eq!(settings.state_dir, directory.join("state"));
        assert_eq!(settings.run_dir, directory.join("run"));
        assert_eq!(settings.backends.dir, directory.join("run"));
        assert_eq!(settings.licence.file, directory.join("lic.key"));
        assert_eq!(settings.prompts_dir, directory.join("prompts"));
        let [root] = settings.fs.roots.as_slice() else { panic!("{:?}", settings.fs.roots) };
        assert_eq!(
            (root.at.as_str(), &root.path, root.mode),
            ("/", &directory.join("user_files"), Mode::ReadWrite)
        );
        assert!(root.path.join("welcome.md").is_file() && directory.join("workflows").is_dir());
        assert_eq!(loaded.tiers, Tiers::default());
    }

    #[test]
    fn modes_and_licence() {
        let (_temporary, directory) = laid_out();
        assert_eq!(std::fs::read_to_string(directory.join("lic.key")).unwrap(), "ELITE:ada:2036-12-31\n");
        let mode = |name: &str| std::fs::metadata(directory.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("lic.key"), 0o600);
        assert_eq!(mode("llmbasedos.yaml") & 0o133, 0, "0644 less the umask");
        for user in ["", "a:b", "a\nELITE:x"] {
            assert_eq!(licence(&Environment::of([("USER", user)])), "ELITE:owner:2036-12-31\n");
        }
    }

    #[test]
    fn twice_changes_nothing() {
        let (_temporary, directory) = laid_out();
        std::fs::write(directory.join("llmbasedos.yaml"), "listen: 127.0.0.1:1\n").unwrap();
        std::fs::remove_file(directory.join("models.yaml")).unwrap();
        let again = init(&directory, &Environment::default()).unwrap();
        let made: Vec<_> = again.iter().filter(|one| !one.kept).map(|one| one.path.clone()).collect();
        assert_eq!(made, [directory.join("models.yaml")]);
        let text = std::fs::read_to_string(directory.join("llmbasedos.yaml")).unwrap();
        assert_eq!(text, "listen: 127.0.0.1:1\n");
    }

    #[test]
    fn says_what_it_could_not_make() {
        let temporary = tempfile::tempdir().unwrap();
        let file = temporary.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = init(&file.join("below"), &Environment::default()).unwrap_err();
        assert_eq!(error.path, file.join("below"));
    }

    /// The template shows the defaults: with every `#key` uncommented it says what nothing says.
    #[test]
    fn template_shows_the_defaults() {
        let uncommented = SETTINGS.lines().map(|line| {
            let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
            let is_prose = rest.starts_with("# ") || rest == "#";
            [indent, if is_prose { rest } else { rest.trim_start_matches('#') }].concat()
        });
        let uncommented = uncommented.collect::<Vec<_>>().join("\n");
        let temporary = tempfile::tempdir().unwrap();
        std::fs::write(temporary.path().join("llmbasedos.yaml"), &uncommented).unwrap();
        for named in ["licence_tiers.yaml", "models.yaml", "mail_accounts.yaml"] {
            std::fs::write(temporary.path().join(named), "").unwrap();
        }
        let flags = Flags { config_dir: Some(temporary.path().to_owned()), ..Flags::default() };
        let loaded = load(&flags, &Environment::default()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let mut expected = Settings::default();
        let (prompts, root) = (&mut expected.prompts_dir, &mut expected.fs.roots[0].path);
        let (tiers, models) = (&mut expected.tiers_file, &mut expected.models_file);
        let (accounts, remotes) = (&mut expected.mail_accounts_file, &mut expected.sync.rclone_config);
        let workflows = &mut expected.agent.workflows_dir;
        for path in [tiers, models, accounts, remotes, prompts, workflows, &mut expected.licence.file, root] {
            *path = temporary.path().join(&*path);
        }
        expected.state_dir = temporary.path().join("state");
        expected.run_dir = temporary.path().join("run");
        assert_eq!(loaded.settings, expected);
        let silent = crate::effective(&loaded).into_iter().filter(|one| one.source == "default");
        assert_eq!(silent.map(|one| one.key).collect::<Vec<_>>(), ["licence.public_key", "agent.owner"]);
    }
}
