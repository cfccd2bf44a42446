// Builds what browsers get: one stylesheet, one script, one sprite of icons, one font, each named by
// its content and with a packed twin, and the list of their names.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const packages = join(root, "node_modules");
const draft = join(here, `dist.${process.pid}`);
const dist = join(here, "dist");

mkdirSync(draft, { recursive: true });
const names = {};

function keep(name, content) {
  const bytes = Buffer.from(content);
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  const ending = extname(name);
  const hashed = `${name.slice(0, -ending.length)}.${digest}${ending}`;
  writeFileSync(join(draft, hashed), bytes);
  if (ending !== ".woff2") writeFileSync(join(draft, `${hashed}.gz`), gzipSync(bytes, { level: 9 }));
  names[name] = hashed;
  return hashed;
}

function icons() {
  const wanted = JSON.parse(readFileSync(join(here, "icons.json"), "utf8"));
  const symbols = wanted.map((name) => {
    const svg = readFileSync(join(packages, "@tabler/icons/icons/outline", `${name}.svg`), "utf8");
    const shape = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
    return `<symbol id="${name}" viewBox="0 0 24 24">${shape.replace(/\s*\n\s*/g, "")}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
}

function script() {
  const htmx = readFileSync(join(packages, "htmx.org/dist/htmx.min.js"), "utf8");
  const own = readFileSync(join(here, "portal.js"), "utf8");
  return `${htmx.replace(/\/\/# sourceMappingURL=.*/g, "")}\n${own}`;
}

function stylesheet(font) {
  const out = join(draft, "out.css");
  const tailwind = join(packages, ".bin/tailwindcss");
  execFileSync(tailwind, ["-i", join(here, "portal.css"), "-o", out, "--minify"], {
    cwd: here, stdio: ["ignore", "ignore", "pipe"],
  });
  const css = readFileSync(out, "utf8").replaceAll("inter.woff2", font);
  rmSync(out);
  return css.replace(/\/\*![^]*?\*\//g, "");
}

const font = keep("inter.woff2", readFileSync(
  join(packages, "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2")));
keep("portal.css", stylesheet(font));
keep("portal.js", script());
keep("icons.svg", icons());
writeFileSync(join(draft, "manifest.json"), JSON.stringify(names, null, 2));
rmSync(dist, { recursive: true, force: true });
renameSync(draft, dist);
