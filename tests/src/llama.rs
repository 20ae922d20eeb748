//! A real llama.cpp server, with a model of its own making whose answer is always the same.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use crate::{PATIENCE, Tools, until};

/// A running server; its drop ends it.
pub struct Llama {
    url: String,
    _server: Child,
}

impl Llama {
    /// One that answers `Hello from a real llama.`.
    pub async fn text() -> Self {
        Self::start("text").await
    }

    /// One that calls the tool `get_weather` with the city of Paris.
    pub async fn tools() -> Self {
        Self::start("tools").await
    }

    /// Its base URL for OpenAI's words, and for Anthropic's.
    pub fn v1(&self) -> String {
        format!("{}/v1", self.url)
    }

    async fn start(answer: &str) -> Self {
        let mut server = Tools::get().python("llama");
        server.args([answer, "0"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = server.spawn().expect("the server starts");
        let mut said = BufReader::new(server.stdout.take().expect("it is ours")).lines();
        let address = tokio::time::timeout(PATIENCE, said.next_line()).await;
        let address = address.expect("it listens in time").expect("it is read").expect("it lives");
        let url = address.strip_prefix("listening ").expect("it says where").to_owned();
        let at = url.strip_prefix("http://").expect("a plain URL").to_owned();
        until("the model is loaded", async || {
            crate::posted::get(&at, "/health", &[]).await.is_some_and(|health| health.status == 200)
        })
        .await;
        Self { url, _server: server }
    }
}
