//! The MCP Inspector's command line, which is what people try a server with: both eras, both ways in.

use harness::daemon::{program, text};
use harness::{Daemon, PATIENCE, Tools, run};
use serde_json::Value;

use crate::report::{CONTENT, daemon};

/// What the Inspector ends with when a tool says that it failed, or a request did.
const FAILED: &[i32] = &[1, 5];

/// How the Inspector gets in, and which era it speaks.
struct Inspector<'a> {
    daemon: &'a Daemon,
    token: String,
    era: &'static str,
    http: bool,
}

impl Inspector<'_> {
    /// Exit code, and what was printed.
    async fn says(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Tools::get().bin_of_node("mcp-inspector");
        command.args(["--cli", "--format", "json", "-q", "--protocol-era", self.era]).args(arguments);
        if self.http {
            command.args(["--transport", "http", "--server-url"]);
            command.arg(format!("http://{}/mcp", self.daemon.address));
            command.args(["--header", &format!("Authorization: Bearer {}", self.token)]);
        } else {
            command.args(["-e", &format!("LLMBDO_TOKEN={}", self.token), "--"]).arg(program("llmbasedos"));
            command.args(["stdio", "--config-dir"]).arg(self.daemon.dir());
        }
        let output =
            tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").expect("it runs");
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        (output.status.code().expect("it ends by itself"), said)
    }

    async fn ok(&self, arguments: &[&str]) -> String {
        let (code, said) = self.says(arguments).await;
        assert_eq!(code, 0, "{} {arguments:?}: {said}", self.era);
        said
    }

    async fn all_steps(&self) {
        // What strictness warns of follows the answer.
        let listed = self.ok(&["--method", "tools/list", "--strict"]).await;
        let tools: Value = serde_json::from_str(listed.lines().next().unwrap_or_default()).expect("JSON");
        assert!(tools.to_string().contains("fs_read"), "{tools}");
        let call = ["--method", "tools/call", "--tool-name"];
        let content = format!("content={CONTENT}");
        self.ok(&[&call[..], &["fs_write", "--tool-arg", "path=/client.txt", &content]].concat()).await;
        assert_eq!(std::fs::read_to_string(self.daemon.file("client.txt")).expect("it wrote it"), CONTENT);
        let read = self.ok(&[&call[..], &["fs_read", "--tool-arg", "path=/client.txt"]].concat()).await;
        assert!(read.contains("Written by a client"), "{read}");
        let resource = self.ok(&["--method", "resources/read", "--uri", "file:///client.txt"]).await;
        assert!(resource.contains("Written by a client"), "{resource}");
        let prompts = self.ok(&["--method", "prompts/list"]).await;
        assert!(prompts.contains("\"name\""), "{prompts}");
        let (code, said) =
            self.says(&[&call[..], &["fs_delete", "--tool-arg", "path=/client.txt"]].concat()).await;
        assert!(FAILED.contains(&code), "{code}: {said}");
    }
}

fn all_steps(http: bool) {
    Tools::get();
    run(async {
        let (daemon, token) = daemon().await;
        for era in ["legacy", "modern"] {
            Inspector { daemon: &daemon, token: token.clone(), era, http }.all_steps().await;
        }
    });
}

#[test]
fn over_http() {
    all_steps(true);
}

#[test]
fn over_stdio() {
    all_steps(false);
}
