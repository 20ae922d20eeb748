//! The service's handle: what every method asks, and the parts behind it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cluster_config::Environment;
use protocol::{Caller, Error};
use store::Store;
use supervisor::ChildSpec;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::job::{Job, State, Task};
use crate::journal::{Journal, now};
use crate::progress::Progress;
use crate::rclone::{Keeper, Place};
use crate::refusal;
use crate::remotes::Remotes;
use crate::roots::{Access, Roots};
use crate::runner::Runner;
use crate::side::Side;

/// What the service is told.
pub struct Config {
    /// Where jobs are kept.
    pub store: Store,
    /// The folders of this machine that jobs may name.
    pub roots: Arc<dyn Roots>,
    /// The settings.
    pub settings: cluster_config::Sync,
    /// A folder for what rclone needs and for the lock of who runs jobs.
    pub state_dir: PathBuf,
    /// A program that becomes another one, confined, when it is given this word and a description
    /// ([`become_confined`](crate::become_confined)).
    pub launcher: (PathBuf, String),
    /// Where rclone is looked for, and what of the environment it sees.
    pub environment: Environment,
}

/// The handle that the methods work with.
#[derive(Clone)]
pub struct Sync(Arc<Shared>);

struct Shared {
    settings: cluster_config::Sync,
    journal: Journal,
    roots: Arc<dyn Roots>,
    place: Arc<Place>,
    keeper: Keeper,
    runner: Runner,
    /// Dry runs and comparisons at one time: each is a process of some 60 MB.
    looks: Semaphore,
}

/// The sides of a job as rclone takes them.
#[derive(Clone, Debug)]
pub(crate) struct Sides {
    pub(crate) source: String,
    pub(crate) destination: String,
    pub(crate) backup: Option<String>,
    /// Folders of this machine in them, and what callers call those.
    called: Vec<(String, String)>,
    /// Whose secrets rclone might repeat.
    remotes: Remotes,
}

impl Sync {
    /// Makes the handle; nothing is started.
    pub fn open(config: Config) -> Self {
        let settings = config.settings;
        let place = Arc::new(Place {
            launcher: config.launcher,
            executable: settings.rclone_executable.clone(),
            search_path: config.environment.get("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin").to_owned(),
            home: config.state_dir.join("sync"),
            config: settings.rclone_config.clone(),
            readable: settings.readable.clone(),
            writable: settings.writable.clone(),
            variables: Place::passed_on(|name| config.environment.get(name)),
            roots: Arc::clone(&config.roots),
        });
        Self(Arc::new(Shared {
            journal: Journal::new(config.store),
            roots: config.roots,
            keeper: Keeper::new(Arc::clone(&place), Duration::from_secs(settings.idle_seconds)),
            runner: Runner::new(config.state_dir.join("sync.lock"), settings.parallel),
            looks: Semaphore::new(settings.parallel),
            place,
            settings,
        }))
    }

    /// Its actors besides the one that answers calls: the one that keeps rclone, and the one that runs jobs.
    pub fn children(&self) -> [ChildSpec; 2] {
        [self.0.keeper.child("rclone"), self.runner().child("sync-jobs", self.clone())]
    }

    /// How it is, in a line, for whoever looks at the tree.
    pub fn health(&self) -> Option<String> {
        let running = self.runner().count();
        (running > 0).then(|| format!("{running} jobs"))
    }

    pub(crate) fn settings(&self) -> &cluster_config::Sync {
        &self.0.settings
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.0.journal
    }

    pub(crate) fn place(&self) -> &Arc<Place> {
        &self.0.place
    }

    pub(crate) fn keeper(&self) -> &Keeper {
        &self.0.keeper
    }

    pub(crate) fn runner(&self) -> &Runner {
        &self.0.runner
    }

