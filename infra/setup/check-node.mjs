/** Imported before anything else by the commands: an old Node would fail later, and less clearly. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 11)) {
  process.stderr.write(`nesgd needs Node 20.11 or later; this is ${process.versions.node}\n`);
  process.exit(1);
}
