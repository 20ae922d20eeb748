//! An rclone whose jobs do not stop.

use std::path::Path;

use harness::run;
use serde_json::json;

use crate::{Scene, write};

#[test]
fn a_job_that_does_not_stop_is_killed_and_says_what_was_done() {
    run(async {
        let stuck = Path::new(env!("CARGO_MANIFEST_DIR")).join("sync/stuck.py");
        let settings = "sync: {stop_seconds: 1, readable: [/usr, /etc]}\n";
        let scene = Scene::of(&stuck, "[box]\ntype = memory\n", settings).await;
        write(scene.daemon.file("from/a.txt"), "alpha");
        let id = scene.begin(json!({ "source": "/from", "destination": "box:" })).await;
        scene.is_half_way(&id).await;
        scene.client.ok("mcp.sync.stopJob", json!({ "job_id": id })).await;
        let ended = scene.end(&id).await;
        assert_eq!(
            (&ended["status"], &ended["progress"]["bytes"]),
            (&json!("stopped"), &json!(7)),
            "{ended:#}"
        );
        let said = ended["status_message"].as_str().expect("text");
        assert!(said.contains("did not stop within 1 s, so rclone was killed"), "{said}");
        // The next job has an rclone of its own.
        let next = scene.begin(json!({ "source": "/from", "destination": "box:" })).await;
        scene.is_half_way(&next).await;
    });
}
