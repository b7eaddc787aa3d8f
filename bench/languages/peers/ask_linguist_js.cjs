// linguist-js's answers: node ask_linguist_js.cjs LIST, a path a line. NODE_PATH names the node_modules with
// `linguist-js`. It takes folders, so it is given the one of LIST, which must hold all files.
const fs = require("fs");
const path = require("path");
const analyse = require("linguist-js");
const library = require.resolve("linguist-js").replace(/(node_modules[\\/]linguist-js).*/, "$1");
const { version } = JSON.parse(fs.readFileSync(path.join(library, "package.json")));

(async () => {
  const list = path.resolve(process.argv[2]);
  const paths = fs.readFileSync(list, "utf8").split("\n").filter(Boolean);
  const start = process.cpuUsage();
  const { files } = await analyse(path.join(path.dirname(list), "files"), {
    offline: true, keepVendored: true, keepBinary: true, childLanguages: true, calculateLines: false,
    checkAttributes: false, checkIgnored: false, checkDetected: false,
  });
  const { user, system } = process.cpuUsage(start);
  const results = new Map(Object.entries(files.results).map(([name, language]) => [path.resolve(name), language]));
  const answers = paths.map((one) => results.get(path.resolve(one)) ?? null);
  console.log(JSON.stringify({ version, seconds: (user + system) / 1e6, answers }));
})();
