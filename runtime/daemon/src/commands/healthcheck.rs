//! `llmbasedos healthcheck`: asks the daemon that runs by the same settings whether it is ready. For images that have
//! no curl, and no shell to run it in.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Duration;

use cluster_config::{Environment, Flags, Listen, Settings};

use super::{note, say};

/// Whoever asks has a time limit too, and would say nothing of use.
const PATIENCE: Duration = Duration::from_secs(3);

/// The answer's first line, and what it says below.
const ANSWER_BYTES_MAX: u64 = 4096;

pub(crate) fn run(flags: &Flags, environment: &Environment) -> anyhow::Result<ExitCode> {
    let loaded = cluster_config::load(flags, environment)?;
    match ask(&loaded.settings) {
        Ok(()) => {
            say("ready");
            Ok(ExitCode::SUCCESS)
        }
        Err(why) => {
            note(&format!("llmbasedos: not ready: {why}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// By the UNIX socket, or by TCP where there is none.
fn ask(settings: &Settings) -> Result<(), String> {
    let socket = settings.run_dir.join("http.sock");
    if socket.exists() {
        return UnixStream::connect(&socket)
            .and_then(|stream| {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                exchange(stream)
            })
            .map_err(|error| format!("{}: {error}", socket.display()))
            .and_then(|answer| verdict(&answer));
    }
    let address = reachable(&settings.listen);
    tcp(&address).map_err(|error| format!("{address}: {error}")).and_then(|answer| verdict(&answer))
}

fn tcp(address: &str) -> std::io::Result<String> {
    let none = || std::io::Error::other("the name has no address");
    let address = address.to_socket_addrs()?.next().ok_or_else(none)?;
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    exchange(stream)
}

/// What listens everywhere is asked at home.
fn reachable(listen: &Listen) -> String {
    let port = listen.port();
    match listen.host().parse::<std::net::IpAddr>() {
        Ok(ip) if ip.is_unspecified() && ip.is_ipv6() => format!("[::1]:{port}"),
        Ok(ip) if ip.is_unspecified() => format!("127.0.0.1:{port}"),
        _ => listen.as_str().to_owned(),
    }
}

fn exchange(mut stream: impl Read + Write) -> std::io::Result<String> {
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}

fn verdict(answer: &str) -> Result<(), String> {
    let first = answer.lines().next().unwrap_or_default();
    match first.split_once(' ') {
        Some((_, status)) if status.starts_with("200") => Ok(()),
        Some((_, status)) => Err(format!("it answers {}", status.trim())),
        None => Err("it closed the connection".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_everywhere_is_asked_at_home() {
        for (listen, asked) in [
            ("0.0.0.0:8000", "127.0.0.1:8000"),
            ("[::]:80", "[::1]:80"),
            ("10.0.0.1:8000", "10.0.0.1:8000"),
            ("localhost:1", "localhost:1"),
        ] {
            assert_eq!(reachable(&listen.parse().unwrap()), asked);
        }
    }

    #[test]
    fn only_a_200_is_ready() {
        assert!(verdict("HTTP/1.1 200 OK\r\n\r\nready\n").is_ok());
        assert_eq!(
            verdict("HTTP/1.1 503 Service Unavailable\r\n\r\n"),
            Err("it answers 503 Service Unavailable".into())
        );
        assert!(verdict("").is_err());
    }
}
