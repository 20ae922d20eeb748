//! Lists of steps: one after the other, as they need one another, and one step for each entry of a list.

use std::collections::BTreeSet;

use futures_util::stream::{self, FuturesUnordered};
use futures_util::{FutureExt as _, StreamExt as _};
use protocol::dispatch::BoxFuture;
use serde_json::Value;
use workflow::model::ForEach;
use workflow::{Scope, Step, expr};

use super::machine::{Machine, template};
use crate::failure::{Failure, Flow, Stop};

impl Machine {
    /// Steps one after the other, or as they need one another; what the last came to.
    pub(crate) fn list<'a>(
        &'a self,
        steps: &'a [Step],
        scope: &'a mut Scope,
        base: String,
    ) -> BoxFuture<'a, Flow<Value>> {
        async move {
            if steps.iter().any(|step| step.needs.is_some()) {
                return self.graph(steps, scope, &base).await;
            }
            let mut last = Value::Null;
            for step in steps {
                last = self.step(step, scope, &base).await?;
            }
            Ok(last)
        }
        .boxed()
    }

    /// Steps that run as soon as what they need is done. Each sees what it needs, and nothing that happens beside it.
    async fn graph(&self, steps: &[Step], scope: &mut Scope, base: &str) -> Flow<Value> {
        let needs: Vec<Vec<usize>> =
            steps.iter().enumerate().map(|(n, step)| needs(steps, n, step)).collect();
        let mut done: Vec<Option<Flow<(Value, Scope)>>> = steps.iter().map(|_| None).collect();
        let mut begun = BTreeSet::new();
        let mut under_way = FuturesUnordered::new();
        loop {
            for n in 0..steps.len() {
                let ready = needs[n].iter().all(|need| matches!(done[*need], Some(Ok(_))));
                if !ready || !begun.insert(n) {
                    continue;
                }
                let mut own = scope.clone();
                for need in ancestors(&needs, n) {
                    if let Some(Ok((_, theirs))) = &done[need] {
                        own.merge("steps", theirs);
                        own.merge("vars", theirs);
                    }
                }
                let step = &steps[n];
                under_way.push(async move {
                    let outcome = self.step(step, &mut own, base).await;
                    (n, outcome.map(|value| (value, own)))
                });
            }
            let Some((n, outcome)) = under_way.next().await else { break };
            done[n] = Some(outcome);
        }
        let mut last = Value::Null;
        let mut failed = Vec::new();
        for outcome in done.into_iter().flatten() {
            match outcome {
                Ok((value, theirs)) => {
                    scope.merge("steps", &theirs);
                    scope.merge("vars", &theirs);
                    last = value;
                }
                Err(stop) => failed.push(stop),
            }
        }
        worst(failed).map_or(Ok(last), Err)
    }

    /// A step for each entry of a list; what each came to.
    pub(super) async fn each(
        &self,
        step: &Step,
        over: &ForEach,
        scope: &mut Scope,
        path: &str,
    ) -> Flow<Value> {
        let (items, name, at_once) = over.parts();
        let items = match &items {
            Value::String(source) => expr::value(source, scope),
            other => expr::render(other, scope),
        };
        let items = match items.map_err(|why| template(format!("for_each: {why}")).at(path))? {
            Value::Array(items) => items,
            other => {
                let what = crate::view::kind_of(&other);
                let message = format!("for_each: comes to {what}, and not to a list");
                return Err(template(message).at(path).into());
            }
        };
        let most = self.agent.settings().steps;
        if items.len() > most {
            let message = format!("for_each has {} entries; agent.steps allows {most}", items.len());
            return Err(Failure::new("too_many_steps", message).at(path).into());
        }
        let own = |scope: &Scope, n: usize, item: &Value| {
            scope.clone().with(name, item).with("item", item).with("index", &n.into())
        };
        if at_once <= 1 {
            let mut results = Vec::new();
            for (n, item) in items.iter().enumerate() {
                self.go_on()?;
                let mut inner = own(scope, n, item);
                let value = self.tried(step, &mut inner, &format!("{path}[{n}]")).await?;
                // What a round sets the next one finds.
                scope.merge("vars", &inner);
                results.push(value);
            }
            return Ok(results.into());
        }
        let rounds = items.iter().enumerate().map(|(n, item)| {
            let mut inner = own(scope, n, item);
            let path = format!("{path}[{n}]");
            async move { self.tried(step, &mut inner, &path).await }.boxed()
        });
        let outcomes: Vec<_> = stream::iter(rounds.collect::<Vec<_>>()).buffered(at_once).collect().await;
        let (mut results, mut failed) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            match outcome {
                Ok(value) => results.push(value),
                Err(stop) => failed.push(stop),
            }
        }
        worst(failed).map_or(Ok(results.into()), Err)
    }
}

/// Of what stopped several at the same time the one that counts: what ends the run first, then the first failure in the
/// order of the steps, which is the same each time.
pub(crate) fn worst(stops: Vec<Stop>) -> Option<Stop> {
    let rank = |stop: &Stop| match stop {
        Stop::Lost(_) => 0,
        Stop::Asked => 1,
        Stop::Shutdown => 2,
        Stop::Failed(_) => 3,
    };
    stops.into_iter().min_by_key(rank)
}

/// Which steps of the list the `n`th needs.
fn needs(steps: &[Step], n: usize, step: &Step) -> Vec<usize> {
    match &step.needs {
        Some(ids) => ids.iter().filter_map(|id| steps.iter().position(|step| step.id == *id)).collect(),
        None => n.checked_sub(1).into_iter().collect(),
    }
}

/// All steps that the `n`th needs, and those that they need.
fn ancestors(needs: &[Vec<usize>], n: usize) -> BTreeSet<usize> {
    let (mut all, mut next) = (BTreeSet::new(), needs[n].clone());
    while let Some(one) = next.pop() {
        if all.insert(one) {
            next.extend(&needs[one]);
        }
    }
    all
}
