// The TypeScript SDK of the 1.x line.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { steps, task } from './steps.mjs';

const headers = task.token ? { Authorization: `Bearer ${task.token}` } : {};
const transport = task.url
  ? new StreamableHTTPClientTransport(new URL(task.url), { requestInit: { headers } })
  : new StdioClientTransport({ command: task.command, args: task.args, env: { ...process.env, ...task.env } });
const client = new Client({ name: 'typescript-v1', version: '1.0.0' });
await client.connect(transport);
await steps(client, (tool, options) => client.callTool(tool, CallToolResultSchema, options));
