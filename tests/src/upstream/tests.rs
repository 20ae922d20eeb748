//! The scripted upstream on the raw wire: what the proxy's tests take for granted of it.

use std::io::Read as _;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::{End, Play, Upstream, Usage, Wire};
use crate::posted::{Posted, get, post};
use crate::run;

const CHAT: &str = "/v1/chat/completions";

fn chat(stream: bool) -> Value {
    let messages = json!([{ "role": "user", "content": "Hi" }]);
    let options = json!({ "include_usage": true });
    json!({ "model": "m", "messages": messages, "stream": stream, "stream_options": options })
}

async fn ask(upstream: &Upstream, path: &str, body: &Value) -> Posted {
    post(&upstream.address(), path, &[], body).await.expect("an answer")
}

async fn stream(upstream: &Upstream) -> Posted {
    ask(upstream, CHAT, &chat(true)).await
}

/// What a stream of OpenAI's says, joined.
fn text(events: &[String]) -> String {
    let chunks = events.iter().filter_map(|event| serde_json::from_str::<Value>(event).ok());
    chunks.filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned)).collect()
}

#[test]
fn every_api_answers_a_text_and_a_tool_call_whole() {
    run(async {
        let upstream = Upstream::start().await;
        let (text, arguments) = ("Grüße aus Köln.", json!({ "city": "Paris" }));
        let gemini = "/v1beta/models/m:generateContent";
        let written = json!(arguments.to_string());
        for (path, said, called, usage) in [
            (
                CHAT,
                "/choices/0/message/content",
                "/choices/0/message/tool_calls/0/function/arguments",
                "/usage/total_tokens",
            ),
            ("/v1/messages", "/content/0/text", "/content/0/input", "/usage/input_tokens"),
            (
                gemini,
                "/candidates/0/content/parts/0/text",
                "/candidates/0/content/parts/0/functionCall/args",
                "/usageMetadata/totalTokenCount",
            ),
            ("/api/chat", "/message/content", "/message/tool_calls/0/function/arguments", "/eval_count"),
        ] {
            upstream.next(Play::text(text));
            upstream.next(Play::tool("get_weather", arguments.clone()).without_usage());
            let answer = ask(&upstream, path, &chat(false)).await.json().await;
            assert_eq!(answer.pointer(said), Some(&json!(text)), "{answer}");
            assert!(answer.pointer(usage).is_some_and(Value::is_u64), "{answer}");
            let answer = ask(&upstream, path, &chat(false)).await.json().await;
            let called = answer.pointer(called).expect("a call");
            assert!(*called == arguments || *called == written, "{answer}");
            assert!(answer.pointer(usage).is_none(), "{answer}");
        }
    });
}

#[test]
fn every_api_streams_in_its_own_words() {
    run(async {
        let upstream = Upstream::start().await;
        let mut said = String::new();
        for path in [CHAT, "/v1/messages", "/v1beta/models/m:streamGenerateContent?alt=sse", "/api/chat"] {
            for play in [Play::text("Grüße aus"), Play::tool("get_weather", json!({ "city": "Paris" }))] {
                upstream.next(play);
                let (bytes, whole) = ask(&upstream, path, &chat(true)).await.rest().await;
                assert!(whole, "{path}");
                said.extend([path, "\n", &String::from_utf8(bytes).expect("UTF-8"), "\n"]);
            }
        }
        insta::assert_snapshot!("streams", said);
    });
}

#[test]
fn however_a_stream_is_put_on_the_wire_it_says_the_same() {
    run(async {
        let upstream = Upstream::start().await;
        for wire in [Wire::Plain, Wire::Crlf, Wire::Bytewise, Wire::Split, Wire::AtOnce, Wire::Pings] {
            upstream.next(Play::text("Grüße aus Köln 🙂.").wire(wire));
            let events = stream(&upstream).await.events().await;
            assert_eq!(text(&events), "Grüße aus Köln 🙂.", "{wire:?}");
            assert_eq!(events.last().map(String::as_str), Some("[DONE]"), "{wire:?}");
        }
        upstream.next(Play::text("a b").wire(Wire::ManyLines));
        let (bytes, _) = stream(&upstream).await.rest().await;
        assert!(String::from_utf8_lossy(&bytes).starts_with("data:{\ndata:  \"id\""), "{bytes:?}");
    });
}

#[test]
fn split_means_within_characters_and_within_line_ends() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.next(Play::text("ü").wire(Wire::Split));
        let mut answer = stream(&upstream).await;
        let mut writes: Vec<Bytes> = Vec::new();
        while let Some(write) = answer.write().await {
            writes.push(write.expect("it goes on"));
        }
        assert!(writes.iter().any(|write| write.ends_with(&[0xc3])), "{writes:?}");
        assert!(writes.iter().any(|write| write.ends_with(b"\r")), "{writes:?}");
        assert!(!writes.iter().any(|write| write.windows(2).any(|two| two == b"\r\n")), "{writes:?}");
    });
}

