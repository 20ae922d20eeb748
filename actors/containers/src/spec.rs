//! What the engine is told about a container: everything off that can be off.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig, Mount, MountType, MountVolumeOptions,
    RestartPolicy, RestartPolicyNameEnum,
};

use crate::allowed::Plan;
use crate::inputs::FOLDER;

/// Labels, by which containers of ours are known.
pub(crate) const KEY: &str = "llmbasedos.key";
pub(crate) const INSTANCE: &str = "llmbasedos.instance";
pub(crate) const TIMEOUT: &str = "llmbasedos.timeout_ms";
const IMAGE: &str = "llmbasedos.image";
const NAME: &str = "llmbasedos.name";

/// What the engine keeps of a container's output on its disk: many times what is ever read of it.
const LOG_FILE: &str = "8m";
const LOG_FILES: &str = "2";

/// Shared memory is memory; the usual 64 MB would be most of a small container's.
const SHM_BYTES: i64 = 8 * 1024 * 1024;

/// The container of `plan`, from the image with this id, whose own volumes are these.
pub(crate) fn body(
    plan: &Plan,
    image_id: &str,
    volumes: &[String],
    labels: [(&str, String); 3],
) -> ContainerCreateBody {
    let mut labels: HashMap<String, String> =
        labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    labels.insert(IMAGE.to_owned(), plan.image.written());
    labels.insert(NAME.to_owned(), plan.name.clone());
    ContainerCreateBody {
        // By id: a tag that moves between two questions moves nothing here.
        image: Some(image_id.to_owned()),
        cmd: (!plan.command.is_empty()).then(|| plan.command.clone()),
        env: Some(plan.env.clone()),
        user: Some(format!("{}:{}", plan.user.uid, plan.user.gid)),
        hostname: Some("run".to_owned()),
        attach_stdin: Some(false),
        open_stdin: Some(false),
        tty: Some(false),
        // The image's own would be one more program that runs.
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
        labels: Some(labels),
        host_config: Some(host(plan, volumes)),
        ..ContainerCreateBody::default()
    }
}

fn host(plan: &Plan, volumes: &[String]) -> HostConfig {
    let memory = i64::try_from(plan.memory_bytes).unwrap_or(i64::MAX);
    // The user's own: where the image has such a folder, runc gives it the image's mode instead of this one.
    let (uid, gid) = (plan.user.uid, plan.user.gid);
    let tmpfs = format!("rw,noexec,nosuid,nodev,size={},mode=1777,uid={uid},gid={gid}", plan.tmp_bytes);
    // What the image declares as volumes would be room on the engine's disk without a bound.
    let places = volumes.iter().map(String::as_str).chain(["/tmp"]);
    let tmpfs = places.map(|place| (place.to_owned(), tmpfs.clone())).collect();
    let inputs = Mount {
        target: Some(FOLDER.to_owned()),
        typ: Some(MountType::VOLUME),
        volume_options: Some(MountVolumeOptions { no_copy: Some(true), ..MountVolumeOptions::default() }),
        ..Mount::default()
    };
    let log = HashMap::from([("max-size", LOG_FILE), ("max-file", LOG_FILES)]);
    let log = log.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    HostConfig {
        memory: Some(memory),
        // Of memory and swap together: no swap.
        memory_swap: Some(memory),
        nano_cpus: Some(nano(plan.cpus)),
        pids_limit: Some(i64::from(plan.pids)),
        shm_size: Some(SHM_BYTES.min(memory)),
        network_mode: Some(plan.network.clone()),
        ipc_mode: Some("private".to_owned()),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        privileged: Some(false),
        readonly_rootfs: Some(true),
        tmpfs: Some(tmpfs),
        mounts: Some(vec![inputs]),
        auto_remove: Some(false),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        log_config: Some(HostConfigLogConfig { typ: Some("json-file".to_owned()), config: Some(log) }),
        ..HostConfig::default()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "processors are checked to be few")]
fn nano(cpus: f64) -> i64 {
    (cpus * 1e9).round() as i64
}
