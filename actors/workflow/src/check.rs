//! What a shape cannot say: that a step does one thing, that ids are of one step each, that templates are templates and
//! their names stand for something.

use std::collections::{BTreeMap, BTreeSet};

use cluster_config::document::{Step as Place, nearest};
use serde_json::Value;

use crate::model::{Catch, Condition, ForEach, KINDS, Kind, Step, Workflow};
use crate::references::Names;
use crate::schedule::Due;
use crate::span::Span;
use crate::walk::{at, each_step, key, lists, top};
use crate::{expr, inputs};

/// Steps of one file. Forty is a long one.
const STEPS_MAX: usize = 1000;

/// Characters of an id.
const ID_MAX: usize = 64;

/// Something wrong, and where.
pub(crate) type Complaint = (Vec<Place>, String);

fn is_id(id: &str) -> bool {
    let mut letters = id.chars();
    id.len() <= ID_MAX
        && letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Everything that is wrong with a workflow whose parts have the right shapes.
pub(crate) fn complaints(workflow: &Workflow) -> Vec<Complaint> {
    let names = Names::of(workflow);
    let mut found = Found { names: &names, wrong: Vec::new() };
    found.whole(workflow);
    let (mut ids, mut count) = (BTreeMap::<String, usize>::new(), 0);
    each_step(workflow, &mut |path, step| {
        count += 1;
        if count == STEPS_MAX + 1 {
            found.add(path, format!("is one of more than {STEPS_MAX} steps; make several workflows of it"));
        }
        *ids.entry(step.id.clone()).or_default() += 1;
        if ids[&step.id] == 2 {
            let message = format!("the id `{}` is another step's already; ids are of one step each", step.id);
            found.add(&at(path, &[key("id")]), message);
        }
        found.step(path, step);
        for (path, steps) in lists(path, step) {
            found.list(&path, steps);
        }
    });
    for (path, steps) in top(workflow) {
        found.list(&path, steps);
    }
    found.wrong
}

struct Found<'a> {
    names: &'a Names,
    wrong: Vec<Complaint>,
}

