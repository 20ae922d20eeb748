//! Whether the names that templates use stand for anything.

use std::collections::BTreeSet;

use cluster_config::document::nearest;

use crate::model::{ForEach, Step, Workflow};
use crate::{expr, inputs};

/// Names that are always there, or where they make sense.
const ROOTS: &[&str] =
    &["inputs", "steps", "vars", "env", "secrets", "run", "item", "index", "error", "result", "context"];

/// What the language itself has.
const FUNCTIONS: &[&str] = &["range", "dict", "namespace", "loop", "debug"];

/// All names of one workflow.
pub(crate) struct Names {
    roots: BTreeSet<String>,
    steps: BTreeSet<String>,
    inputs: Option<BTreeSet<String>>,
    env: BTreeSet<String>,
    secrets: BTreeSet<String>,
}

impl Names {
    pub(crate) fn of(workflow: &Workflow) -> Self {
        let mut names = Self {
            roots: ROOTS.iter().map(|name| (*name).to_owned()).collect(),
            steps: BTreeSet::new(),
            inputs: None,
            env: workflow.env.keys().cloned().collect(),
            secrets: workflow.secrets.keys().cloned().collect(),
        };
        let schema = inputs::schema(workflow.inputs.as_ref());
        names.inputs = inputs::names(&schema).map(|all| all.into_iter().map(str::to_owned).collect());
        if let Some(catch) = &workflow.catch {
            names.roots.insert(catch.parts().2.to_owned());
        }
        crate::walk::each_step(workflow, &mut |_, step| names.take(step));
        names
    }

    fn take(&mut self, step: &Step) {
        self.steps.insert(step.id.clone());
        if let Some(ForEach::Full(each)) = &step.for_each
            && let Some(name) = &each.name
        {
            self.roots.insert(name.clone());
        }
        if let Some(catch) = &step.catch {
            self.roots.insert(catch.parts().2.to_owned());
        }
    }

    /// What is wrong with a text that may hold templates.
    pub(crate) fn in_text(&self, text: &str) -> Vec<String> {
        expr::names(text).map_or_else(|wrong| vec![wrong], |names| self.unknown(&names))
    }

    /// What is wrong with a condition.
    pub(crate) fn in_condition(&self, source: &str) -> Vec<String> {
        expr::condition_names(source).map_or_else(|wrong| vec![wrong], |names| self.unknown(&names))
    }

    fn unknown(&self, names: &[String]) -> Vec<String> {
        let mut wrong = Vec::new();
        for name in names {
            let mut parts = name.split('.');
            let root = parts.next().unwrap_or_default();
            if FUNCTIONS.contains(&root) {
                continue;
            }
            if !self.roots.contains(root) {
                wrong.push(unknown("name", root, &self.roots));
                continue;
            }
            let Some(member) = parts.next() else { continue };
            let known = match root {
                "steps" => Some(("step", &self.steps)),
                "inputs" => self.inputs.as_ref().map(|inputs| ("input", inputs)),
                "env" => Some(("entry of `env`", &self.env)),
                "secrets" => Some(("entry of `secrets`", &self.secrets)),
                _ => None,
            };
            if let Some((what, known)) = known
                && !known.contains(member)
            {
                wrong.push(unknown(what, member, known));
            }
        }
        wrong.sort();
        wrong
    }
}

fn unknown(what: &str, name: &str, known: &BTreeSet<String>) -> String {
    let shown: String = name.chars().take(60).collect();
    let advice = match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there are none".to_owned(),
        None => format!("there are {}", known.iter().take(20).cloned().collect::<Vec<_>>().join(", ")),
    };
    format!("there is no {what} `{shown}`; {advice}")
}
