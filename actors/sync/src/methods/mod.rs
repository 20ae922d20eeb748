//! The methods, a file each.

mod check;
mod define_job;
mod delete_job;
mod get_job_status;
mod history;
mod list_jobs;
mod list_remote;
mod list_remotes;
mod plan;
mod resume;
mod run;
mod run_job;
mod stop_job;

use protocol::{Effect, Entry, entry};

use crate::service::Sync;

/// Only looks, at a remote.
const LOOKS: Effect = Effect { open_world: true, ..Effect::READ };

/// Copies, and may overwrite and delete.
const RUNS: Effect = Effect { open_world: true, ..Effect::DESTROY };

/// Every method of the service, with its handle.
pub fn methods(sync: &Sync) -> Vec<Entry> {
    vec![
        entry::<list_remotes::ListRemotes>(sync),
        entry::<list_remote::ListRemote>(sync),
        entry::<plan::Plan>(sync),
        entry::<run::Run>(sync),
        entry::<run_job::RunJob>(sync),
        entry::<list_jobs::ListJobs>(sync),
        entry::<get_job_status::GetJobStatus>(sync),
        entry::<stop_job::StopJob>(sync),
        entry::<resume::Resume>(sync),
        entry::<check::Check>(sync),
        entry::<define_job::DefineJob>(sync),
        entry::<delete_job::DeleteJob>(sync),
        entry::<history::History>(sync),
    ]
}