    /// Waits for its turn to look at both sides of a job.
    pub(crate) async fn may_look(&self) -> Result<SemaphorePermit<'_>, Error> {
        self.0.looks.acquire().await.map_err(Error::internal)
    }

    /// The remotes, as they are configured now. Blocks on the disk.
    pub(crate) fn remotes(&self) -> Result<Remotes, Error> {
        Remotes::read(&self.0.settings.rclone_config)
            .map_err(|why| refusal::rclone("no_configuration", format!("{why}.")))
    }

    /// What is wrong with a remote; none when jobs may name it.
    pub(crate) fn objection(&self, remotes: &Remotes, name: &str) -> Option<String> {
        remotes.objection(name, &self.0.settings.allow_remotes)
    }

    /// Whether this caller may do without a plan what deletes.
    pub(crate) fn may_outright(&self, caller: &Caller) -> bool {
        caller.is_among(&self.0.settings.outright)
    }

    /// Whether callers of `tier` may know of a job: they see the roots that it is about.
    pub(crate) fn shows(&self, tier: &str, task: &Task) -> bool {
        let sides = [Some(&task.source), Some(&task.destination), task.options.backup_dir.as_ref()];
        sides.into_iter().flatten().all(|side| !side.starts_with('/') || self.0.roots.shows(tier, side))
    }

    /// The sides of a job as rclone takes them, if callers of `tier` may do this there.
    pub(crate) async fn resolve(&self, tier: &str, task: &Task) -> Result<Sides, Error> {
        let (service, tier, task) = (self.clone(), tier.to_owned(), task.clone());
        let resolved = tokio::task::spawn_blocking(move || service.resolve_blocking(&tier, &task)).await;
        resolved.map_err(Error::internal)?
    }

    fn resolve_blocking(&self, tier: &str, task: &Task) -> Result<Sides, Error> {
        let remotes = self.remotes()?;
        let mut called = Vec::new();
        let mut resolve = |what: &str, text: &str, changes: bool| match Side::parse(what, text)? {
            Side::Local(path) => {
                let access = if changes { Access::Write } else { Access::Read };
                let folder = self.0.roots.folder(tier, &path, access)?;
                let folder = folder.into_os_string().into_string().map_err(|_| {
                    refusal::refused(
                        "not_utf8",
                        format!("The {what} '{path}' lies in a folder whose name is not UTF-8."),
                    )
                })?;
                called.push((folder.clone(), path));
                Ok::<_, Error>(folder)
            }
            Side::Remote { name, path } => {
                self.check_remote(&remotes, &name)?;
                Ok(format!("{name}:{path}"))
            }
        };
        let source = resolve("source", &task.source, task.verb.changes_source())?;
        let destination = resolve("destination", &task.destination, task.verb.changes_destination())?;
        let backup =
            task.options.backup_dir.as_ref().map(|folder| resolve("backup_dir", folder, true)).transpose()?;
        if let Some((one, other)) = overlap(&source, &destination) {
            return Err(refusal::refused(
                "overlap",
                format!(
                    "The folder '{}' lies in '{}': a job needs two folders apart.",
                    task_side(task, one),
                    task_side(task, other)
                ),
            ));
        }
        // The longest first, so that a folder in another is called by its own name.
        called.sort_by_key(|(folder, _)| std::cmp::Reverse(folder.len()));
        Ok(Sides { source, destination, backup, called, remotes })
    }

    /// Refuses a remote that is not there, or reaches this machine.
    pub(crate) fn check_remote(&self, remotes: &Remotes, name: &str) -> Result<(), Error> {
        if remotes.kind(name).is_none() {
            let known: Vec<&str> = remotes.names().take(50).collect();
            let advice = if known.is_empty() {
                "rclone's configuration has none: `rclone config` makes them".to_owned()
            } else {
                format!("there are {}", known.join(", "))
            };
            return Err(refusal::refused(
                "no_such_remote",
                format!("There is no remote '{}'; {advice}.", refusal::shown(name)),
            ));
        }
        match self.objection(remotes, name) {
            None => Ok(()),
            Some(why) => Err(refusal::refused(
                "remote_not_allowed",
                format!(
                    "The remote '{name}' may not be used: {why}. The owner may allow it in sync.allow_remotes."
                ),
            )),
        }
    }

    /// A text of rclone's for a caller: without secrets, and without where folders are on this machine.
    pub(crate) fn public(&self, text: &str, sides: &Sides) -> String {
        let mut text = sides.remotes.redact(text);
        for (folder, path) in &sides.called {
            text = text.replace(folder.as_str(), path);
        }
        let home = self.0.place.home.display().to_string();
        text.replace(&home, "[rclone]").chars().take(1000).collect()
    }

    /// Makes a job of a task and has it run. `plan` is used up by it.
    pub(crate) async fn begin(
        &self,
        caller: &Caller,
        prefix: &str,
        name: Option<String>,
        task: Task,
        plan: Option<String>,
    ) -> Result<Job, Error> {
        self.runner().ready().await?;
        let job = Job {
            seq: 0,
            id: format!("{prefix}_{}", random(4)?),
            name,
            caller: caller.name.clone(),
            tier: caller.tier.clone(),
            task,
            state: State::Queued,
            message: "waits for its turn".to_owned(),
            attempt: 1,
            created_ms: now(),
            started_ms: None,
            ended_ms: None,
            return_code: None,
            progress: Progress::default(),
        };
        let planned = plan.is_some();
        if !self.journal().begin(job.clone(), plan).await? && planned {
            return Err(refusal::no_such(
                "plan_used",
                "The plan was used already: make a new one with mcp.sync.plan.",
            ));
        }
        self.set_off(&job.id)?;
        Ok(job)
    }

    /// Has a job run that stands in the journal. Where nobody can run it now, the journal says that it was interrupted.
    pub(crate) fn set_off(&self, id: &str) -> Result<(), Error> {
        self.runner().begin(id).inspect_err(|_| self.journal().lost(id))
    }

    /// A job that the caller may know of.
    pub(crate) async fn job(&self, caller: &Caller, id: &str) -> Result<Job, Error> {
        let found = self.journal().job(id).await?.filter(|job| self.shows(&caller.tier, &job.task));
        found.ok_or_else(|| {
            refusal::no_such(
                "no_such_job",
                format!(
                    "There is no sync job '{}'; mcp.sync.listJobs has those that there are.",
                    refusal::shown(id)
                ),
            )
        })
    }
}

