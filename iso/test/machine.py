"""A virtual machine that starts from the image: its serial line, its keyboard, and the gateway as callers see it."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

# Without KVM a start takes a minute or two of an idle core; on a busy one, several.
PATIENCE = float(os.environ.get("PATIENCE", "600"))
UEFI = "/usr/share/OVMF/OVMF_CODE_4M.fd"
KEYS = {" ": "spc", ".": "dot", "/": "slash", "-": "minus", "\n": "ret", "$": "shift-4", "(": "shift-9", ")": "shift-0"}


class Refused(Exception):
    """A tool said no."""


class Machine:
    """Runs until it is left; everything that its serial line said is in `said()`."""

    def __init__(self, out, *, firmware="bios", disk=None, direct=None, memory=1024):
        self.folder = tempfile.mkdtemp(prefix="llmb-vm.")
        self.text, self.began = "", time.monotonic()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.ssh_port = free.getsockname()[1]
        serial, monitor = f"{self.folder}/serial", f"{self.folder}/monitor"
        # restrict=on: it reaches nothing but us. One processor: TCG is slower with more.
        command = [
            "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-cpu", "Nehalem", "-smp", "1", "-m", str(memory),
            "-nodefaults", "-display", "none", "-vga", "std", "-no-reboot",
            "-chardev", f"socket,id=s,path={serial},server=on,wait=off", "-serial", "chardev:s",
            "-monitor", f"unix:{monitor},server=on,wait=off",
            "-netdev", f"user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-:8000,hostfwd=tcp:127.0.0.1:{self.ssh_port}-:22",
            "-device", "virtio-net-pci,netdev=n,romfile=", "-device", "virtio-rng-pci",
        ]
        if direct:
            command += ["-kernel", f"{out}/vmlinuz", "-initrd", f"{out}/initrd", "-append", direct]
        else:
            command += ["-drive", f"if=none,id=d,format=raw,readonly=on,file={out}/llmbasedos.iso",
                        "-device", "ide-cd,drive=d,bus=ide.0,bootindex=0"]
        if disk:
            command += ["-drive", f"if=none,id=k,format=raw,file={disk}", "-device", "virtio-blk-pci,drive=k,bootindex=1"]
        if firmware == "uefi":
            command += ["-drive", f"if=pflash,format=raw,readonly=on,file={UEFI}"]
        self.process = subprocess.Popen(command)
        self.serial, self.monitor = self.connect(serial), self.connect(monitor)
        threading.Thread(target=self.listen, daemon=True).start()

    def connect(self, path):
        for _ in range(200):
            try:
                stream = socket.socket(socket.AF_UNIX)
                stream.connect(path)
                return stream
            except OSError:
                time.sleep(0.05)
        raise SystemExit("qemu did not start")

    def listen(self):
        while data := self.serial.recv(65536):
            self.text += data.decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            print("--- the serial line's last words\n" + self.text[-3000:])
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)

    # What is seen.

    def until(self, what, holds):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise SystemExit(f"FAILED: {what}: the machine has ended")
            if "Kernel panic" in self.text or "emergency mode" in self.text:
                raise SystemExit(f"FAILED: {what}: it does not start")
            found = holds()
            if found:
                return found
            time.sleep(0.3)
        raise SystemExit(f"FAILED: {what}: not within {PATIENCE:.0f} s")

    def on_serial(self, pattern):
        return self.until(f"the console says {pattern}", lambda: re.search(pattern, self.text))

    def ready(self):
        self.until("it answers", lambda: self.get("/readyz") == "ready\n")
        return time.monotonic() - self.began

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as answer:
                return answer.read().decode()
        except (OSError, urllib.error.URLError):
            return None

    def tool(self, token, name, **arguments):
        """The structured result of a tool, over the Model Context Protocol."""
        meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                "params": {"name": name, "arguments": arguments, "_meta": meta}}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/mcp", json.dumps(body).encode(), {
            "Authorization": f"Bearer {token}", "Content-Type": "application/json",
            "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": name})
        with urllib.request.urlopen(request, timeout=120) as answer:
            said = json.load(answer)
        if "error" in said or said["result"].get("isError"):
            raise Refused(f"{name}: {said}")
        return said["result"]["structuredContent"]

    # What is done.

    def type_on_serial(self, line):
        self.serial.sendall(line.encode() + b"\r")

    def type(self, text):
        for letter in text:
            self.press(KEYS.get(letter, letter))

    def press(self, key):
        self.monitor.sendall(f"sendkey {key}\n".encode())
        time.sleep(0.15)

    def power_button(self):
        self.monitor.sendall(b"system_powerdown\n")
        self.process.wait(timeout=PATIENCE)

    def picture(self, path):
        self.monitor.sendall(f"screendump {path}\n".encode())
