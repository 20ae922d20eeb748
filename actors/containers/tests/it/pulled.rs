//! Images that the engine does not have: pulled where the policy lets it, by tag or by digest, and never otherwise.

use containers::{Images, Kind, Policy, Run, Started};

use crate::docker::Docker;
use crate::registry::Registry;
use crate::{out, run_on};

#[tokio::test]
async fn only_where_the_policy_lets_it() {
    let registry = Registry::start();
    let (tagged, pinned) = (registry.tagged(), registry.pinned());
    let other = tagged.replace(":1", ":2");
    let policy = |pull| {
        let images = Images::parse([&tagged, &pinned, &other]).expect("a good list");
        Docker::shared().engine("tests", Policy { images, pull, ..Policy::default() })
    };
    let run = |image: &str| Run::new(image, ["/busybox", "echo", "pulled"]);
    let error = policy(false).start("pulled/no", &run(&tagged)).await.expect_err("it is not there");
    assert_eq!((error.kind, error.started), (Kind::NoImage, Started::No), "{error}");
    let error = policy(true).start("pulled/none", &run(&other)).await.expect_err("nobody has it");
    assert_eq!((error.kind, error.started), (Kind::NoImage, Started::No), "{error}");
    for (key, image) in [("pulled/tag", &tagged), ("pulled/digest", &pinned)] {
        let (outcome, lines) = run_on(&policy(true), key, &run(image)).await;
        assert!(outcome.is_success(), "{image}: {outcome:?}");
        assert_eq!(out(&lines), ["pulled"], "{image}");
    }
    // Now it is there.
    run_on(&policy(false), "pulled/there", &run(&pinned)).await;
}
