//! Processes of the system, which answer what they are told to, or nothing.

use std::path::Path;
use std::time::Duration;

use super::*;

fn shell(script: &str) -> Child {
    Child::start(Path::new("/bin/sh"), &["-c", script], &[("GIVEN", "1")]).unwrap()
}

#[test]
fn what_is_sent_comes_back() {
    let mut cat = Child::start(Path::new("/bin/cat"), &[] as &[&str], &[]).unwrap();
    cat.send(&["a"]).unwrap();
    cat.send_bytes(&vec![0; 100_000]).unwrap();
    let frame = cat.frame(Duration::from_secs(30)).unwrap();
    assert_eq!(frame::json::<Vec<String>>(&frame).unwrap(), ["a"]);
    assert_eq!(cat.frame_unless(Duration::from_secs(30), &|| false), Ok(Some(vec![0; 100_000])));
}

#[test]
fn how_it_ended_is_said() {
    for (script, how) in [
        ("exit 3", "exit status: 3"),
        ("kill -9 $$", "signal: 9 (SIGKILL)"),
        ("echo no frame at all; sleep 60", "something else than a frame"),
        ("exec sleep 60", "no answer for 0 s"),
        ("test $(env | grep -c -v '^PWD\\|^_\\|^SHLVL\\|^OLDPWD') = 1 && exit 7", "exit status: 7"),
    ] {
        let within = if how.starts_with("no answer") { Duration::ZERO } else { Duration::from_secs(30) };
        assert_eq!(shell(script).frame(within), Err(Ended(how.to_owned())), "{script}");
    }
}

#[test]
fn one_that_was_stopped_is_not_waited_for() {
    let mut stopped = shell("kill -STOP $$");
    let sent = stopped.send_within(&vec![0; 1 << 20], Duration::from_secs(1));
    assert_eq!(sent, Err(Ended("it took nothing for 1 s".to_owned())));
    assert!(!Path::new(&format!("/proc/{}", stopped.id())).exists(), "it is gone");
}

#[test]
fn nobody_waits_for_what_nobody_wants() {
    assert_eq!(shell("exec sleep 60").frame_unless(Duration::from_mins(1), &|| true), Ok(None));
}

#[test]
fn it_ends_with_its_handle() {
    let folder = tempfile::tempdir().unwrap();
    let alive = folder.path().join("alive");
    let child = shell(&format!("echo > {}; exec sleep 60", alive.display()));
    let process = format!("/proc/{}", child.id());
    drop(child);
    assert!(!Path::new(&process).exists());
}
