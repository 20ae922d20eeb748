//! Every door of the settings: TCP, HTTP on a UNIX socket, the gateway's socket, and one for each service.

use std::os::unix::net::UnixListener;

use cluster_config::Settings;
use edge::{TcpDoor, UnixDoor};

use crate::app::Service;
use crate::handed;

/// Opens them all; the gateway's may have been opened by whoever started us.
pub(crate) fn open(
    settings: &Settings,
    run_dir: &mut edge::RunDir,
    handed: Vec<UnixListener>,
    services: &[Service],
    gate: &gateway::Gate,
) -> anyhow::Result<edge::Doors> {
    let tcp = Some(TcpDoor::open(settings.listen.as_str())?);
    let http = Some(run_dir.door("http", None, None)?);
    let gateway = handed::at(&settings.run_dir.join("gateway.sock"), handed)?;
    let mut unix = vec![match gateway {
        Some(listener) => run_dir.adopt("gateway", listener)?,
        None => run_dir.door("gateway", None, None)?,
    }];
    for service in services {
        unix.push(service_door(run_dir, service, gate)?);
    }
    Ok(edge::Doors { tcp, http, unix })
}

fn service_door(
    run_dir: &mut edge::RunDir,
    service: &Service,
    gate: &gateway::Gate,
) -> anyhow::Result<UnixDoor> {
    let table = gate.routes().load();
    let file = table.catalog.capability_file(service.name, service.description, env!("CARGO_PKG_VERSION"));
    let text = serde_json::to_string_pretty(&file)?;
    Ok(run_dir.door(service.name, Some(service.name), Some(&text))?)
}
