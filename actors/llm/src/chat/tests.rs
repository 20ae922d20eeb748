//! An upstream that fails again and again is left alone, tried, and well again: whole chats against a server, with a
//! clock that is put forward.

#![expect(clippy::disallowed_methods, reason = "what a test spawns ends with its runtime, which is its own")]

use std::sync::atomic::{AtomicU16, Ordering};

use cluster_config::{Environment, Tier};
use protocol::{Caller, Cancel, Shape, Way};
use store::Store;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::*;
use crate::service::Config;

/// How long a model that failed is not asked, where models.yaml does not say.
const OPEN: Duration = Duration::from_secs(15);

/// A server that answers every chat with one status, once it may.
struct Server {
    url: String,
    status: AtomicU16,
    may: Semaphore,
    asked: watch::Sender<usize>,
}

impl Server {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Arc::new(Self {
            url: format!("http://{}/v1", listener.local_addr().unwrap()),
            status: AtomicU16::new(500),
            may: Semaphore::new(1000),
            asked: watch::Sender::new(0),
        });
        let serves = Arc::clone(&server);
        tokio::task::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::task::spawn(Arc::clone(&serves).answer(stream));
            }
        });
        server
    }

    async fn answer(self: Arc<Self>, mut stream: TcpStream) {
        let mut request = Vec::new();
        // Its body is JSON, and ends as none of its lines does.
        while !request.ends_with(b"}") {
            if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                return;
            }
        }
        self.asked.send_modify(|asked| *asked += 1);
        self.may.acquire().await.unwrap().forget();
        let message = json!({ "role": "assistant", "content": "Hello." });
        let body =
            json!({ "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }] }).to_string();
        let (status, length) = (self.status.load(Ordering::Relaxed), body.len());
        let head = format!("HTTP/1.1 {status} So\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
        let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    }

    fn asked(&self) -> usize {
        *self.asked.borrow()
    }
}

fn context() -> Context {
    let caller = Caller {
        name: "somebody".into(),
        tier: "ELITE".into(),
        allow: None,
        way: Way::Internal,
        token: None,
        service: None,
        run: None,
    };
    Context {
        caller: Arc::new(caller),
        request_id: 1,
        deadline: std::time::Instant::now() + Duration::from_mins(1),
        cancel: Cancel::new(),
        shape: Shape::Named,
        inputs: None,
        connection: None,
    }
}

fn llm(dir: &std::path::Path, url: &str) -> Llm {
    let file = dir.join("models.yaml");
    let model = format!("{{provider: openai_compatible, model: m, base_url: \"{url}\", retries: 0}}");
    std::fs::write(&file, format!("models:\n  m: {model}\n")).unwrap();
    let tier = |_: &str| -> Tier {
        let may = json!({ "rate_limit_requests": 0, "allowed_capabilities": [], "llm_access": true, "allowed_llm_models": ["*"] });
        serde_json::from_value(may).unwrap()
    };
    let config = Config {
        file: Some(file),
        environment: Environment::of::<&str, &str>([]),
        store: Store::open(dir).unwrap(),
        tier: Box::new(tier),
        tokens_per_day: 0,
        cost_per_day: 0.0,
        calls: 100,
        local: embedding::Embedder::new(|| Err(embedding::EmbedError::Closed), Duration::from_secs(1)),
    };
    Llm::open(config).unwrap()
}

/// Asks once; which kind of failure it was, or `ok`.
async fn ask(llm: &Llm) -> String {
    let messages = json!([{ "role": "user", "content": "Hi" }]);
    let asked = Asked { model: None, messages, options: Map::new(), stream: false };
    match chat(llm, &context(), asked).await {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.data.as_ref().map_or(Value::Null, |data| data["kind"].clone()).to_string(),
    }
}

/// Only between calls: with a clock that stands still every time limit would be over at once.
async fn put_forward(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

#[tokio::test]
async fn it_is_left_alone_then_tried_by_one_and_well_again() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start().await;
    let llm = llm(dir.path(), &server.url);
    for _ in 0..5 {
        assert_eq!(ask(&llm).await, "\"refused\"");
    }
    assert_eq!((ask(&llm).await.as_str(), server.asked()), ("\"circuit_open\"", 5));
    assert!(
        llm.health().is_some_and(|health| health.starts_with("m: not asked for 1")),
        "{:?}",
        llm.health()
    );

    put_forward(OPEN).await;
    assert_eq!((ask(&llm).await.as_str(), server.asked()), ("\"refused\"", 6), "one tries");
    assert_eq!((ask(&llm).await.as_str(), server.asked()), ("\"circuit_open\"", 6), "and in vain");

    put_forward(OPEN).await;
    server.status.store(200, Ordering::Relaxed);
    server.may.forget_permits(usize::MAX);
    let (tries, other) = (llm.clone(), Arc::clone(&server));
    let tried = tokio::task::spawn(async move { ask(&tries).await });
    other.asked.subscribe().wait_for(|asked| *asked == 7).await.unwrap();
    assert_eq!((ask(&llm).await.as_str(), server.asked()), ("\"circuit_open\"", 7), "the others wait for it");
    server.may.add_permits(1000);
    assert_eq!(tried.await.unwrap(), "ok");
    assert_eq!((ask(&llm).await.as_str(), server.asked(), llm.health()), ("ok", 8, None));
}
