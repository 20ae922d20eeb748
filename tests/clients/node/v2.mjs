// The TypeScript SDK of the 2.x line: legacy, auto, or pinned to one revision.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { steps, task } from './steps.mjs';

const headers = task.token ? { Authorization: `Bearer ${task.token}` } : {};
const transport = task.url
  ? new StreamableHTTPClientTransport(new URL(task.url), { requestInit: { headers } })
  : new StdioClientTransport({ command: task.command, args: task.args, env: { ...process.env, ...task.env } });
const mode = ['legacy', 'auto'].includes(task.mode) ? task.mode : { pin: task.mode };
const client = new Client({ name: 'typescript-v2', version: '1.0.0' }, { versionNegotiation: { mode } });
await client.connect(transport);
await steps(client, (tool, options) => client.callTool(tool, options));