impl Found<'_> {
    fn add(&mut self, path: &[Place], message: impl Into<String>) {
        self.wrong.push((path.to_vec(), message.into()));
    }

    fn whole(&mut self, workflow: &Workflow) {
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if workflow.id.is_empty() || workflow.id.len() > ID_MAX || !workflow.id.chars().all(fits) {
            self.add(&[key("id")], format!("must be 1 to {ID_MAX} letters, digits, `.`, `_` or `-`"));
        }
        if workflow.steps.is_empty() {
            self.add(&[], "needs `steps`: what it does, one after the other");
        }
        if let Err(wrong) = inputs::compile(&inputs::schema(workflow.inputs.as_ref())) {
            self.add(&[key("inputs")], wrong);
        }
        let schedules = workflow.on.iter().flat_map(|on| &on.schedule);
        for (n, schedule) in schedules.enumerate() {
            if let Err((field, message)) = Due::of(schedule) {
                self.add(&[key("on"), key("schedule"), Place::Index(n), key(field)], message);
            }
        }
        for (name, text) in &workflow.env {
            self.named(&[key("env"), key(name)], name);
            self.text(&[key("env"), key(name)], text);
        }
        for (name, text) in &workflow.secrets {
            self.named(&[key("secrets"), key(name)], name);
            let refers = (text.starts_with("${") && text.ends_with('}')) || text.starts_with("file:");
            if !refers {
                self.add(
                    &[key("secrets"), key(name)],
                    "must say where the secret is: `${VARIABLE}` or `file:PATH`; it does not stand in the file itself",
                );
            }
        }
        if let Some(outputs) = &workflow.outputs {
            self.value(&[key("outputs")], outputs);
            self.no_secrets(&[key("outputs")], outputs);
        }
        if let Some(Catch::Full(handler)) = &workflow.catch {
            self.condition(&[key("catch"), key("when")], handler.when.as_ref());
        }
    }

    fn named(&mut self, path: &[Place], name: &str) {
        if !is_id(name) {
            self.add(path, "must be called by letters, digits and `_`, so that templates can say it");
        }
    }

    /// That the steps of one list can be done in some order.
    fn list(&mut self, path: &[Place], steps: &[Step]) {
        let ids: BTreeSet<&str> = steps.iter().map(|step| step.id.as_str()).collect();
        for (n, step) in steps.iter().enumerate() {
            for (m, need) in step.needs.iter().flatten().enumerate() {
                let path = at(path, &[Place::Index(n), key("needs"), Place::Index(m)]);
                if !ids.contains(need.as_str()) {
                    let near = nearest(need, ids.iter().copied());
                    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                    self.add(&path, format!("there is no step `{need}` in this list{hint}"));
                } else if needed(steps, need).contains(step.id.as_str()) {
                    self.add(&path, format!("`{need}` needs this step, so neither could begin"));
                }
            }
        }
    }

    fn step(&mut self, path: &[Place], step: &Step) {
        if !is_id(&step.id) {
            let fixed: String = step
                .id
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
                .take(ID_MAX)
                .collect();
            let message =
                format!("must be letters, digits and `_`, so that `steps.ID` is a name: write `{fixed}`");
            self.add(&at(path, &[key("id")]), message);
        }
        let said = said(step);
        match said[..] {
            [_] => {}
            [] => self.add(path, format!("does not say what it does; write one of {}", KINDS.join(", "))),
            _ => self.add(
                path,
                format!("says several things that it does ({}); make a step of each", said.join(", ")),
            ),
        }
        if step.with.is_some() && step.call.is_none() {
            self.add(&at(path, &[key("with")]), "belongs to `call`, which this step does not have");
        }
        self.condition(&at(path, &[key("if")]), step.condition.as_ref());
        if let Some(over) = &step.for_each {
            self.over(path, over);
        }
        if let Some(retry) = &step.retry {
            self.condition(&at(path, &[key("retry"), key("when")]), retry.full().when.as_ref());
        }
        if let Some(Catch::Full(handler)) = &step.catch {
            self.condition(&at(path, &[key("catch"), key("when")]), handler.when.as_ref());
        }
        if let Some(outputs) = &step.outputs {
            self.value(&at(path, &[key("outputs")]), outputs);
            self.no_secrets(&at(path, &[key("outputs")]), outputs);
        }
        if let Some(kind) = step.kind() {
            self.kind(path, &kind);
        }
    }

    fn over(&mut self, path: &[Place], over: &ForEach) {
        let path = at(path, &[key("for_each")]);
        let (value, name, _) = over.parts();
        let place = if matches!(over, ForEach::Full(_)) { at(&path, &[key("in")]) } else { path.clone() };
        match &value {
            Value::String(source) => {
                for wrong in self.names.in_condition(source) {
                    self.add(&place, wrong);
                }
            }
            Value::Array(_) => self.value(&place, &value),
            _ => self.add(&place, "must be a list, or an expression that comes to one"),
        }
        if !is_id(name) {
            self.add(&at(&path, &[key("as")]), "must be letters, digits and `_`");
        }
    }

    fn kind(&mut self, path: &[Place], kind: &Kind<'_>) {
        let path = &at(path, &[key(kind.word())]);
        match kind {
            Kind::Call(method, with) => {
                let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                if method.is_empty() || !method.chars().all(plain) {
                    self.add(
                        path,
                        "must be the name of a method or a tool, as it stands: `mcp.fs.write`, `fs_write`",
                    );
                }
                if let Some(with) = with {
                    let path = at(&path[..path.len() - 1], &[key("with")]);
                    self.value(&path, with);
                    if !with.is_object() && !with.is_array() {
                        self.add(&path, "must be a mapping of params by their names, or a list of them");
                    }
                }
            }
            Kind::Sleep(time) => {
                self.value(path, time);
                if expr::is_text(time.as_str().unwrap_or_default())
                    && let Err(wrong) = Span::of_value(time)
                {
                    self.add(path, wrong);
                }
            }
            Kind::Switch(cases) => {
                for (n, case) in cases.iter().enumerate() {
                    let path = at(path, &[Place::Index(n)]);
                    self.condition(&at(&path, &[key("when")]), case.when.as_ref());
                    if case.when.is_none() && n + 1 < cases.len() {
                        self.add(&path, "is always taken, so that those after it never are; put it last");
                    }
                }
            }
            Kind::Parallel(parallel) => {
                for name in parallel.branches.keys().filter(|name| !is_id(name)) {
                    self.add(
                        &at(path, &[key("branches"), key(name)]),
                        "must be called by letters, digits and `_`",
                    );
                }
            }
            Kind::Set(vars) => {
                for (name, value) in *vars {
                    let path = at(path, &[key(name)]);
                    self.named(&path, name);
                    self.value(&path, value);
                    self.no_secrets(&path, value);
                }
            }
            Kind::Steps(_) => {}
            Kind::Llm(llm) => {
                if llm.prompt.is_none() == llm.messages.is_none() {
                    self.add(path, "needs either `prompt` or `messages`");
                }
                self.written(path, *llm);
                self.schema(&at(path, &[key("schema")]), llm.schema.as_ref());
            }
            Kind::Agent(agent) => {
                self.written(path, *agent);
                self.schema(&at(path, &[key("schema")]), agent.schema.as_ref());
                if agent.prompt.is_empty() {
                    self.add(path, "needs `prompt`: what it is to do");
                }
            }
            Kind::Http(http) => {
                if http.url.is_empty() {
                    self.add(path, "needs `url`: where to");
                }
                if http.json.is_some() && http.body.is_some() {
                    self.add(path, "has both `json` and `body`; a request has one body");
                }
                self.written(path, *http);
            }
            Kind::Docker(docker) => {
                if docker.image.is_empty() {
                    self.add(path, "needs `image`");
                }
                self.written(path, *docker);
            }
            Kind::Wait(wait) => {
                self.written(path, *wait);
                if expr::is_text(&wait.until) && wait.until.parse::<jiff::Timestamp>().is_err() {
                    self.add(&at(path, &[key("until")]), "must be a time such as `2027-01-01T08:00:00Z`");
                }
            }
            Kind::Approve(approve) => self.written(path, *approve),
            Kind::Log(log) => self.written(path, *log),
            Kind::Emit(emit) => self.written(path, *emit),
            Kind::Workflow(sub) => self.written(path, *sub),
            Kind::Raise(raise) => self.written(path, *raise),
        }
    }

    /// A JSON Schema in the file.
    fn schema(&mut self, path: &[Place], schema: Option<&serde_json::Map<String, Value>>) {
        if let Some(schema) = schema
            && let Err(wrong) = inputs::compile(&Value::Object(schema.clone()))
        {
            self.add(path, wrong);
        }
    }

    /// All texts of something that is written as it stands in the file.
    fn written(&mut self, path: &[Place], it: &impl serde::Serialize) {
        if let Ok(value) = serde_json::to_value(it) {
            self.value(path, &value);
        }
    }

    fn value(&mut self, path: &[Place], value: &Value) {
        match value {
            Value::String(text) => self.text(path, text),
            Value::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    self.value(&at(path, &[Place::Index(n)]), item);
                }
            }
            Value::Object(map) => {
                for (name, value) in map {
                    self.text(path, name);
                    self.value(&at(path, &[key(name)]), value);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, path: &[Place], text: &str) {
        for wrong in self.names.in_text(text) {
            self.add(path, wrong);
        }
    }

    fn condition(&mut self, path: &[Place], condition: Option<&Condition>) {
        let Some(condition) = condition else { return };
        for wrong in self.names.in_condition(condition.source()) {
            self.add(path, wrong);
        }
    }

    /// What is kept is kept without secrets, so that one that is put there would be three stars afterwards.
    fn no_secrets(&mut self, path: &[Place], value: &Value) {
        let uses = |text: &str| {
            expr::names(text).is_ok_and(|names| names.iter().any(|name| name.starts_with("secrets")))
        };
        let found = match value {
            Value::String(text) => uses(text),
            Value::Array(items) => return items.iter().for_each(|item| self.no_secrets(path, item)),
            Value::Object(map) => return map.values().for_each(|value| self.no_secrets(path, value)),
            _ => false,
        };
        if found {
            self.add(
                path,
                "keeps a secret, which is masked in what is kept; use `secrets.` where it is needed",
            );
        }
    }
}

fn said(step: &Step) -> Vec<&'static str> {
    let says = [
        step.call.is_some(),
        step.llm.is_some(),
        step.agent.is_some(),
        step.http.is_some(),
        step.docker.is_some(),
        step.sleep.is_some(),
        step.wait.is_some(),
        step.approve.is_some(),
        step.parallel.is_some(),
        step.switch.is_some(),
        step.set.is_some(),
        step.log.is_some(),
        step.emit.is_some(),
        step.workflow.is_some(),
        step.raise.is_some(),
        step.steps.is_some(),
    ];
    KINDS.iter().zip(says).filter(|(_, says)| *says).map(|(word, _)| *word).collect()
}

/// All that `id` needs, itself among them.
fn needed<'a>(steps: &'a [Step], id: &'a str) -> BTreeSet<&'a str> {
    let (mut all, mut next) = (BTreeSet::new(), vec![id]);
    while let Some(id) = next.pop() {
        if all.insert(id) {
            let step = steps.iter().find(|step| step.id == id);
            next.extend(step.iter().flat_map(|step| step.needs.iter().flatten()).map(String::as_str));
        }
    }
    all
}
