//! What a run is given and what comes of it: codes, inputs, variables, images that are not there.

use std::collections::BTreeMap;

use containers::{End, Kind, Run, Started};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::docker::Docker;
use crate::{engine, out, run, sh};

#[tokio::test]
async fn exit_codes() {
    for (script, code) in [("true", 0), ("exit 3", 3), ("exit 255", 255), ("kill -TERM $$; sleep 9", 143)] {
        // A shell that is the first process of all ignores what it does not handle.
        let script = if code == 143 { "sh -c 'kill -TERM $$'; exit $?" } else { script };
        let (outcome, lines) = run(&format!("codes/{code}"), &sh(script)).await;
        assert_eq!((outcome.end, outcome.exit_code, outcome.is_success()), (End::Exited, code, code == 0));
        assert!(
            outcome.started_at.is_some() && lines.iter().all(|line| line.text.contains("Terminated")),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn a_command_that_is_not_there() {
    let engine = engine();
    let error = engine.start("missing/command", &Run::new("llmbasedos-test:1", ["/bin/nothing"])).await;
    let error = error.expect_err("it cannot start");
    assert_eq!((error.kind, error.started), (Kind::Refused, Started::No), "{error}");
    assert!(error.message.contains("/bin/nothing"), "{error}");
    assert!(engine.leftovers().await.expect("a list").iter().all(|left| left.key != "missing/command"));
}

#[tokio::test]
async fn an_image_that_is_not_there() {
    let error = engine().start("missing/image", &Run::new("llmbasedos-missing:1", ["true"])).await;
    let error = error.expect_err("nothing is pulled");
    assert_eq!((error.kind, error.started), (Kind::NoImage, Started::No));
    assert!(error.message.contains("docker pull llmbasedos-missing:1"), "{error}");
}

#[tokio::test]
async fn inputs_are_a_file() {
    let inputs = json!({ "text": "ä\n\"$(touch /tmp/x)`", "many": vec![7; 100_000] });
    let script = "sha256sum < /run/inputs/inputs.json; stat -c '%a %u %g' /run/inputs/inputs.json; ls /run/inputs; \
                  env | grep -c touch; touch /run/inputs/x; echo > /run/inputs/inputs.json";
    let (_, lines) = run("inputs", &Run { inputs: inputs.clone(), ..sh(script) }).await;
    let digest = Sha256::digest(inputs.to_string());
    let digest: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = [&*format!("{}  -", digest.concat()), "444 0 0", "inputs.json", "0"];
    assert_eq!(out(&lines), expected, "{lines:?}");
    let refused: Vec<_> = crate::texts(&lines, containers::Stream::Err);
    assert_eq!(refused.len(), 2, "neither a new file nor another text: {refused:?}");
}

#[tokio::test]
async fn inputs_go_with_their_container() {
    let volumes = || Docker::shared().client(&["volume", "ls", "-q"]);
    let engine = engine();
    engine.start("volumes", &sh("true")).await.expect("it starts");
    assert!(!volumes().is_empty());
    let name = engine.start("volumes", &sh("true")).await.expect("it is found").name().to_owned();
    let volume = Docker::shared().client(&["inspect", "-f", "{{(index .Mounts 0).Name}}", &name]);
    engine.remove("volumes").await.expect("it is removed");
    assert!(!volumes().contains(&volume));
    engine.remove("volumes").await.expect("nothing to remove is no error");
}

#[tokio::test]
async fn variables() {
    let env =
        BTreeMap::from([("A".to_owned(), "1 2\n3".to_owned()), ("lower_2".to_owned(), "$A".to_owned())]);
    let (_, lines) = run("variables", &Run { env, ..sh("echo \"$A\"; echo \"$lower_2\"") }).await;
    assert_eq!(out(&lines), ["1 2", "3", "$A"]);
}

#[tokio::test]
async fn words_stay_words() {
    let command = ["echo", "a  b", "$(id)", "*", ";ls"];
    let (_, lines) = run("words", &Run::new("llmbasedos-test:1", command)).await;
    assert_eq!(out(&lines), ["a  b $(id) * ;ls"]);
}

#[tokio::test]
async fn an_image_with_wishes() {
    // Its user is root, /data and /run/inputs are its volumes, its entry point is a shell, and it checks its health.
    let script = "id -u; echo $OWN; cat /run/inputs/inputs.json; echo; mount | grep -c '^tmpfs on /data '; \
                  touch /data/x && ls /data";
    let greedy = Run { inputs: json!(1), ..Run::new("llmbasedos-test:greedy", [script]) };
    let (outcome, lines) = run("greedy", &greedy).await;
    assert_eq!(out(&lines), ["65534", "image", "1", "1", "x"], "{lines:?}");
    assert!(outcome.is_success());
}
