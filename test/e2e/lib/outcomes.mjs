// A reporter: one line for each test that ended, "pass|fail|skip FILE"; "broken FILE" for a suite that
// failed, be it by a test or by what stands before and behind its tests.
export default async function* outcomes(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const file = data.entryFile ?? data.file;
    if (data.details?.type === 'suite') {
      if (type === 'test:fail') yield `broken ${file}\n`;
      continue;
    }
    const skipped = data.skip !== undefined || data.todo !== undefined;
    yield `${skipped ? 'skip' : type.slice('test:'.length)} ${file}\n`;
  }
}
