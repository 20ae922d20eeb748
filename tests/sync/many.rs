//! Many files, a large one, and many jobs at once.

use std::collections::BTreeMap;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::{Duration, Instant};

use harness::{Rclone, Served, Server, run_within, until};
use serde_json::{Value, json};

use crate::{BOTH, Scene, hashes, large, write};

const LIMIT: Duration = Duration::from_mins(10);

#[test]
fn ten_thousand_small_files() {
    run_within(LIMIT, async {
        for rclone in BOTH {
            let server = Server::alone(Served::Sftp);
            let scene = Scene::new(rclone, &server.remote("box")).await;
            for n in 0..10_000 {
                write(scene.daemon.file(&format!("from/{}/{n}.txt", n % 97)), format!("file {n}"));
            }
            let began = Instant::now();
            let options = json!({ "transfers": 16, "checkers": 16 });
            let id =
                scene.begin(json!({ "source": "/from", "destination": "box:to", "options": options })).await;
            let ended = scene.finish(&id, LIMIT).await;
            println!("{rclone:?}: 10 000 files in {:?}", began.elapsed());
            assert_eq!(
                (&ended["status"], &ended["progress"]["files"]),
                (&json!("completed"), &json!(10_000)),
                "{ended:#}"
            );
            assert_eq!(hashes(&scene.daemon.file("from")), hashes(&server.folder().join("to")));
        }
    });
}

#[test]
fn a_sparse_file_of_two_gigabytes() {
    run_within(LIMIT, async {
        let server = Server::alone(Served::Webdav);
        for rclone in BOTH {
            let scene = Scene::new(rclone, &server.remote("box")).await;
            write(scene.daemon.file("from/x"), "");
            let path = scene.daemon.file("from/large.bin");
            let mut file = std::fs::File::create(&path).expect("a file");
            file.seek(SeekFrom::Start((2 << 30) - 3)).expect("it is sparse");
            file.write_all(b"end").expect("it is written");
            drop(file);
            let began = Instant::now();
            let to = format!("to-{rclone:?}");
            let job = json!({ "source": "/from", "destination": format!("box:{to}") });
            let id = scene.begin(job).await;
            let ended = scene.finish(&id, LIMIT).await;
            println!("{rclone:?}: 2 GB in {:?}", began.elapsed());
            assert_eq!(
                (&ended["status"], &ended["progress"]["bytes"]),
                (&json!("completed"), &json!(2_u64 << 30)),
                "{ended:#}"
            );
            assert_eq!(hashes(&scene.daemon.file("from")), hashes(&server.folder().join(&to)));
            std::fs::remove_dir_all(server.folder().join(&to)).expect("it is there");
        }
    });
}

/// Seconds of processor time that a process has used.
fn cpu(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it is there");
    let fields: Vec<&str> = text.rsplit_once(')').expect("a name").1.split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().expect("a number");
    (ticks(11) + ticks(12)) / 100.0
}

#[test]
fn eight_jobs_at_once_are_followed_closely_and_cheaply() {
    run_within(LIMIT, async {
        const JOBS: usize = 8;
        const WATCHED: Duration = Duration::from_secs(10);
        let server = Server::alone(Served::Webdav);
        let scene = Scene::with(Rclone::Current, &server.remote("box"), "sync: {parallel: 8}\n").await;
        for n in 0..JOBS {
            for part in 0..40 {
                large(scene.daemon.file(&format!("from{n}/{part}.bin")), (1 << 20) + n * 100 + part);
            }
        }
        // Nobody may limit all jobs at once but the network: a slow server does that here.
        let slow = crate::endings::Slowed::server(&server);
        let mut ids = Vec::new();
        for n in 0..JOBS {
            let job = json!({ "source": format!("/from{n}"), "destination": format!("box:to{n}") });
            ids.push(scene.begin(job).await);
        }
        let mut rclone = 0;
        until("the one rclone runs", async || {
            rclone =
                scene.status(&ids[0]).await["pid"].as_u64().and_then(|pid| pid.try_into().ok()).unwrap_or(0);
            rclone != 0
        })
        .await;
        let (began, before) = (Instant::now(), [cpu(scene.daemon.pid()), cpu(rclone)]);
        let mut followed = Vec::new();
        for id in &ids {
            followed.push(
                scene.client.begin("mcp.sync.getJobStatus", json!({ "job_id": id, "wait": true })).await,
            );
        }
        let mut seen = BTreeMap::<String, Vec<(Instant, Value)>>::new();
        while began.elapsed() < WATCHED {
            if let Some(news) = scene.client.stray_now().await {
                let value = &news["params"]["value"];
                seen.entry(value["job_id"].as_str().expect("an id").to_owned())
                    .or_default()
                    .push((Instant::now(), value.clone()));
            } else {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        let spent = [(scene.daemon.pid(), before[0]), (rclone, before[1])]
            .map(|(pid, before)| (cpu(pid) - before) / began.elapsed().as_secs_f64() / JOBS as f64);
        // What rclone is asked, and what it copies meanwhile at the pace of a slow server.
        println!("{:.2} % of a core for each job, and rclone's {:.2} %", spent[0] * 100.0, spent[1] * 100.0);
        assert!(spent[0] < 0.01, "{spent:?}");
        assert_eq!(seen.len(), JOBS, "{seen:?}");
        for (id, news) in &seen {
            let pauses = news.windows(2).map(|pair| pair[1].0 - pair[0].0);
            let longest = pauses.max().expect("several");
            assert!(longest < Duration::from_secs(1), "{id}: {longest:?}");
            for pair in news.windows(2) {
                for field in ["bytes", "total_bytes", "files", "total_files", "checks"] {
                    let of = |news: &Value| news["details"][field].as_u64().expect("a number");
                    assert!(of(&pair[0].1) <= of(&pair[1].1), "{id} {field}: {} {}", pair[0].1, pair[1].1);
                }
            }
        }
        drop(slow);
        for (n, id) in ids.iter().enumerate() {
            assert_eq!(scene.finish(id, LIMIT).await["status"], "completed");
            assert_eq!(
                hashes(&scene.daemon.file(&format!("from{n}"))),
                hashes(&server.folder().join(format!("to{n}")))
            );
        }
    });
}
