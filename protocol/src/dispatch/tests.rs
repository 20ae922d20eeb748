//! Every call is answered once, whatever becomes of whoever holds it.

use std::sync::Mutex;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::context::Cause;
use crate::method::{Effect, Method, Run};
use crate::testing::{block_on, caller, obligation};
use crate::tier::Tier;

/// A method whose effects are asked for.
#[derive(Deserialize, JsonSchema)]
struct Act {}

impl Method for Act {
    const NAME: &'static str = "mcp.stage.act";
    const TIER: Tier = Tier::Free;
    const EFFECT: Effect = Effect::DESTROY;
    const RUN: Run = Run::Task;
    const LIMIT: Option<Duration> = Some(Duration::from_mins(10));

    type Reply = serde_json::Value;
    type Service = ();

    async fn call(self, context: &Context, (): &()) -> Result<Self::Reply, Error> {
        match context.shape {
            Shape::Named => Ok(json!("done")),
            Shape::Original => panic!("the actor dies"),
        }
    }
}

fn entry(effect: Effect) -> Arc<Entry> {
    let mut entry = crate::entry::<Act>(&());
    entry.effect = effect;
    Arc::new(entry)
}

/// Notes what it is told: the outcome's label, and its bytes.
#[derive(Default)]
struct Notes(Mutex<Vec<(&'static str, usize)>>);

impl Witness for Notes {
    fn finished(&self, _: &Trail, _: Duration, bytes_out: usize, failed: Option<&Error>) {
        let label = failed.map_or("ok", |error| error.code.label());
        self.0.lock().unwrap().push((label, bytes_out));
    }
}

fn trail(effect: Effect) -> (Arc<Notes>, Trail) {
    let notes = Arc::new(Notes::default());
    let trail = Trail {
        witness: Arc::<Notes>::clone(&notes),
        entry: entry(effect),
        caller: caller(),
        request_id: 1,
        bytes_in: 0,
        cancel: Cancel::new(),
        admitted: Instant::now(),
    };
    (notes, trail)
}

#[test]
fn an_answer_is_given_once_and_witnessed_once() {
    let (memory, mut reply) = obligation();
    let (notes, trail) = trail(Effect::READ);
    reply.follow(trail);
    reply.begin();
    reply.send(Ok(Payload::Shared("[1,2]".into())));
    assert_eq!(memory.lines(), ["7 [1,2]"]);
    assert_eq!(*notes.0.lock().unwrap(), [("ok", 5)]);
}

/// Drops an obligation in the state that `before` brings it to.
#[track_caller]
fn dropped(effect: Effect, before: impl FnOnce(&mut Reply, &Cancel), expected: &str, label: &'static str) {
    let (memory, mut reply) = obligation();
    let (notes, trail) = trail(effect);
    let cancel = trail.cancel.clone();
    reply.follow(trail);
    before(&mut reply, &cancel);
    drop(reply);
    assert_eq!(memory.lines(), [expected]);
    assert_eq!(*notes.0.lock().unwrap(), [(label, 0)]);
}

#[test]
fn a_call_that_was_not_begun_can_be_made_again() {
    dropped(Effect::DESTROY, |_, _| {}, "7 !unavailable retry_safe=true", "unavailable");
}

#[test]
fn a_call_that_was_begun_can_be_made_again_if_twice_is_once() {
    for (effect, safe) in [
        (Effect::READ, true),
        (Effect::ENSURE, true),
        (Effect::REPLACE, true),
        (Effect::ADD, false),
        (Effect::DESTROY, false),
    ] {
        let expected = format!("7 !interrupted retry_safe={safe}");
        dropped(effect, |reply, _| reply.begin(), &expected, "interrupted");
    }
}

#[test]
fn a_call_that_nobody_wants_any_more_is_no_failure_of_ours() {
    let abandon = |reply: &mut Reply, cancel: &Cancel| {
        reply.begin();
        cancel.cancel(Cause::Disconnected);
    };
    dropped(Effect::DESTROY, abandon, "7 !cancelled retry_safe=null", "cancelled");
}

#[test]
fn without_a_trail_it_is_the_gateway_that_went_away() {
    let (memory, reply) = obligation();
    drop(reply);
    assert_eq!(memory.lines(), ["7 !unavailable retry_safe=true"]);
}

fn incoming(params: &str, reply: Reply) -> Incoming {
    Incoming {
        method: Act::NAME.into(),
        params: (!params.is_empty()).then(|| serde_json::from_str(params).unwrap()),
        caller: caller(),
        deadline: Instant::now() + Duration::from_secs(30),
        cancel: Cancel::new(),
        inputs: None,
        reply,
    }
}

#[test]
fn the_form_of_the_params_decides_the_form_of_the_result() {
    for (params, shape) in [("", Shape::Original), ("[]", Shape::Original), ("{}", Shape::Named)] {
        let (_, reply) = obligation();
        let call = incoming(params, reply).into_call(entry(Effect::READ), 1);
        assert_eq!(call.context.shape, shape, "{params:?}");
    }
}

#[test]
fn a_method_with_a_limit_of_its_own_gets_it_and_its_answer() {
    let (memory, reply) = obligation();
    block_on(incoming("{}", reply).into_call(entry(Effect::READ), 1).run());
    assert_eq!(memory.lines(), ["7 +600s", r#"7 "done""#]);
}

#[test]
fn a_call_whose_params_do_not_fit_is_answered_too() {
    let (memory, reply) = obligation();
    block_on(incoming("[1]", reply).into_call(entry(Effect::READ), 1).run());
    assert_eq!(memory.lines()[1], "7 !invalid_params retry_safe=null");
}

#[test]
fn a_call_that_panics_is_answered_as_it_unwinds() {
    let (memory, reply) = obligation();
    let call = incoming("[]", reply).into_call(entry(Effect::READ), 1);
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| block_on(call.run()))).unwrap_err();
    assert_eq!(memory.lines()[1], "7 !interrupted retry_safe=false");
}

#[test]
fn a_token_is_never_shown() {
    let shown = format!("{:?}", Credentials::Token("secret".into(), Way::Ws));
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn a_conclusion_becomes_the_answer_that_would_have_been_written() {
    for id in [Id::Null, Id::Integer(-7), Id::Integer(u64::MAX.into()), Id::Text("a\"b".into())] {
        for conclusion in [
            Conclusion::Result("{\"a\":1}".to_owned()),
            Conclusion::Common(Common::of("{\"a\":1}".to_owned())),
            Conclusion::Error { status: 400, text: "{\"code\":1}".to_owned() },
        ] {
            let mut written = String::new();
            crate::jsonrpc::write_conclusion(&mut written, &id, &conclusion);
            let (beginning, rest) = conclusion.into_answer(&id);
            let rest = rest.as_ref().map_or(&b""[..], Common::as_ref);
            assert_eq!([beginning.as_bytes(), rest].concat(), written.as_bytes());
        }
    }
}
