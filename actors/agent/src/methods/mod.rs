//! The methods, a file each.

mod approve;
mod follow_run;
mod get_run;
mod get_workflow_status;
mod list_runs;
mod list_workflows;
mod reject;
mod retry_run;
mod run_workflow;
mod schedules;
mod stop_workflow;
mod validate;

use protocol::{Entry, entry};

use crate::service::Agent;

/// Every method of the service, with its handle.
pub fn methods(agent: &Agent) -> Vec<Entry> {
    vec![
        entry::<list_workflows::ListWorkflows>(agent),
        entry::<run_workflow::RunWorkflow>(agent),
        entry::<get_workflow_status::GetWorkflowStatus>(agent),
        entry::<stop_workflow::StopWorkflow>(agent),
        entry::<get_run::GetRun>(agent),
        entry::<list_runs::ListRuns>(agent),
        entry::<follow_run::FollowRun>(agent),
        entry::<retry_run::RetryRun>(agent),
        entry::<approve::Approve>(agent),
        entry::<reject::Reject>(agent),
        entry::<validate::Validate>(agent),
        entry::<schedules::Schedules>(agent),
    ]
}
