// Brings package-lock.json into the form that is kept: no addresses, and an entry for every platform.
//
// A registry that lacks a build for some platform leaves it out of the lock, and `npm ci` then refuses
// the whole file. Such an entry has no hash: where that platform is used, npm takes what it is given.
import { readFileSync, writeFileSync } from "node:fs";

const NAME = "package-lock.json";
const lock = JSON.parse(readFileSync(NAME, "utf8"));
const systems = ["android", "darwin", "freebsd", "linux", "win32", "wasm32"];

for (const [place, each] of Object.entries(lock.packages)) {
  delete each.funding;
  for (const [wanted, version] of Object.entries((place && each.optionalDependencies) || {})) {
    const key = `node_modules/${wanted}`;
    const told = wanted.split("-").find((part) => systems.includes(part));
    if (lock.packages[key] || !told) continue;
    const cpu = told === "wasm32" ? told : wanted.split(`${told}-`)[1].split("-")[0];
    lock.packages[key] = {
      version, cpu: [cpu], optional: true, ...(told === "wasm32" ? {} : { os: [told] }),
    };
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([one], [two]) => (one < two ? -1 : one > two ? 1 : 0)),
);
writeFileSync(NAME, `${JSON.stringify(lock, null, 2)}\n`);
