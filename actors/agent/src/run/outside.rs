//! What a step does outside: a request over HTTP, a container.

use std::time::{Duration, Instant};

use protocol::Cancel;
use serde_json::{Map, Value, json};

use super::machine::Machine;
use crate::doors::{Abandons, Became, Container, HttpRequest};
use crate::failure::Failure;
use crate::service::id_of;

/// Keys of containers are no longer than 256 bytes.
const PLACE_MAX: usize = 200;

impl Machine {
    pub(crate) async fn fetch(&self, request: &HttpRequest, limit: Duration) -> Became {
        let Some(outside) = self.agent.outside() else { return missing("http") };
        let abandons = Abandons(Cancel::new());
        let deadline = Instant::now() + limit;
        let asked = outside.http(request.clone(), deadline, abandons.0.clone());
        let answer = match tokio::time::timeout_at(deadline.into(), asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Became::of(&error),
            Err(_) => return Became::Failed(Failure::new("timeout", format!("no answer within {limit:?}"))),
        };
        let headers: Map<_, _> =
            answer.headers.into_iter().map(|(name, value)| (name.to_lowercase(), value.into())).collect();
        let mut value = json!({
            "status": answer.status, "headers": headers, "body": answer.body, "encoding": answer.encoding,
            "truncated": answer.truncated,
        });
        if let Ok(json) = serde_json::from_str::<Value>(&answer.body) {
            value["json"] = json;
        }
        let good = match &*request.expected {
            [] => (200..300).contains(&answer.status),
            some => some.contains(&answer.status),
        };
        if good {
            return Became::Done(value);
        }
        let url = self.masks.text(&request.url);
        let message = format!("{} {url} answered with status {}", request.method, answer.status);
        Became::Failed(Failure::new("http_status", message).with_data(value))
    }

    pub(crate) async fn contain(&self, container: &Container, key: &str, limit: Duration) -> Became {
        let Some(outside) = self.agent.outside() else { return missing("docker") };
        let abandons = Abandons(Cancel::new());
        let deadline = Instant::now() + limit;
        let container = Container { key: key.to_owned(), ..container.clone() };
        let image = container.image.clone();
        let asked = outside.docker(container, deadline, abandons.0.clone());
        let late = || Became::Failed(Failure::new("timeout", format!("it did not end within {limit:?}")));
        let ended = match tokio::time::timeout_at(deadline.into(), asked).await {
            Ok(Ok(ended)) => ended,
            Ok(Err(error)) => return Became::of(&error),
            Err(_) => return late(),
        };
        let value = json!({
            "exit_code": ended.exit_code, "end": ended.end, "output": ended.output, "container_id": ended.container_id,
        });
        match ended.end {
            "exited" if ended.exit_code == 0 => Became::Done(value),
            "timed_out" => late(),
            "exited" => {
                let message = format!("the container of '{image}' ended with code {}", ended.exit_code);
                Became::Failed(Failure::new("exit_code", message).with_data(value))
            }
            end => {
                let message = format!("the container of '{image}' was ended: {}", end.replace('_', " "));
                Became::Failed(Failure::new(end, message).with_data(value))
            }
        }
    }

    /// What a step's container is known by: another try is another container.
    pub(crate) fn container_key(&self, path: &str, attempt: u32) -> String {
        let place = if path.len() > PLACE_MAX { id_of(path) } else { path.to_owned() };
        format!("{}:{attempt}:{place}", self.run.id)
    }

    /// What came of it is written down.
    pub(crate) async fn release_of(&self, held: Option<String>) {
        if let Some(key) = held {
            self.release(&key).await;
        }
    }

    pub(crate) async fn release(&self, key: &str) {
        if let Some(outside) = self.agent.outside() {
            outside.release(key.to_owned()).await;
        }
    }
}

fn missing(kind: &str) -> Became {
    let message = format!("Steps of the kind `{kind}` are not in this build.");
    Became::Failed(Failure::new("agent_missing", message))
}