#[test]
fn refusals_say_what_they_are_told_to() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.next(Play::status(429).retry_after("7"));
        let mut refusal = stream(&upstream).await;
        assert_eq!((refusal.status, refusal.header("retry-after")), (429, "7"));
        assert_eq!(refusal.json().await["error"]["message"], "The upstream says 429.");
        upstream.next(Play::status(503).retry_after(&super::http_date(Duration::from_secs(2))));
        let refusal = ask(&upstream, "/v1/messages", &chat(false)).await;
        assert!(refusal.header("retry-after").ends_with(" GMT"), "{:?}", refusal.headers);
        upstream.next(Play::status_with(500, "<html>"));
        assert_eq!(stream(&upstream).await.rest().await, (b"<html>".to_vec(), true));
        upstream.next(Play::redirect("http://elsewhere.invalid/v1"));
        let away = stream(&upstream).await;
        assert_eq!((away.status, away.header("location")), (307, "http://elsewhere.invalid/v1"));
        assert_eq!(upstream.told(), Usage::default(), "nothing was answered");
    });
}

#[test]
fn a_key_is_asked_for_in_every_apis_way() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.require_key("right");
        for (headers, status) in [
            (vec![], 401),
            (vec![("authorization", "Bearer wrong")], 401),
            (vec![("authorization", "Bearer right")], 200),
            (vec![("x-api-key", "right")], 200),
            (vec![("x-goog-api-key", "right")], 200),
        ] {
            let answer = post(&upstream.address(), CHAT, &headers, &chat(false)).await.expect("an answer");
            assert_eq!(answer.status, status, "{headers:?}");
        }
        assert_eq!(upstream.requests()[2].header("authorization"), Some("Bearer right"));
    });
}

#[test]
fn a_stream_breaks_where_it_is_told_to() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.next(Play::pieces(5).without_end());
        let events = stream(&upstream).await.events().await;
        assert_eq!(text(&events), "w0 w1 w2 w3 w4 ");
        assert_ne!(events.last().map(String::as_str), Some("[DONE]"));
        upstream.next(Play::pieces(5).breaks_json_after(2));
        let events = stream(&upstream).await.events().await;
        assert_eq!(text(&events), "w0 w1 w2 w3 w4 ");
        assert!(events.iter().any(|event| event.ends_with("\"br")), "{events:?}");
        upstream.next(Play::pieces(5).errs_after(2));
        let events = stream(&upstream).await.events().await;
        assert_eq!(text(&events), "w0 w1 ");
        assert!(events.last().is_some_and(|event| event.contains("The upstream gave up.")), "{events:?}");
        for (play, end) in [
            (Play::pieces(5).closes_after(2), End::BrokenOff),
            (Play::pieces(5).falls_short_after(2), End::BrokenOff),
            (Play::text("whole"), End::Whole),
        ] {
            upstream.next(play);
            let (bytes, whole) = stream(&upstream).await.rest().await;
            assert_eq!(whole, end == End::Whole);
            assert!(String::from_utf8_lossy(&bytes).contains('w'), "what was said before came");
            assert_eq!(upstream.ended(upstream.count() - 1).await, end);
        }
    });
}

#[test]
fn a_plain_answer_breaks_too() {
    run(async {
        let upstream = Upstream::start().await;
        let whole = {
            let mut answer = ask(&upstream, CHAT, &chat(false)).await;
            answer.rest().await.0
        };
        for play in [Play::default().closes_after(0), Play::default().falls_short_after(0)] {
            upstream.next(play);
            assert_eq!(
                ask(&upstream, CHAT, &chat(false)).await.rest().await,
                (whole[..whole.len() / 2].to_vec(), false)
            );
        }
        upstream.next(Play::default().breaks_json_after(0));
        let (bytes, ended) = ask(&upstream, CHAT, &chat(false)).await.rest().await;
        assert!(ended && serde_json::from_slice::<Value>(&bytes).is_err());
        upstream.next(Play::hang_up());
        assert!(post(&upstream.address(), CHAT, &[], &chat(false)).await.is_none());
    });
}

#[test]
fn compressed_is_the_same() {
    run(async {
        let upstream = Upstream::start().await;
        for streamed in [false, true] {
            upstream.next(Play::text("Grüße aus Köln.").gzip());
            let mut answer = ask(&upstream, CHAT, &chat(streamed)).await;
            assert_eq!(answer.header("content-encoding"), "gzip");
            let (bytes, whole) = answer.rest().await;
            let mut said = String::new();
            GzDecoder::new(&bytes[..]).read_to_string(&mut said).expect("gzip");
            assert!(whole && said.contains("Köln."), "{said}");
        }
    });
}

