#!/usr/bin/env python3
"""An rclone whose jobs never end and never stop: it answers all that is asked of its remote control, and does nothing."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

if sys.argv[1] == "version":
    print("rclone v1.60.0")
    sys.exit()


class Control(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        answers = {
            "/sync/copy": {"jobid": 1},
            "/job/status": {"finished": False, "success": False, "error": ""},
            "/core/stats": {"bytes": 7, "totalBytes": 9},
        }
        body = json.dumps(answers.get(self.path, {})).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Control)
print(f"Serving remote control on http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
