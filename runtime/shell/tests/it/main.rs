//! The built `luca-shell` against a small real server: what it prints where, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod toy;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::toy::{TOKEN, Toy};

/// A shell that knows nothing of the machine it runs on.
fn shell(toy: &Toy) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_luca-shell"));
    command.current_dir(toy.folder.path()).env_clear().env("HOME", toy.folder.path());
    command.env("LLMBDO_GATEWAY_WS_URL", toy.url()).env("LLMBDO_TOKEN", TOKEN).stdin(Stdio::null());
    command
}

fn lines(toy: &Toy, lines: &[&str]) -> Output {
    shell(toy).args(lines.iter().flat_map(|line| ["-c", line])).output().unwrap()
}

fn fed(mut command: Command, input: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs one line and compares standard output, what standard error contains, and the exit code.
#[track_caller]
fn check(line: &str, expected_out: &str, expected_err: &str, code: i32) {
    let output = lines(&Toy::start(), &[line]);
    assert_eq!(out(&output), expected_out, "{line}: {output:?}");
    match expected_err {
        "" => assert_eq!(err(&output), "", "{line}"),
        part => assert!(err(&output).contains(part), "{line}: {output:?}"),
    }
    assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
}

#[test]
fn ls_shows_a_table_over_all_pages() {
    check(
        "ls",
        "Type       Size  Modified (UTC)    Name\n\
         directory     -  2025-05-22 10:11  docs\n\
         file       256B  2025-05-22 10:11  binary.bin\n\
         file        29B  2025-05-22 10:11  colours.txt\n\
         file         0B  2025-05-22 10:11  empty.txt\n\
         file         2B  2025-05-22 10:11  evilname\n\
         file        13B  2025-05-22 10:11  hello.txt\n\
         file         8B  2025-05-22 10:11  Zebra.txt\n",
        "",
        0,
    );
    check(
        "ls -a1 /",
        "docs\n.hidden\nbinary.bin\ncolours.txt\nempty.txt\nevilname\nhello.txt\nZebra.txt\n",
        "",
        0,
    );
    check(
        "ls -1 docs /nowhere /docs/deep",
        "/docs:\ndeep\nmy notes.txt\n\n/docs/deep:\nx.txt\n",
        "/nowhere",
        1,
    );
    check("ls -1 hello.txt docs/deep", "hello.txt\n\n/docs/deep:\nx.txt\n", "", 0);
    check("ls /nowhere", "", "error -32011 fs_path: Path '/nowhere' does not exist.\n  kind: not_found\n", 1);
    check("ls -x", "", "unknown option -x; usage: ls [-la1] [PATH]…", 2);
}

#[test]
fn cat_is_byte_exact_in_a_pipe() {
    check("cat /hello.txt '/docs/my notes.txt'", "hello, world\nbuy milk\n", "", 0);
    check("cat --base64 /hello.txt", "aGVsbG8sIHdvcmxkCg==\n", "", 0);
    check("cat /nowhere", "", "-32011", 1);
    check("cat", "", "too few words; usage: cat [-b] PATH…", 2);
    let toy = Toy::start();
    let big: Vec<u8> = (0..700_001_u32).map(|n| (n / 3 % 251) as u8).collect();
    toy.put("/big", &big);
    assert_eq!(lines(&toy, &["cat /big"]).stdout, big);
    assert_eq!(lines(&toy, &["cat /binary.bin"]).stdout, (0..=255).collect::<Vec<u8>>());
}

#[test]
fn cd_is_remembered_and_checked() {
    let toy = Toy::start();
    let output = lines(&toy, &["cd docs", "pwd", "cat deep/x.txt", "cd -", "pwd", "cd", "pwd"]);
    assert_eq!((out(&output).as_str(), output.status.code()), ("/docs\nx\n/\n/\n", Some(0)), "{output:?}");
    assert!(!toy.log().contains(&"mcp.fs.list".to_owned()), "cd needs no listing");
    check("cd hello.txt", "", "/hello.txt is not a directory but a file", 1);
    check("cd nowhere", "", "does not exist", 1);
}

#[test]
fn changes_change() {
    let toy = Toy::start();
    let output = lines(
        &toy,
        &[
            "mkdir /new",
            "write /new/a.txt 'one two'",
            "write -a /new/a.txt three",
            "cp /new/a.txt /docs",
            "mv /new/a.txt /new/b.txt",
            "mv hello.txt Zebra.txt new",
        ],
    );
    assert_eq!((out(&output).as_str(), err(&output).as_str(), output.status.code()), ("", "", Some(0)));
    assert_eq!(toy.get("/docs/a.txt").unwrap(), b"one two\nthree\n");
    assert!(toy.has("/new/b.txt") && !toy.has("/new/a.txt"));
    assert!(toy.has("/new/hello.txt") && toy.has("/new/Zebra.txt") && !toy.has("/hello.txt"));
    check("mv hello.txt Zebra.txt nowhere", "", "/nowhere is not a directory", 1);
}

#[test]
fn rm_needs_force_where_nobody_can_be_asked() {
    check("rm hello.txt", "", "rm needs -f", 2);
    check("rm -f hello.txt", "", "/hello.txt is in the trash", 0);
    check("rm -f docs", "", "not empty", 1);
    let toy = Toy::start();
    let output = lines(&toy, &["rm -rf docs nowhere hello.txt"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!toy.has("/docs/deep/x.txt") && !toy.has("/hello.txt"));
}

#[test]
fn write_takes_standard_input_whatever_it_holds() {
    let toy = Toy::start();
    let binary: Vec<u8> = (0..600_000_u32).map(|n| (n / 7 % 251) as u8).collect();
    for input in [&b""[..], b"text\n", &binary] {
        let mut command = shell(&toy);
        command.args(["-c", "write /in -"]);
        let output = fed(command, input);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(toy.get("/in").unwrap(), input);
    }
}

#[test]
fn methods_run_by_any_of_their_names() {
    let stat = "{\n  \"name\": \"hello.txt\",\n  \"path\": \"/hello.txt\",\n  \"type\": \"file\",\n  \"size\": 13,\n  \
                \"modified_at\": \"2025-05-22T10:11:12+00:00\"\n}\n";
    for line in ["mcp.fs.stat /hello.txt", "fs.stat path=hello.txt", "fs_stat {\"path\": \"/hello.txt\"}"] {
        check(line, stat, "", 0);
    }
    check("toy.sleep 1", "slept\n", "", 0);
    check("toy.count", "{\n  \"counted\": 3\n}\n", "… 3", 0);
    check(
        "find o /docs",
        "/colours.txt\n/docs\n/docs/deep\n/docs/deep/x.txt\n/docs/my notes.txt\n/hello.txt\n",
        "",
        0,
    );
    check("toy.limited", "", "error -32001 rate_limited: Too many calls.\n  try again in 3.2 s\n", 1);
}

#[test]
fn mistakes_are_explained_and_nothing_is_sent() {
    check("fs.stta /a", "", "did you mean fs.stat", 2);
    check("lss", "", "no command lss: did you mean ls?", 2);
    check("toy.sleep soon", "", "ms: expected integer, not \"soon\"", 2);
    check("fs.stat", "", "mcp.fs.stat needs path; usage: mcp.fs.stat PATH", 2);
    check("fs.stat {\"path\": ", "", "looks like JSON", 2);
    check("cat 'x", "", "not closed", 2);
    check("toy.unlisted", "", "error -32601 method_not_found", 1);
}

#[test]
fn help_and_licence() {
    let toy = Toy::start();
    let output = lines(&toy, &["help"]);
    for word in ["rm [-rf] PATH…", "count hang_up limited", "Service"] {
        assert!(out(&output).contains(word), "{word}: {output:?}");
    }
    let output = lines(&toy, &["help rm", "help toy.sleep", "help toy", "licence"]);
    for word in ["-r, --recursive", "mcp.toy.sleep MS", "How long.", "Does sleep.", "\"ELITE\""] {
        assert!(out(&output).contains(word), "{word}: {output:?}");
    }
    check("help nonsense", "", "no command, method or service", 2);
}

#[test]
fn json_for_programs() {
    let toy = Toy::start();
    let output =
        shell(&toy).args(["--json", "-c", "ls", "-c", "pwd", "-c", "fs.stat /docs"]).output().unwrap();
    let values: Vec<Value> = out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(values[0]["entries"].as_array().unwrap().len(), 8);
    assert_eq!((&values[1], &values[2]["type"]), (&json!("/"), &json!("directory")));
    let fails = |line: &str| {
        let output = shell(&toy).args(["--json", "-c", line]).output().unwrap();
        assert!(output.stdout.is_empty());
        serde_json::from_str::<Value>(&err(&output)).unwrap()
    };
    assert_eq!(fails("toy.limited")["error"]["data"]["retry_after_ms"], 3210);
    assert_eq!(fails("ls -x")["error"]["kind"], "usage");
}

#[test]
fn a_script_on_standard_input_stops_at_the_first_failure() {
    let toy = Toy::start();
    let script = b"# a comment\n\n  cd /docs\npwd\ncat nowhere\nrm -f /hello.txt\n";
    let output = fed(shell(&toy), script);
    assert_eq!((out(&output).as_str(), output.status.code()), ("/docs\n", Some(1)));
    assert!(err(&output).contains("'/docs/nowhere' does not exist") && err(&output).contains("line 5"));
    assert!(toy.has("/hello.txt"));
    let output = fed(shell(&toy), b"pwd\nexit 7\npwd");
    assert_eq!((out(&output).as_str(), output.status.code()), ("/\n", Some(7)));
}

#[test]
fn who_has_no_right_token_is_told_what_to_do() {
    let toy = Toy::start();
    let output = shell(&toy).args(["--token", "wrong", "-c", "ls"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    for word in ["401", "does not accept this token", "it says: Ask the owner for a token."] {
        assert!(err(&output).contains(word), "{output:?}");
    }
    assert!(!err(&output).contains("wrong") && !err(&output).contains('\x1b'), "{output:?}");
    let output = shell(&toy).env_remove("LLMBDO_TOKEN").args(["-c", "ls"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("it wants a token (--token"), "{output:?}");
}

#[test]
fn the_token_file_of_init_is_found_and_its_mode_checked() {
    use std::os::unix::fs::PermissionsExt;
    let toy = Toy::start();
    let file = toy.folder.path().join(".llmbasedos/token");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    for (mode, warned) in [(0o600, false), (0o644, true)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let output =
            shell(&toy).env_remove("LLMBDO_TOKEN").args(["-c", "pwd", "-c", "ls -1 /docs"]).output().unwrap();
        assert_eq!(
            (out(&output).as_str(), output.status.code()),
            ("/\ndeep\nmy notes.txt\n", Some(0)),
            "{output:?}"
        );
        assert_eq!(err(&output).contains("chmod 600"), warned, "{output:?}");
    }
    let output = shell(&toy).args(["--token-file", "/nonexistent", "-c", "ls"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("cannot read the token file /nonexistent"), "{output:?}");
}

#[test]
fn a_unix_socket_needs_no_token() {
    let toy = Toy::start();
    let url = format!("unix:{}", toy.socket.display());
    let output =
        shell(&toy).env_remove("LLMBDO_TOKEN").args(["--url", &url, "-c", "cat hello.txt"]).output().unwrap();
    assert_eq!((out(&output).as_str(), output.status.code()), ("hello, world\n", Some(0)), "{output:?}");
}

#[test]
fn nobody_at_the_other_end() {
    let mut toy = Toy::start();
    toy.go_away();
    let output = lines(&toy, &["ls", "pwd"]);
    assert_eq!((out(&output).as_str(), output.status.code()), ("", Some(2)));
    assert!(err(&output).contains("is the daemon running?"), "{output:?}");
    let output = shell(&toy).args(["--url", "nonsense://x", "-c", "ls"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_call_fails_at_once_when_the_connection_goes() {
    check("toy.hang_up", "", "before the answer came; the call may or may not have taken effect", 2);
}

#[test]
fn the_server_goes_away_and_comes_back() {
    let mut toy = Toy::start();
    let mut child =
        shell(&toy).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for life in 1..=3 {
        // It comes back by itself, before anybody asks it to.
        toy.eventually(|log| log.iter().filter(|line| *line == "connection").count() == life);
        input.write_all(b"cat hello.txt\n").unwrap();
        assert_eq!(answers.next().unwrap().unwrap(), "hello, world");
        toy.go_away();
        toy.come_back();
    }
    toy.eventually(|log| log.iter().filter(|line| *line == "connection").count() == 4);
    toy.go_away();
    input.write_all(b"cat hello.txt\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("error: "), "{output:?}");
}

#[test]
fn a_silent_call_is_given_up_and_cancelled() {
    let toy = Toy::start();
    let output = shell(&toy).args(["--timeout", "0.3", "-c", "toy.sleep 60000"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(err(&output).contains("no answer within 0.3 s"), "{output:?}");
    toy.eventually(|log| log.iter().any(|line| line.starts_with("cancel ")));
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let toy = Toy::start();
    toy.put("/big", &vec![b'x'; 5_000_000]);
    let mut child =
        shell(&toy).args(["-c", "cat /big"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((err(&output).as_str(), output.status.code()), ("", Some(0)));
}
