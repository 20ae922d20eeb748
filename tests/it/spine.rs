//! The main job: a client connects, lists, reads, writes and deletes real files.

use harness::{Daemon, run};
use serde_json::json;

#[test]
fn files_are_listed_written_read_and_deleted_over_both_doors() {
    run(async {
        let mut daemon = Daemon::start().await;
        for client in [daemon.client().await, daemon.unix("gateway").await, daemon.unix("fs").await] {
            let written = client.ok("mcp.fs.write", json!(["/a.txt", "hello"])).await;
            assert_eq!(
                (&written["path"], &written["bytes_written"], &written["status"]),
                (&json!("/a.txt"), &json!(5), &json!("success"))
            );
            assert_eq!(std::fs::read_to_string(daemon.file("a.txt")).unwrap(), "hello");
            let names: Vec<_> = client
                .ok("mcp.fs.list", json!(["/"]))
                .await
                .as_array()
                .unwrap()
                .iter()
                .map(|e| e["name"].clone())
                .collect();
            assert_eq!(names, ["a.txt", "welcome.md"]);
            assert_eq!(client.ok("mcp.fs.read", json!(["/a.txt"])).await["content"], "hello");
            assert_eq!(client.ok("mcp.fs.delete", json!(["/a.txt"])).await["status"], "success");
            assert!(!daemon.file("a.txt").exists());
        }
        daemon.stop().await;
    });
}
