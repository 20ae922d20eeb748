//! A JSON-RPC client over WebSocket or a UNIX socket, that can do everything right and everything wrong.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::frame::{Frames, Framing};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::PATIENCE;

/// An answer: a result, or an error object.
pub type Answer = Result<Value, Value>;

/// One connection. Calls may be made at the same time; clones share it.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    /// Its end closes the connection, so nobody but clients holds it.
    outgoing: mpsc::Sender<Message>,
    waiting: Arc<Mutex<Waiting>>,
    /// Everything that is no answer to a call: notifications, answers without an id, batches.
    strays: Mutex<mpsc::Receiver<Value>>,
    next: AtomicI64,
}

/// Who waits for which answer; `None` once the connection has ended, when nobody may begin to wait.
type Waiting = Option<HashMap<i64, oneshot::Sender<Answer>>>;

/// The connection ended before the answer came.
pub fn gone() -> Value {
    json!({ "code": 0, "message": "connection gone" })
}

impl Client {
    /// Connects to a WebSocket.
    ///
    /// # Errors
    /// What the server said instead: its HTTP answer, or that there is none.
    pub async fn ws(url: &str, token: Option<&str>) -> Result<Self, tungstenite::Error> {
        let headers: Vec<(&str, String)> =
            token.map(|token| ("authorization", format!("Bearer {token}"))).into_iter().collect();
        Self::ws_with(url, &headers).await
    }

    /// Connects to a WebSocket with headers of one's own.
    ///
    /// # Errors
    /// What the server said instead.
    pub async fn ws_with(url: &str, headers: &[(&str, String)]) -> Result<Self, tungstenite::Error> {
        let mut request = url.into_client_request()?;
        for (name, value) in headers {
            let name = tungstenite::http::HeaderName::from_bytes(name.as_bytes()).expect("a header");
            request.headers_mut().insert(name, value.parse().expect("a header's value"));
        }
        let (socket, _) = tokio_tungstenite::connect_async(request).await?;
        let (mut write, mut read) = socket.split();
        let (outgoing, mut to_send) = mpsc::channel::<Message>(1024);
        let (received, incoming) = mpsc::channel(1024);
        tokio::task::spawn(async move {
            while let Some(message) = to_send.recv().await {
                if write.send(message).await.is_err() {
                    return;
                }
            }
            let _ = write.close().await;
        });
        tokio::task::spawn(async move {
            while let Some(Ok(message)) = read.next().await {
                if let Message::Text(text) = message
                    && received.send(text.as_str().to_owned()).await.is_err()
                {
                    return;
                }
            }
        });
        Ok(Self::over(outgoing, incoming))
    }

    /// Connects to a UNIX socket.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn unix(path: &Path) -> std::io::Result<Self> {
        let (mut read, mut write) = UnixStream::connect(path).await?.into_split();
        let (outgoing, mut to_send) = mpsc::channel::<Message>(1024);
        let (received, incoming) = mpsc::channel(1024);
        tokio::task::spawn(async move {
            while let Some(message) = to_send.recv().await {
                let mut bytes = message.into_data().to_vec();
                bytes.push(0);
                if write.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        });
        tokio::task::spawn(async move {
            let (mut frames, mut buffer) = (Frames::new(Framing::Nul, 1 << 30), BytesMut::new());
            loop {
                while let Some(frame) = frames.next(&mut buffer) {
                    let text = String::from_utf8(frame.expect("below the limit").to_vec()).expect("UTF-8");
                    if received.send(text).await.is_err() {
                        return;
                    }
                }
                if !matches!(read.read_buf(&mut buffer).await, Ok(n) if n > 0) {
                    return;
                }
            }
        });
        Ok(Self::over(outgoing, incoming))
    }