#[test]
fn whoever_hangs_up_is_noticed() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.next(Play::pieces(5).stalls_after(2));
        let mut stalled = stream(&upstream).await;
        for _ in 0..3 {
            assert!(stalled.event().await.is_some(), "the role, and two words");
        }
        assert_eq!(upstream.hung_up(), 0);
        drop(stalled);
        upstream.hangs_up(1).await;
        upstream.next(Play::pieces(2).endless());
        let mut endless = stream(&upstream).await;
        for _ in 0..100 {
            endless.event().await.expect("it goes on and on");
        }
        drop(endless);
        upstream.hangs_up(2).await;
        upstream.next(Play::stall());
        let address = upstream.address();
        let waits = tokio::task::spawn(async move { post(&address, CHAT, &[], &chat(true)).await.is_none() });
        upstream.asked(3).await;
        waits.abort();
        assert_eq!(upstream.ended(2).await, End::HungUp);
        upstream.next(Play::default().long_line_after(1));
        let mut long = stream(&upstream).await;
        let mut bytes = 0;
        while bytes < 20 * 1024 * 1024 {
            bytes += long.write().await.expect("it goes on").expect("it goes on").len();
        }
        drop(long);
        upstream.hangs_up(4).await;
        upstream.idle().await;
    });
}

#[test]
fn held_requests_wait_for_the_word() {
    run(async {
        let upstream = Upstream::start().await;
        upstream.always(Play::text("at last").usage(3, 2).held());
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let address = upstream.address();
            calls.spawn(async move {
                post(&address, CHAT, &[], &chat(false)).await.expect("an answer").json().await
            });
        }
        upstream.holds(20).await;
        assert_eq!((upstream.most_at_once(), upstream.told()), (20, Usage::default()));
        upstream.release();
        for answer in calls.join_all().await {
            assert_eq!(answer["choices"][0]["message"]["content"], "at last");
        }
        upstream.idle().await;
        assert_eq!(upstream.told(), Usage { prompt: 60, completion: 40 });
    });
}

#[test]
fn slow_is_slow() {
    run(async {
        let upstream = Upstream::start().await;
        let gap = Duration::from_millis(20);
        upstream.next(Play::pieces(5).slowly(gap).late(gap));
        let begun = Instant::now();
        assert_eq!(text(&stream(&upstream).await.events().await), "w0 w1 w2 w3 w4 ");
        assert!(begun.elapsed() >= gap * 6, "{:?}", begun.elapsed());
    });
}

#[test]
fn embeddings_are_the_same_in_numbers_and_in_base64() {
    run(async {
        let upstream = Upstream::start().await;
        let mut body = json!({ "model": "m", "input": ["one", "two"], "dimensions": 3 });
        let numbers = ask(&upstream, "/v1/embeddings", &body).await.json().await;
        body["encoding_format"] = json!("base64");
        let encoded = ask(&upstream, "/v1/embeddings", &body).await.json().await;
        for at in 0..2 {
            let text = encoded["data"][at]["embedding"].as_str().expect("a text");
            let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, text).expect("base64");
            let decoded: Vec<_> =
                bytes.as_chunks::<4>().0.iter().map(|part| f32::from_le_bytes(*part)).collect();
            assert_eq!(json!(decoded), numbers["data"][at]["embedding"]);
        }
        assert_ne!(numbers["data"][0]["embedding"], numbers["data"][1]["embedding"]);
        let ollama =
            ask(&upstream, "/api/embed", &json!({ "model": "m", "input": "one" })).await.json().await;
        assert_eq!(ollama["embeddings"][0].as_array().map(Vec::len), Some(8));
    });
}

#[test]
fn it_goes_away_and_comes_back_where_it_was() {
    run(async {
        let mut upstream = Upstream::start().await;
        let address = upstream.address();
        let models = async || get(&address, "/v1/models", &[]).await;
        assert_eq!(models().await.expect("an answer").json().await["data"][0]["id"], "scripted");
        upstream.next(Play::pieces(2).stalls_after(1));
        let mut stalled = stream(&upstream).await;
        stalled.event().await.expect("it has begun");
        upstream.down().await;
        assert_eq!((upstream.ended(1).await, upstream.hung_up()), (End::BrokenOff, 0));
        assert!(models().await.is_none());
        upstream.up().await;
        assert_eq!(models().await.expect("an answer").status, 200);
        assert_eq!(get(&address, "/nowhere", &[]).await.expect("an answer").status, 404);
    });
}
