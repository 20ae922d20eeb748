//! The steps of a workflow, all of them, and where each is.

use cluster_config::document::Step as Place;

use crate::model::{Case, Catch, Step, Workflow};

/// The place of a name.
pub(crate) fn key(name: &str) -> Place {
    Place::Key(name.to_owned())
}

/// The place `below` of what is at `path`.
pub(crate) fn at(path: &[Place], below: &[Place]) -> Vec<Place> {
    path.iter().chain(below).cloned().collect()
}

/// Calls `visit` with every step and where it is, those around others first.
pub(crate) fn each_step(workflow: &Workflow, visit: &mut dyn FnMut(&[Place], &Step)) {
    for (path, steps) in top(workflow) {
        walk(&path, steps, visit);
    }
}

/// The lists of steps that are in no step.
pub(crate) fn top(workflow: &Workflow) -> Vec<(Vec<Place>, &[Step])> {
    let mut lists = vec![(vec![key("steps")], workflow.steps.as_slice())];
    lists.extend(workflow.catch.as_ref().map(|catch| caught(&[], catch)));
    lists.push((vec![key("finally")], &workflow.finally));
    lists
}

fn walk(path: &[Place], steps: &[Step], visit: &mut dyn FnMut(&[Place], &Step)) {
    for (n, step) in steps.iter().enumerate() {
        let path = at(path, &[Place::Index(n)]);
        visit(&path, step);
        for (path, steps) in lists(&path, step) {
            walk(&path, steps, visit);
        }
    }
}

fn caught<'a>(path: &[Place], catch: &'a Catch) -> (Vec<Place>, &'a [Step]) {
    match catch {
        Catch::Steps(steps) => (at(path, &[key("catch")]), steps),
        Catch::Full(full) => (at(path, &[key("catch"), key("steps")]), &full.steps),
    }
}

/// The lists of steps in a step.
pub(crate) fn lists<'a>(path: &[Place], step: &'a Step) -> Vec<(Vec<Place>, &'a [Step])> {
    let mut lists: Vec<(Vec<Place>, &[Step])> = Vec::new();
    if let Some(steps) = &step.steps {
        lists.push((at(path, &[key("steps")]), steps));
    }
    for (n, Case { steps, .. }) in step.switch.iter().flatten().enumerate() {
        lists.push((at(path, &[key("switch"), Place::Index(n), key("steps")]), steps));
    }
    for (name, steps) in step.parallel.iter().flat_map(|parallel| &parallel.branches) {
        lists.push((at(path, &[key("parallel"), key("branches"), key(name)]), steps));
    }
    lists.extend(step.catch.as_ref().map(|catch| caught(path, catch)));
    lists.push((at(path, &[key("finally")]), &step.finally));
    lists
}
