// A reporter: one line for each test that ended, "pass|fail|skip FILE".
export default async function* outcomes(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite') continue;
    const skipped = data.skip !== undefined || data.todo !== undefined;
    yield `${skipped ? 'skip' : type.slice('test:'.length)} ${data.entryFile ?? data.file}\n`;
  }
}
