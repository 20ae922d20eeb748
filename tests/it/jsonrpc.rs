//! JSON-RPC 2.0 over the wire: every message is answered as the specification asks, and none ends a connection.

use harness::{Client, Daemon, Setup, run, until};
use serde_json::{Value, json};

/// The doors that speak the native dialect.
async fn doors(daemon: &Daemon) -> [(&'static str, Client); 2] {
    [("ws", daemon.client().await), ("unix", daemon.unix("gateway").await)]
}

/// Sends `message` and a question behind it: what comes before the question's answer is the message's.
async fn answers(client: &Client, message: &str) -> Vec<Value> {
    client.send(message.to_owned()).await;
    client
        .send(r#"{"jsonrpc":"2.0","id":"end","method":"mcp.cancel","params":{"id":"nothing"}}"#.to_owned())
        .await;
    let mut answers = Vec::new();
    loop {
        match client.stray().await.expect("the connection stays") {
            answer if answer["id"] == "end" => return answers,
            answer => answers.push(answer),
        }
    }
}

#[test]
fn what_is_no_request_is_refused_and_the_connection_stays() {
    run(async {
        let daemon = Daemon::start().await;
        for (door, client) in doors(&daemon).await {
            let check = async |message: &str, code: i64, id: Value| {
                let answers = answers(&client, message).await;
                let [answer] = &answers[..] else { panic!("{door}: {message}: {answers:?}") };
                assert_eq!(
                    (&answer["error"]["code"], &answer["id"]),
                    (&json!(code), &id),
                    "{door}: {message}: {answer}"
                );
                assert_eq!(answer["jsonrpc"], "2.0");
            };
            check(" ", -32700, Value::Null).await;
            check("{", -32700, Value::Null).await;
            check("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"mcp.hello\"} x", -32700, Value::Null).await;
            check("nonsense", -32700, Value::Null).await;
            check(r#"[{"jsonrpc":"2.0","id":1,"method":"mcp.hello"}"#, -32700, Value::Null).await;
            for no_object in ["null", "1", "\"text\"", "true", "[]"] {
                check(no_object, -32600, Value::Null).await;
            }
            check("{}", -32600, Value::Null).await;
            check(r#"{"id":7,"method":"mcp.hello"}"#, -32600, json!(7)).await;
            check(r#"{"jsonrpc":"1.0","id":7,"method":"mcp.hello"}"#, -32600, json!(7)).await;
            check(r#"{"jsonrpc":"2.0","id":7}"#, -32600, json!(7)).await;
            check(r#"{"jsonrpc":"2.0","id":7,"method":""}"#, -32600, json!(7)).await;
            check(r#"{"jsonrpc":"2.0","id":7,"method":5}"#, -32600, json!(7)).await;
            check(r#"{"jsonrpc":"2.0","id":7,"method":null}"#, -32600, json!(7)).await;
            for id in ["{}", "[]", "1.5", "1e3", "true", "99999999999999999999999"] {
                check(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"mcp.hello"}}"#), -32600, Value::Null)
                    .await;
            }
            for params in ["5", "null", "\"text\"", "true"] {
                let message = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"mcp.hello","params":{params}}}"#);
                check(&message, -32602, json!(7)).await;
            }
            check(r#"{"jsonrpc":"2.0","id":7,"method":"mcp.no.such"}"#, -32601, json!(7)).await;
            check(r#"{"jsonrpc":"2.0","id":7,"method":" mcp.hello "}"#, -32601, json!(7)).await;
        }
    });
}

#[test]
fn an_id_comes_back_as_it_was_sent() {
    run(async {
        let daemon = Daemon::start().await;
        for (door, client) in doors(&daemon).await {
            for id in [
                json!("text"),
                json!(""),
                json!("5"),
                json!(0),
                json!(-1),
                json!(u64::MAX),
                json!(i64::MIN),
                Value::Null,
            ] {
                let request = json!({ "jsonrpc": "2.0", "id": id, "method": "mcp.hello" });
                let answers = answers(&client, &request.to_string()).await;
                assert_eq!(answers.len(), 1, "{door}: {id}");
                assert_eq!(answers[0]["id"], id, "{door}");
                assert!(answers[0]["result"].is_array(), "{door}: {answers:?}");
            }
        }
    });
}

#[test]
fn a_notification_is_carried_out_and_never_answered() {
    run(async {
        let daemon = Daemon::start().await;
        for (door, client) in doors(&daemon).await {
            let notify =
                |method: &str, params: Value| json!({ "jsonrpc": "2.0", "method": method, "params": params });
            let name = format!("{door}.txt");
            let write = notify("mcp.fs.write", json!([format!("/{name}"), "x"]));
            assert_eq!(answers(&client, &write.to_string()).await, [] as [Value; 0]);
            until("the file is written", async || daemon.file(&name).exists()).await;
            for refused in [notify("mcp.no.such", json!([])), notify("mcp.fs.read", json!({ "nothing": 1 }))]
            {
                assert_eq!(
                    answers(&client, &refused.to_string()).await,
                    [] as [Value; 0],
                    "{door}: {refused}"
                );
            }
        }
    });
}

#[test]
fn a_batch_is_answered_by_one_array() {
    run(async {
        let daemon = Daemon::start().await;
        for (door, client) in doors(&daemon).await {
            let hello = |id: Value| json!({ "jsonrpc": "2.0", "id": id, "method": "mcp.hello" });
            let note = json!({ "jsonrpc": "2.0", "method": "mcp.hello" });
            let unknown = json!({ "jsonrpc": "2.0", "id": "u", "method": "mcp.no.such" });
            let stat =
                json!({ "jsonrpc": "2.0", "id": "s", "method": "mcp.fs.stat", "params": ["/welcome.md"] });
            let check = async |batch: Value, ids: &[Value]| {
                let mut answers = answers(&client, &batch.to_string()).await;
                // What has to go to an actor is answered when that has answered, after the question behind it.
                if answers.is_empty() {
                    answers.push(client.stray().await.expect("the connection stays"));
                }
                let [Value::Array(members)] = &answers[..] else { panic!("{door}: {batch}: {answers:?}") };
                let mut found: Vec<_> = members.iter().map(|member| member["id"].to_string()).collect();
                let mut wanted: Vec<_> = ids.iter().map(ToString::to_string).collect();
                found.sort();
                wanted.sort();
                assert_eq!(found, wanted, "{door}: {batch}: {members:?}");
            };
            check(json!([hello(json!("a")), hello(json!("b"))]), &[json!("a"), json!("b")]).await;
            check(json!([hello(json!("a"))]), &[json!("a")]).await;
            check(
                json!([note, hello(json!("a")), note, unknown, stat]),
                &[json!("a"), json!("u"), json!("s")],
            )
            .await;
            check(
                json!([1, "x", null, [], {}]),
                &[Value::Null, Value::Null, Value::Null, Value::Null, Value::Null],
            )
            .await;
            check(json!([hello(json!("a")), hello(json!("a"))]).clone(), &[json!("a"), json!("a")]).await;
            assert_eq!(answers(&client, &json!([note, note]).to_string()).await, [] as [Value; 0], "{door}");
            let many: Vec<_> = (0..101).map(|id| hello(json!(format!("{id}")))).collect();
            let refused = answers(&client, &json!(many).to_string()).await;
            assert_eq!(
                (refused.len(), &refused[0]["error"]["code"]),
                (1, &json!(-32600)),
                "{door}: {refused:?}"
            );
        }
    });
}

#[test]
fn an_id_that_is_open_cannot_be_opened_again() {
    run(async {
        let daemon = Daemon::start().await;
        for (door, client) in doors(&daemon).await {
            let follow = json!({ "jsonrpc": "2.0", "id": "f", "method": "mcp.admin.events",
                                 "params": { "follow": true, "limit": 0 } });
            assert_eq!(answers(&client, &follow.to_string()).await, [] as [Value; 0], "{door}");
            let again =
                answers(&client, &json!({ "jsonrpc": "2.0", "id": "f", "method": "mcp.hello" }).to_string())
                    .await;
            assert_eq!(
                (&again[0]["id"], &again[0]["error"]["code"]),
                (&json!("f"), &json!(-32600)),
                "{door}: {again:?}"
            );
            assert_eq!(
                client.ok("mcp.cancel", json!({ "id": "f" })).await["cancelled"],
                true,
                "{door}: the first lives"
            );
        }
    });
}

#[test]
fn nesting_without_end_is_refused_and_crashes_nothing() {
    run(async {
        let daemon = Daemon::start().await;
        for (door, client) in doors(&daemon).await {
            let deep =
                |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
            let arrays = deep("[", "]");
            let request = |params: &str| {
                format!(r#"{{"jsonrpc":"2.0","id":"d","method":"mcp.fs.read","params":{params}}}"#)
            };
            for message in
                [request(&arrays), request(&deep(r#"{"a":"#, "}")), request(&format!("[{arrays}]"))]
            {
                let answer = match answers(&client, &message).await.pop() {
                    Some(answer) => answer,
                    None => client.stray().await.expect("the connection stays"),
                };
                assert_eq!(
                    (&answer["id"], &answer["error"]["code"]),
                    (&json!("d"), &json!(-32602)),
                    "{door}: {answer}"
                );
            }
            let batch = answers(&client, &arrays).await;
            assert_eq!(batch[0][0]["error"]["code"], -32600, "{door}: {batch:?}");
        }
    });
}

#[test]
fn a_binary_frame_is_a_message_and_bytes_that_are_no_text_are_refused() {
    run(async {
        let daemon = Daemon::start().await;
        for (door, client) in doors(&daemon).await {
            client.send_bytes(br#"{"jsonrpc":"2.0","id":"b","method":"mcp.hello"}"#.to_vec()).await;
            assert!(client.stray().await.expect("an answer")["result"].is_array(), "{door}");
            client.send_bytes(b"{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"\xff\"}".to_vec()).await;
            assert_eq!(client.stray().await.expect("an answer")["error"]["code"], -32700, "{door}");
            assert!(client.ok("mcp.hello", json!([])).await.is_array(), "{door}: the connection stays");
        }
    });
}

#[test]
fn params_come_by_position_or_by_name_and_what_is_wrong_is_named() {
    run(async {
        let daemon = Daemon::start().await;
        for (door, client) in doors(&daemon).await {
            for params in
                [json!(["/welcome.md"]), json!(["/welcome.md", "text"]), json!({ "path": "/welcome.md" })]
            {
                let read = client.ok("mcp.fs.read", params).await;
                assert!(read["content"].as_str().is_some_and(|text| !text.is_empty()), "{door}: {read}");
            }
            for (params, named) in [
                (json!({ "path": "/welcome.md", "colour": "red" }), "colour"),
                (json!({}), "path"),
                (json!([]), "path"),
                (json!([5]), "path"),
                (json!({ "path": "/welcome.md", "encoding": "rot13" }), "encoding"),
                (json!(vec!["/"; 40]), "at most"),
            ] {
                let error = client.call("mcp.fs.read", params.clone()).await.expect_err("wrong params");
                assert_eq!(error["code"], -32602, "{door}: {params}: {error}");
                assert!(
                    error["message"].as_str().is_some_and(|text| text.contains(named)),
                    "{door}: {params}: {error}"
                );
            }
        }
    });
}

#[test]
fn a_message_over_the_limit_is_refused() {
    run(async {
        let variable = vec![("LLMBDO_LIMITS_FRAME_BYTES", "1024".to_owned())];
        let daemon = Setup { environment: variable, ..Setup::default() }.start().await;
        let unix = daemon.unix("gateway").await;
        let long = json!({ "jsonrpc": "2.0", "id": "l", "method": "mcp.hello", "pad": "x".repeat(5_000) })
            .to_string();
        let refused = answers(&unix, &long).await;
        assert_eq!((refused.len(), &refused[0]["error"]["code"]), (1, &json!(-32065)), "{refused:?}");
        let ws = daemon.client().await;
        ws.send(long).await;
        ws.ended().await;
        assert!(daemon.client().await.ok("mcp.hello", json!([])).await.is_array());
    });
}