/// Random bits as text.
pub(crate) fn random(bytes: usize) -> Result<String, Error> {
    let mut some = vec![0_u8; bytes];
    getrandom::fill(&mut some).map_err(Error::internal)?;
    Ok(some.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Which {
    Source,
    Destination,
}

fn task_side(task: &Task, which: Which) -> &str {
    match which {
        Which::Source => &task.source,
        Which::Destination => &task.destination,
    }
}

/// The inner and the outer one, if one folder holds the other or is it.
fn overlap(source: &str, destination: &str) -> Option<(Which, Which)> {
    let holds = |outer: &str, inner: &str| {
        let outer = outer.trim_end_matches('/');
        inner
            .trim_end_matches('/')
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || outer.ends_with(':'))
    };
    if holds(source, destination) {
        Some((Which::Destination, Which::Source))
    } else {
        holds(destination, source).then_some((Which::Source, Which::Destination))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_in_one_another_are_found() {
        let check = |a, b, expected| assert_eq!(overlap(a, b), expected, "{a} {b}");
        check("/a", "/b", None);
        check("/a", "/ab", None);
        check("/a", "/a/b", Some((Which::Destination, Which::Source)));
        check("/a/b/", "/a", Some((Which::Source, Which::Destination)));
        check("box:", "box:a", Some((Which::Destination, Which::Source)));
        check("box:a", "box:a", Some((Which::Destination, Which::Source)));
        check("box:a", "other:a", None);
        check("/a", "box:a", None);
    }
}
