//! What a container cannot do: seen from inside.

use containers::{Policy, Run, User};

use crate::docker::Docker;
use crate::{out, policy, run, run_on, sh};

#[tokio::test]
async fn nobody_with_no_capability() {
    let script = "id -u; id -g; id -G; grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status";
    let (_, lines) = run("fenced/status", &sh(script)).await;
    let words: Vec<_> =
        out(&lines).iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let none = "0000000000000000";
    let expected =
        ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"].map(|name| format!("{name} {none}"));
    assert_eq!(words[..3], ["65534", "65534", "65534"]);
    assert_eq!(words[3..8], expected);
    assert_eq!(words[8..], ["NoNewPrivs: 1", "Seccomp: 2"]);
}

#[tokio::test]
async fn nothing_can_be_written() {
    let script = "for f in / /bin /etc /run /run/inputs /dev /sys /proc/sys/kernel /home; do \
                  touch $f/x 2>/dev/null && echo $f; done; touch /tmp/x && echo tmp; touch /dev/shm/x && echo shm; \
                  cp /bin/busybox /tmp/sh; /tmp/sh true 2>/dev/null || echo noexec";
    let (_, lines) = run("fenced/write", &sh(script)).await;
    assert_eq!(out(&lines), ["tmp", "shm", "noexec"]);
}

#[tokio::test]
async fn no_network() {
    let script = "ls /sys/class/net; nc -w 2 1.1.1.1 80 2>&1 < /dev/null; ip route | wc -l";
    let (_, lines) = run("fenced/network", &sh(script)).await;
    assert_eq!(out(&lines)[0], "lo");
    assert!(out(&lines)[1].contains("unreachable"), "{lines:?}");
    assert_eq!(out(&lines)[2], "0");
}

#[tokio::test]
async fn a_network_that_the_policy_lists() {
    let docker = Docker::shared();
    docker.client(&["network", "create", "--internal", "-d", "bridge", "fenced"]);
    let networks = vec!["fenced".to_owned()];
    let engine = docker.engine("tests", Policy { networks, ..policy() });
    let run = Run { network: Some("fenced".to_owned()), ..sh("ls /sys/class/net") };
    let (_, lines) = run_on(&engine, "fenced/listed", &run).await;
    assert_eq!(out(&lines), ["eth0", "lo"]);
    docker.client(&["network", "rm", "fenced"]);
}

#[tokio::test]
async fn nothing_of_the_machine() {
    let script = "ls -d /var/run/docker.sock /run/docker.sock /host /mnt 2>/dev/null; ls /dev; hostname; \
                  ps | grep -c '[d]ockerd'";
    let (_, lines) = run("fenced/machine", &sh(script)).await;
    let known = [
        "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout",
        "tty", "urandom", "zero", "run", "0", "1",
    ];
    assert!(out(&lines).iter().all(|line| known.contains(line)), "{lines:?}");
}

#[tokio::test]
async fn root_where_the_policy_lets_it() {
    let engine = Docker::shared().engine("tests", Policy { root: true, ..policy() });
    let user = Some(User { uid: 0, gid: 0 });
    let script = "id -u; grep CapEff /proc/self/status | grep -c 0000000000000000; touch /x 2>/dev/null || echo fenced; \
                  mount -o remount,rw / 2>/dev/null || echo fenced; mknod /tmp/d b 8 0 2>/dev/null || echo fenced; \
                  chown 1 /run/inputs 2>/dev/null || echo fenced";
    let (_, lines) = run_on(&engine, "fenced/root", &Run { user, ..sh(script) }).await;
    assert_eq!(out(&lines), ["0", "1", "fenced", "fenced", "fenced", "fenced"]);
}

#[tokio::test]
async fn another_user() {
    let user = User::parse("1000");
    let (_, lines) = run("fenced/user", &Run { user, ..sh("id -u; id -g; id -G") }).await;
    assert_eq!(out(&lines), ["1000", "1000", "1000"]);
}
