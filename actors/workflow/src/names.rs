//! Names for the steps that have none.

use crate::model::{Catch, Step, Workflow};

/// Gives every step without an id one that is made of its place.
pub(crate) fn name_steps(workflow: &mut Workflow) {
    name_all(&mut workflow.steps, "step");
    match &mut workflow.catch {
        Some(Catch::Steps(steps)) => name_all(steps, "catch"),
        Some(Catch::Full(full)) => name_all(&mut full.steps, "catch"),
        None => {}
    }
    name_all(&mut workflow.finally, "finally");
}

fn name_all(steps: &mut [Step], prefix: &str) {
    for (n, step) in steps.iter_mut().enumerate() {
        if step.id.is_empty() {
            step.id = format!("{prefix}_{}", n + 1);
        }
        let id = step.id.clone();
        if let Some(steps) = &mut step.steps {
            name_all(steps, &id);
        }
        for (n, case) in step.switch.iter_mut().flatten().enumerate() {
            name_all(&mut case.steps, &format!("{id}_case_{}", n + 1));
        }
        for (name, steps) in step.parallel.iter_mut().flat_map(|parallel| &mut parallel.branches) {
            name_all(steps, &format!("{id}_{name}"));
        }
        match &mut step.catch {
            Some(Catch::Steps(steps)) => name_all(steps, &format!("{id}_catch")),
            Some(Catch::Full(full)) => name_all(&mut full.steps, &format!("{id}_catch")),
            None => {}
        }
        name_all(&mut step.finally, &format!("{id}_finally"));
    }
}