    fn over(outgoing: mpsc::Sender<Message>, mut incoming: mpsc::Receiver<String>) -> Self {
        let (stray, strays) = mpsc::channel(4096);
        let waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        let told = Arc::clone(&waiting);
        tokio::task::spawn(async move {
            while let Some(text) = incoming.recv().await {
                let message: Value = serde_json::from_str(&text).expect("the server speaks JSON");
                take(message, &told, &stray).await;
            }
            // Whoever still waits learns that the connection is gone, by the drop of its sender.
            *told.lock().await = None;
        });
        let (strays, next) = (Mutex::new(strays), AtomicI64::new(1));
        Self { shared: Arc::new(Shared { outgoing, waiting, strays, next }) }
    }

    /// Calls a method and waits for its answer.
    pub async fn call(&self, method: &str, params: Value) -> Answer {
        self.begin(method, params).await.1.await
    }

    /// Calls a method that must succeed.
    pub async fn ok(&self, method: &str, params: Value) -> Value {
        self.call(method, params.clone()).await.unwrap_or_else(|error| panic!("{method} {params}: {error}"))
    }

    /// Calls a method that must fail; returns the error's code.
    pub async fn code(&self, method: &str, params: Value) -> i64 {
        match self.call(method, params.clone()).await {
            Ok(result) => panic!("{method} {params} succeeded: {result}"),
            Err(error) => error["code"].as_i64().expect("an error has a code"),
        }
    }

    /// Sends a request; returns its id and its answer to come.
    pub async fn begin(&self, method: &str, params: Value) -> (i64, impl Future<Output = Answer> + use<>) {
        self.begin_within(PATIENCE, method, params).await
    }

    /// The same for what may take longer than anything else.
    pub async fn begin_within(
        &self,
        patience: Duration,
        method: &str,
        params: Value,
    ) -> (i64, impl Future<Output = Answer> + use<>) {
        let id = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let (tell, told) = oneshot::channel();
        if let Some(waiting) = &mut *self.shared.waiting.lock().await {
            waiting.insert(id, tell);
        }
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        if !self.send(request.to_string()).await
            && let Some(waiting) = &mut *self.shared.waiting.lock().await
        {
            waiting.remove(&id);
        }
        let answer = async move {
            let answer =
                tokio::time::timeout(patience, told).await.expect("every request is answered in time");
            answer.unwrap_or_else(|_| Err(gone()))
        };
        (id, answer)
    }

    /// Sends a frame as it is; `false` when the connection is gone.
    pub async fn send(&self, text: String) -> bool {
        self.shared.outgoing.send(Message::text(text)).await.is_ok()
    }

    /// Sends bytes: a binary frame on a WebSocket, anything at all on a UNIX socket.
    pub async fn send_bytes(&self, bytes: Vec<u8>) -> bool {
        self.shared.outgoing.send(Message::binary(bytes)).await.is_ok()
    }

    /// Waits for the server to end the connection.
    pub async fn ended(&self) {
        while self.stray().await.is_some() {}
    }

    /// The next message that is no answer to a call and has come already.
    pub async fn stray_now(&self) -> Option<Value> {
        self.shared.strays.lock().await.try_recv().ok()
    }

    /// The next message that is no answer to a call; `None` when the connection is gone.
    pub async fn stray(&self) -> Option<Value> {
        let mut strays = self.shared.strays.lock().await;
        tokio::time::timeout(PATIENCE, strays.recv()).await.expect("a message comes")
    }
}

async fn take(message: Value, waiting: &Mutex<Waiting>, stray: &mpsc::Sender<Value>) {
    let caller = match message["id"].as_i64() {
        Some(id) => waiting.lock().await.as_mut().and_then(|waiting| waiting.remove(&id)),
        None => None,
    };
    match caller {
        Some(caller) => {
            let answer = match message.get("error") {
                Some(error) => Err(error.clone()),
                None => Ok(message["result"].clone()),
            };
            let _ = caller.send(answer);
        }
        None => drop(stray.try_send(message)),
    }
}
