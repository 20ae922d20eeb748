//! Steps that are made of steps: groups, ways, branches.

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _, future};
use protocol::dispatch::BoxFuture;
use serde_json::{Map, Value, json};
use workflow::model::{Case, Parallel};
use workflow::{Kind, Scope};

use super::lists::worst;
use super::machine::{Machine, holds, join};
use crate::failure::{Flow, Stop};
use crate::record::StepState;

impl Machine {
    /// A step of steps. `inner` is the place of those in this try; `path` is its own.
    pub(crate) fn block<'a>(
        &'a self,
        kind: Kind<'a>,
        scope: &'a mut Scope,
        path: &'a str,
        inner: &'a str,
    ) -> BoxFuture<'a, Flow<Value>> {
        async move {
            match kind {
                Kind::Steps(steps) => self.list(steps, scope, inner.to_owned()).await,
                Kind::Switch(cases) => self.switch(cases, scope, inner).await,
                Kind::Parallel(parallel) if parallel.compete => {
                    self.compete(parallel, scope, path, inner).await
                }
                Kind::Parallel(parallel) => self.parallel(parallel, scope, inner).await,
                _ => Ok(Value::Null),
            }
        }
        .boxed()
    }

    async fn switch(&self, cases: &[Case], scope: &mut Scope, inner: &str) -> Flow<Value> {
        for (n, case) in cases.iter().enumerate() {
            let taken = case.when.as_ref().map_or(Ok(true), |when| holds(when, scope));
            if taken.map_err(|failure| failure.at(inner))? {
                return self.list(&case.steps, scope, join(inner, &format!("case{}", n + 1))).await;
            }
        }
        Ok(Value::Null)
    }

    /// All branches; each is finished, whatever becomes of the others, so that it is the same each time what there is.
    async fn parallel(&self, parallel: &Parallel, scope: &mut Scope, inner: &str) -> Flow<Value> {
        let branches = parallel.branches.iter().map(|(name, steps)| {
            let mut own = scope.clone();
            let base = join(inner, name);
            async move {
                let outcome = self.list(steps, &mut own, base).await;
                (name, outcome, own)
            }
        });
        let (mut results, mut failed) = (Map::new(), Vec::new());
        for (name, outcome, own) in future::join_all(branches.collect::<Vec<_>>()).await {
            scope.merge("steps", &own);
            scope.merge("vars", &own);
            match outcome {
                Ok(value) => drop(results.insert(name.clone(), value)),
                Err(stop) => failed.push(stop),
            }
        }
        worst(failed).map_or(Ok(results.into()), Err)
    }

    /// The first branch that is done; who that was is written down with its result.
    async fn compete(&self, parallel: &Parallel, scope: &mut Scope, path: &str, inner: &str) -> Flow<Value> {
        let row = self.row(path).filter(|row| row.state == StepState::Done);
        let winner = row.and_then(|row| row.outcome?.get("winner")?.as_str().map(str::to_owned));
        if let Some((name, steps)) = winner.as_ref().and_then(|name| parallel.branches.get_key_value(name)) {
            let value = self.list(steps, scope, join(inner, name)).await?;
            return Ok(json!({ "winner": name, "value": value }));
        }
        let mut racing: FuturesUnordered<_> = parallel
            .branches
            .iter()
            .map(|(name, steps)| {
                let mut own = scope.clone();
                let base = join(inner, name);
                async move { (name, self.list(steps, &mut own, base).await, own) }
            })
            .collect();
        let mut failed = Vec::new();
        while let Some((name, outcome, own)) = racing.next().await {
            match outcome {
                Ok(value) => {
                    drop(racing);
                    for loser in parallel.branches.keys().filter(|loser| *loser != name) {
                        self.agent.journal().abandon(self.run.seq, &join(inner, loser)).await?;
                    }
                    scope.merge("steps", &own);
                    scope.merge("vars", &own);
                    return Ok(json!({ "winner": name, "value": value }));
                }
                Err(stop @ Stop::Failed(_)) => failed.push(stop),
                Err(stop) => return Err(stop),
            }
        }
        worst(failed).map_or(Ok(Value::Null), Err)
    }
}
