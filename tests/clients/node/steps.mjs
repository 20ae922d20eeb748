// The steps that every client takes, whatever its SDK is called: one JSON line for each on standard output.
//
// `task` is the test's: {url|command,args,env, token, mode, tools, write, read, resource, denied, slow, progress}.
export const task = JSON.parse(process.argv[2]);

export function report(step, facts) {
  process.stdout.write(`${JSON.stringify({ step, ...facts })}\n`);
}

/** Whether a call failed, and what was said, however the SDK puts it. */
async function outcome(call) {
  try {
    const result = await call();
    const text = (result.content ?? []).map((part) => part.text ?? '').join('');
    return { failed: result.isError === true, text, structured: result.structuredContent ?? null };
  } catch (error) {
    return { failed: true, text: String(error?.message ?? error), code: error?.code ?? null };
  }
}

/** Takes the steps with `client`; `call(tool, options)` calls a tool as this SDK wants it. */
export async function steps(client, call) {
  report('connected', { server: client.getServerVersion() ?? null, era: client.getProtocolEra?.() ?? null });
  const tools = await client.listTools();
  report('tools', { names: tools.tools.map((tool) => tool.name) });
  if (task.write) report('write', await outcome(() => call(task.write)));
  if (task.read) report('read', await outcome(() => call(task.read)));
  if (task.resource) {
    const { contents } = await client.readResource({ uri: task.resource });
    report('resource', { uri: contents[0]?.uri, text: contents[0]?.text ?? null });
  }
  if (task.prompts) {
    const { prompts } = await client.listPrompts();
    const [prompt] = prompts;
    const needed = (prompt.arguments ?? []).filter((argument) => argument.required);
    const values = Object.fromEntries(needed.map((argument) => [argument.name, task.prompts]));
    const { messages } = await client.getPrompt({ name: prompt.name, arguments: values });
    report('prompt', { names: prompts.map((one) => one.name), name: prompt.name, messages: messages.length });
  }
  if (task.denied) report('denied', await outcome(() => call(task.denied)));
  if (task.slow) {
    const stop = new AbortController();
    const began = performance.now();
    const call_ = outcome(() => call(task.slow, { signal: stop.signal }));
    // A tool says nothing when it begins: this is how long a person hesitates.
    setTimeout(() => stop.abort('changed my mind'), 500);
    report('cancelled', { ...(await call_), seconds: (performance.now() - began) / 1000 });
  }
  if (task.progress) {
    const seen = [];
    const done = await outcome(() => call(task.progress, { onprogress: (one) => seen.push(one.progress) }));
    report('progress', { ...done, seen });
  }
  report('usable', { tools: (await client.listTools()).tools.length });
  await client.close();
  report('closed', {});
}
